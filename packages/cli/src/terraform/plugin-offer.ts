import { silentLog, systemClock } from "@millwright/core/ports";
import type { Log } from "@millwright/core/ports";
import type { ProviderSource } from "@millwright/engine/addresses";
import { providerSourceText } from "@millwright/engine/addresses";
import type { ProviderOffer } from "@millwright/engine/ports";
import type { Plugin } from "@millwright/plugin/host/plugin";
import type { ReattachTarget } from "@millwright/plugin/host/reattach";

/** A provider's program on disk. */
export interface InstalledProgram {
  readonly source: ProviderSource;
  readonly version: string;
  /** The program and its arguments; the program by its absolute path. */
  readonly command: readonly [string, ...string[]];
}

/** What programs are run with. */
export interface ProgramSetting {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly log: Log;
}

/**
 * A provider that is a program on disk, as the engine wants it. Make one offer a program and run: its schemas are read once,
 * however often it is started.
 */
export function pluginOffer({ source, version, command }: InstalledProgram, setting: ProgramSetting): ProviderOffer {
  const { cwd, log } = setting;
  const env = programEnvironment(source, setting);
  const name = `${providerSourceText(source)} ${version}`;
  // What speaks gRPC is loaded when the first such provider is started.
  let plugin: Promise<Plugin> | undefined;
  const load = async () => {
    const host = await import("@millwright/plugin/host/plugin");
    return new host.Plugin({ name, command, env, cwd });
  };
  return {
    source,
    version,
    origin: "installed",
    start: async (options = {}) => (await (plugin ??= load())).start({ clock: systemClock, log, ...options }),
  };
}

/**
 * What a program is started with. Where nobody reads its log it keeps to warnings, which are told should it crash: left to itself it
 * writes dozens of lines for each resource, which can be half of its work. What the user has set stays.
 * Source: Terraform's plugin documentation, "Managing Log Output".
 */
export function programEnvironment(
  source: ProviderSource,
  { env, log }: Pick<ProgramSetting, "env" | "log">,
): ProgramSetting["env"] {
  if (log !== silentLog) return env;
  const own = `TF_LOG_PROVIDER_${source.type.toUpperCase().replaceAll("-", "_")}`;
  return { TF_LOG_SDK: "WARN", [own]: "WARN", ...env };
}

/** A provider that somebody else has started and that `TF_REATTACH_PROVIDERS` leads to. Nobody knows its version. */
export function attachedOffer(source: ProviderSource, target: ReattachTarget): ProviderOffer {
  return {
    source,
    version: "0.0.0",
    origin: "installed",
    start: async () => (await import("@millwright/plugin/host/plugin")).attachedProvider(target),
  };
}
