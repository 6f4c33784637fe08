import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { providerSourceShort, providerSourceText } from "@millwright/engine/addresses";
import { originOfRegistries } from "@millwright/sources/chosen-origin";
import { type MirrorEvent, mirrorProviders } from "@millwright/sources/mirror-providers";
import { platformText } from "@millwright/sources/platform";
import { constraintsText } from "@millwright/sources/provider-constraints";
import type { FlagTable } from "../flags.ts";
import { readLocks } from "../init/folder-locks.ts";
import { trustText } from "../init/install-folder-providers.ts";
import { readPlatforms } from "../init/platforms.ts";
import { providerNeeds } from "../init/provider-needs.ts";
import { sourceSettings } from "../init/source-settings.ts";
import type { CommandIo } from "../io.ts";
import { type CommandCall, runCommand } from "./command.ts";
import { readConfiguration } from "./folder.ts";
import { jsonLinesFlag, onUnlessGiven, viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";

const flags = {
  "no-color": viewFlags["no-color"],
  ...jsonLinesFlag,
  platform: {
    kind: "strings",
    value: "OS_ARCH",
    help: "Take packages for this platform, such as linux_amd64 (default: this one). May be given several times.",
  },
  "lock-file": { kind: "bool", help: "Whether to take the versions that the lock file pins (default true)." },
} as const satisfies FlagTable;

/** Downloads the packages of a folder's providers into a mirror. */
export function runProvidersMirror(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "providers mirror [flags] FOLDER",
      about:
        "Downloads the packages of all providers that the folder needs from their own registries into another folder, which then serves as a filesystem mirror, and as a network mirror where its files are served.",
      example: "providers mirror -platform=linux_amd64 mirror",
      jsonLines: true,
      arguments: [1, 1],
      run: mirror,
    },
    args,
    io,
    style,
  );
}

async function mirror({ session, values, args, occurrences }: CommandCall<typeof flags>): Promise<number> {
  const platforms = readPlatforms(values.platform);
  const { configuration, diagnostics } = await readConfiguration(session, []);
  const locks = onUnlessGiven(occurrences, "lock-file")
    ? readLocks(session.folder)
    : { value: new Map(), diagnostics: [] };
  const needs = hasErrors(diagnostics) ? undefined : providerNeeds([configuration]);
  const found = [...platforms.diagnostics, ...diagnostics, ...locks.diagnostics, ...(needs?.diagnostics ?? [])];
  if (!(await session.report(found)) || !needs) return 1;
  const wanted = [...needs.value].sort(([a], [b]) => (a < b ? -1 : 1));
  const { http, discovery } = sourceSettings(session);
  const failures = await mirrorProviders(
    wanted.map(([, need]) => need),
    {
      folder: session.path(args[0]!),
      origin: originOfRegistries(discovery),
      http,
      locks: locks.value,
      platforms: platforms.value,
      tell: async (event) => {
        const need = needs.value.get(providerSourceText(event.source));
        const shown = eventText(event, constraintsText(need?.constraints ?? []));
        await session.say(shown.replace(/^ *- /, ""), { shown });
      },
    },
  );
  const faults = failures.map(({ source, error }) =>
    errorDiagnostic(
      "Provider not available",
      `The packages of ${providerSourceText(source)} could not be mirrored: ${error.message}`,
    ),
  );
  return (await session.report(faults)) ? 0 : 1;
}

function eventText(event: MirrorEvent, constraints: string): string {
  switch (event.kind) {
    case "mirroring":
      return `- Mirroring ${providerSourceShort(event.source)}...`;
    case "selected":
      return `  - Selected v${event.version} ${event.why === "lock" ? "to match dependency lock file" : constraints === "" ? "with no constraints" : `to meet constraints ${constraints}`}`;
    case "downloading":
      return `  - Downloading package for ${platformText(event.platform)}...`;
    case "checked":
      return `  - Package authenticated: ${trustText(event.trust)}`;
  }
}
