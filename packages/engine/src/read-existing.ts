import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Provider, ReadAnswer } from "@millwright/provider/protocol";
import { isNull, unmarkDeep } from "@millwright/value/value";
import type { InstanceAddress } from "./addresses.ts";
import { providerDiagnostics, providerDied } from "./objects.ts";
import type { Importing } from "./plan/plan.ts";

/** An object that exists already, as its provider finds and then reads it; nothing, with an error, where it does not. */
export async function readExisting(
  provider: Provider,
  address: InstanceAddress,
  by: Importing,
): Promise<Diagnosed<ReadAnswer | undefined>> {
  const { type } = address.resource;
  const diagnostics: Diagnostic[] = [];
  const stop = (...found: readonly Diagnostic[]) => ({ value: undefined, diagnostics: [...diagnostics, ...found] });
  const identity = by.identity ? { identity: unmarkDeep(by.identity)[0] } : {};
  try {
    const answer = await provider.importResourceState({ type, id: by.id ?? "", ...identity });
    diagnostics.push(...providerDiagnostics(answer.diagnostics, address.text));
    if (hasErrors(diagnostics)) return stop();
    const found = answer.imported.find((entry) => entry.type === type);
    if (!found) return stop(nothingFound(address, by));
    const read = await provider.readResource({ type, current: found.state, private: found.private });
    diagnostics.push(...providerDiagnostics(read.diagnostics, address.text));
    if (hasErrors(diagnostics)) return stop();
    return isNull(read.newState) ? stop(notThere(address, by)) : { value: read, diagnostics };
  } catch (error) {
    return stop(providerDied(address.text, "importing", error));
  }
}

/** What an object is known by, for people. */
export function importedBy({ id }: Importing): string {
  return id === undefined ? "the given identity" : `the id ${JSON.stringify(id)}`;
}

function nothingFound({ text }: InstanceAddress, by: Importing): Diagnostic {
  return errorDiagnostic("Nothing was imported", `The provider found nothing for ${importedBy(by)}.`, {
    address: text,
  });
}

function notThere({ text }: InstanceAddress, by: Importing): Diagnostic {
  return errorDiagnostic(
    "Cannot import non-existent remote object",
    `While attempting to import an existing object to "${text}", the provider detected that no object exists with ${importedBy(by)}. Only pre-existing objects can be imported; check that it is the right one, and that the provider is configured for its region or endpoint, or use "plan" to create a new object.`,
    { address: text },
  );
}
