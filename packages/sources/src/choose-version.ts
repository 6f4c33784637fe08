import { OperationalError } from "@millwright/core/errors";
import { parseVersion } from "@millwright/text/versions";
import { sourceErrors } from "./errors.ts";
import type { ProviderNeed } from "./install-providers.ts";
import type { LockedProvider } from "./lock-file.ts";
import { allowsProvider, constraintsText, newestAllowed } from "./provider-constraints.ts";
import type { ProviderOrigin } from "./provider-origin.ts";
import { providerSourceShort, providerSourceText } from "./provider-source.ts";

export interface ChosenVersion {
  readonly version: string;
  /** What whoever has it wants users to know. */
  readonly warnings: readonly string[];
}

/**
 * The version of a provider that is used: the locked one, else the newest that is allowed. Throws `refused` where the locked one
 * is not allowed, or none is.
 */
export async function chooseVersion(
  { source, constraints }: ProviderNeed,
  origin: ProviderOrigin,
  lock: LockedProvider | undefined,
): Promise<ChosenVersion> {
  if (lock) {
    const locked = parseVersion(lock.version);
    if (locked && allowsProvider(constraints, locked)) return { version: lock.version, warnings: [] };
    throw refused(
      `locked provider ${providerSourceText(source)} ${lock.version} does not match configured version constraint ${constraintsText(constraints)}; must use terraform init -upgrade to allow selection of new versions`,
    );
  }
  const { versions, warnings } = await origin.versions(source);
  const version = newestAllowed(versions, constraints);
  if (version !== undefined) return { version, warnings };
  if (versions.length === 0) throw refused(`there is no version of ${providerSourceShort(source)} at all`);
  throw refused(
    `no available releases match the given constraints ${constraintsText(constraints)}; there are ${shownVersions(versions)}`,
  );
}

function shownVersions(versions: readonly string[]): string {
  const shown = versions.slice(0, 5).join(", ");
  return versions.length > 5 ? `${shown} and ${versions.length - 5} more` : shown;
}

function refused(message: string): OperationalError {
  return new OperationalError(sourceErrors.refused, message);
}
