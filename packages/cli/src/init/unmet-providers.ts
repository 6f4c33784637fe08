import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import type { ProviderNeed } from "@millwright/sources/install-providers";
import type { LockedProvider, Locks } from "@millwright/sources/lock-file";
import { allowsProvider, constraintsText } from "@millwright/sources/provider-constraints";
import { parseVersion } from "@millwright/text/versions";
import { providersOf, type SessionProviders } from "../terraform/registry.ts";
import type { Session } from "../terraform/session.ts";
import { readLocks } from "./folder-locks.ts";
import { isServedWithoutInstall } from "./provider-choice.ts";
import { providerNeeds } from "./provider-needs.ts";
import { sourceSettings } from "./source-settings.ts";

/**
 * What configurations need of providers that is not there as the lock file says, so that init has to be run. A package that is
 * there is compared with its checksums, as Terraform does for each command.
 */
export async function unmetProviders(
  session: Session,
  configurations: readonly Configuration[],
): Promise<Diagnostic[]> {
  const needs = providerNeeds(configurations);
  const locks = readLocks(session.folder);
  const diagnostics = [...needs.diagnostics, ...locks.diagnostics];
  if (hasErrors(diagnostics)) return diagnostics;
  const { installed } = sourceSettings(session);
  const providers = await providersOf(session);
  const open = [...needs.value].filter(
    ([, need]) => !isServedWithoutInstall(need, { providers, locks: locks.value, installed }),
  );
  const selection = open.flatMap(([text, need]) => selectionFault(text, need, locks.value, providers) ?? []);
  if (selection.length > 0) return [...diagnostics, inconsistent(session, selection)];
  const pinned = open.map(([text]) => ({ text, lock: locks.value.get(text)! }));
  const faults = await Promise.all(pinned.map(({ text, lock }) => packageFault(session, text, lock)));
  const missing = faults.filter((fault) => fault !== undefined);
  return missing.length === 0 ? diagnostics : [...diagnostics, notInstalled(session, missing)];
}

interface Fault {
  readonly line: string;
  readonly isChange: boolean;
}

// Whether the lock file has a version at all, and one that is still allowed.
function selectionFault(
  text: string,
  need: ProviderNeed,
  locks: Locks,
  { registry }: SessionProviders,
): Fault | undefined {
  const lock = locks.get(text);
  const version = lock && parseVersion(lock.version);
  if (!lock || !version) {
    const offer = registry.find(need.source);
    const aside =
      offer?.origin === "built-in" ? ` (version ${offer.version} is built in, and does not stand for this one)` : "";
    return {
      line: `provider ${text}: required by this configuration but no version is selected${aside}`,
      isChange: false,
    };
  }
  if (allowsProvider(need.constraints, version)) return undefined;
  const wanted = constraintsText(need.constraints);
  const line = `provider ${text}: locked version selection ${lock.version} doesn't match the updated version constraints "${wanted}"`;
  return { line, isChange: true };
}

async function packageFault(session: Session, text: string, lock: LockedProvider): Promise<string | undefined> {
  const { installed } = sourceSettings(session);
  const found = await installed.holds(lock);
  if (found === "locked") return undefined;
  return found === "missing"
    ? `${text}: there is no package for ${text} ${lock.version} cached in .terraform/providers`
    : `${text}: the cached package for ${text} ${lock.version} (in .terraform/providers) does not match any of the checksums recorded in the dependency lock file`;
}

function inconsistent({ style }: Session, faults: readonly Fault[]): Diagnostic {
  const lines = faults.map(({ line }) => `  - ${line}\n`).join("");
  const advice = faults.some(({ isChange }) => isChange)
    ? `To update the locked dependency selections to match a changed configuration, run:\n  ${style} init -upgrade`
    : `To make the initial dependency selections that will initialize the dependency lock file, run:\n  ${style} init`;
  const detail = `The following dependency selections recorded in the lock file are inconsistent with the current configuration:\n${lines}\n${advice}`;
  return errorDiagnostic("Inconsistent dependency lock file", detail);
}

function notInstalled({ style }: Session, faults: readonly string[]): Diagnostic {
  const lines = faults.map((line) => `  - ${line}\n`).join("");
  const detail = `The installed provider plugins are not consistent with the packages selected in the dependency lock file:\n${lines}\nTo install the plugins that this configuration needs, run:\n  ${style} init`;
  return errorDiagnostic("Required plugins are not installed", detail);
}
