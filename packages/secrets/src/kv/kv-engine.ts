import type { EngineContext, EngineType } from "../engine.ts";
import { openVersionedKv } from "./versioned-kv.ts";
import { openPlainKv } from "./plain-kv.ts";

/** Secrets by path: `options.version` "2" keeps their versions, "1" (and none) only what was written last. */
export function kvEngine(): EngineType {
  return {
    name: "kv",
    class: "secret",
    checkOptions: ({ version }) =>
      version === undefined || version === "1" || version === "2"
        ? undefined
        : `A kv engine has version "1" or "2", not ${JSON.stringify(version)}.`,
    checkTune: (from, to) =>
      (from["version"] ?? "1") === (to["version"] ?? from["version"] ?? "1")
        ? undefined
        : "The version of a kv engine that is mounted does not change. Mount one of the other version at another path, " +
          "and write the secrets there.",
    open: async (context) => (versionOf(context) === "2" ? openVersionedKv(context) : openPlainKv(context)),
  };
}

/** What kv version 1 was called in 2016. */
export function genericEngine(): EngineType {
  return { name: "generic", class: "secret", open: async (context) => openPlainKv(context) };
}

function versionOf({ mount }: EngineContext): string {
  return mount.options["version"] ?? "1";
}
