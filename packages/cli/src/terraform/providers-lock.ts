import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { parseProviderSource, providerSourceShort, providerSourceText } from "@millwright/engine/addresses";
import { originOfFolders, originOfMirror, originOfRegistries } from "@millwright/sources/chosen-origin";
import { lockFileName, sameLocks } from "@millwright/sources/lock-file";
import { type LockEvent, type LockResult, lockPlatforms } from "@millwright/sources/lock-platforms";
import { platformText } from "@millwright/sources/platform";
import type { ProviderOrigin } from "@millwright/sources/provider-origin";
import type { FlagTable, FlagValues } from "../flags.ts";
import { readLocks, writeLocks } from "../init/folder-locks.ts";
import { trustText } from "../init/install-folder-providers.ts";
import { readPlatforms } from "../init/platforms.ts";
import { providerNeeds } from "../init/provider-needs.ts";
import { sourceSettings } from "../init/source-settings.ts";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";
import { type CommandCall, runCommand } from "./command.ts";
import { readConfiguration } from "./folder.ts";
import { jsonLinesFlag, viewFlags } from "./options.ts";
import type { CommandStyle, Session } from "./session.ts";

const flags = {
  "no-color": viewFlags["no-color"],
  ...jsonLinesFlag,
  platform: {
    kind: "strings",
    value: "OS_ARCH",
    help: "Note checksums for this platform, such as linux_amd64 (default: this one). May be given several times.",
  },
  "fs-mirror": { kind: "string", value: "FOLDER", help: "Take the packages from this filesystem mirror." },
  "net-mirror": { kind: "string", value: "URL", help: "Take the packages from this network mirror." },
  "enable-plugin-cache": { kind: "bool", help: "Taken for scripts that give it: registries are asked all the same." },
} as const satisfies FlagTable;

/** Notes the checksums of providers for several platforms in the lock file. */
export function runProvidersLock(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "providers lock [flags] [PROVIDER...]",
      about:
        "Notes in the lock file the checksums of the packages of all providers, or of those that are named, for all platforms that are given. Asks the providers' own registries, whatever the settings say, unless a mirror is named. Installs nothing.",
      example: "providers lock -platform=linux_amd64 -platform=darwin_arm64",
      jsonLines: true,
      arguments: [0, 1_000],
      run: lock,
    },
    args,
    io,
    style,
  );
}

async function lock({ session, values, args }: CommandCall<typeof flags>): Promise<number> {
  const platforms = readPlatforms(values.platform);
  const origin = chosen(session, values);
  const { configuration, diagnostics } = await readConfiguration(session, []);
  const locks = readLocks(session.folder);
  const needs = hasErrors(diagnostics) ? undefined : providerNeeds([configuration]);
  const wanted = wantedOf(args);
  const found = [
    ...platforms.diagnostics,
    ...("severity" in origin ? [origin] : []),
    ...diagnostics,
    ...locks.diagnostics,
    ...(needs?.diagnostics ?? []),
    ...wanted.diagnostics,
  ];
  if (!(await session.report(found)) || !needs || "severity" in origin) return 1;
  const all = [...needs.value.values()].sort((a, b) =>
    providerSourceText(a.source) < providerSourceText(b.source) ? -1 : 1,
  );
  const chosenNeeds = all.filter(
    ({ source }) => wanted.value.size === 0 || wanted.value.has(providerSourceText(source)),
  );
  const result = await lockPlatforms(chosenNeeds, {
    origin,
    http: sourceSettings(session).http,
    locks: locks.value,
    platforms: platforms.value,
    tell: async (event) => session.say(eventText(event).replace(/^- /, ""), { shown: eventText(event) }),
  });
  if (!(await session.report(failuresOf(result)))) return 1;
  const isSame = sameLocks(locks.value, result.locks);
  if (!isSame) writeLocks(session.folder, result.locks);
  const style = styleOf(session.view);
  const success = isSame
    ? "Success! The lock file is right, and has not changed."
    : `Success! The lock file ${lockFileName} has changed. Look at the changes, and keep them\nin version control.`;
  await session.say(success.replaceAll("\n", " "), { shown: `\n${style.green(style.bold(success))}` });
  return 0;
}

function chosen(session: Session, values: FlagValues<typeof flags>): ProviderOrigin | Diagnostic {
  const { "fs-mirror": folder, "net-mirror": url } = values;
  const { discovery } = sourceSettings(session);
  if (folder !== undefined && url !== undefined)
    return errorDiagnostic("Invalid installation method options", "Give -fs-mirror or -net-mirror, not both.");
  if (folder !== undefined) return originOfFolders([session.path(folder)]);
  if (url === undefined) return originOfRegistries(discovery);
  if (!URL.canParse(url) || !url.startsWith("https:"))
    return errorDiagnostic(
      "Invalid network mirror URL",
      "The flag -net-mirror takes an address that begins with https://.",
    );
  return originOfMirror(discovery, new URL(url.endsWith("/") ? url : `${url}/`));
}

function wantedOf(args: readonly string[]): {
  readonly value: ReadonlySet<string>;
  readonly diagnostics: Diagnostic[];
} {
  const value = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const text of args) {
    const source = parseProviderSource(text);
    if (source) value.add(providerSourceText(source));
    else {
      const detail = `"${text}" is no provider's address, which has the form [HOSTNAME/]NAMESPACE/TYPE.`;
      diagnostics.push(errorDiagnostic("Invalid provider argument", detail));
    }
  }
  return { value, diagnostics };
}

function eventText(event: LockEvent): string {
  const { source, version, platform } = event;
  const what = `${providerSourceShort(source)} ${version} for ${platformText(platform)}`;
  switch (event.kind) {
    case "fetching":
      return `- Fetching ${what}...`;
    case "retrieved":
      return `- Retrieved ${what} (${trustText(event.trust)})`;
    case "noted":
      return `- Obtained ${providerSourceShort(source)} checksums for ${platformText(platform)}; ${changes[event.change]}`;
  }
}

const changes = {
  "new provider": "This was a new provider and the checksums for this platform are now tracked in the lock file",
  "new checksums": "Additional checksums for this platform are now tracked in the lock file",
  nothing: "All checksums for this platform were already tracked in the lock file",
} as const;

function failuresOf({ failures }: LockResult): Diagnostic[] {
  return failures.map(({ source, platform, error }) =>
    errorDiagnostic(
      "Could not retrieve providers for locking",
      `The checksums of ${providerSourceText(source)} for ${platformText(platform)} cannot be known: ${error.message} Nothing was noted.`,
    ),
  );
}
