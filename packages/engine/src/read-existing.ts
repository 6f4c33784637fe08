import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Provider, ReadAnswer } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { isNull } from "@millwright/value/value";
import type { InstanceAddress } from "./addresses.ts";
import { identityAs, identityText, judgeIdentity } from "./identity.ts";
import { providerDiagnostics, providerDied } from "./objects.ts";
import type { Importing } from "./plan/plan.ts";

/** An object that exists already, as its provider finds and then reads it; nothing, with an error, where it does not. */
export async function readExisting(
  provider: Provider,
  address: InstanceAddress,
  schema: Schema,
  by: Importing,
): Promise<Diagnosed<ReadAnswer | undefined>> {
  const { type } = address.resource;
  const diagnostics: Diagnostic[] = [];
  const stop = (...found: readonly Diagnostic[]) => ({ value: undefined, diagnostics: [...diagnostics, ...found] });
  const given = identityAs("identity", by.identity);
  try {
    const answer = await provider.importResourceState({ type, id: by.id ?? "", ...given });
    diagnostics.push(...providerDiagnostics(answer.diagnostics, address.text));
    if (hasErrors(diagnostics)) return stop();
    const found = answer.imported.find((entry) => entry.type === type);
    if (!found) return stop(nothingFound(address, by));
    const first = judgeIdentity(found.identity, address, schema.identity, "import");
    const known = first.value ?? by.identity;
    const call = { type, current: found.state, private: found.private, ...identityAs("identity", known) };
    const { identity: last, ...read } = await provider.readResource(call);
    const { value: identity = known, diagnostics: wrong } = judgeIdentity(last, address, schema.identity, "read");
    diagnostics.push(...first.diagnostics, ...providerDiagnostics(read.diagnostics, address.text), ...wrong);
    if (hasErrors(diagnostics)) return stop();
    if (isNull(read.newState)) return stop(notThere(address, by));
    return { value: { ...read, ...identityAs("identity", identity) }, diagnostics };
  } catch (error) {
    return stop(providerDied(address.text, "importing", error));
  }
}

/** What an object is known by, for people. */
function importedBy({ id, identity }: Importing): string {
  return identity ? `the identity ${identityText(identity)}` : `the id ${JSON.stringify(id)}`;
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
