import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { identityType } from "@millwright/provider/implied-type";
import type { Provider } from "@millwright/provider/protocol";
import type { IdentitySchema, Schema } from "@millwright/provider/schema";
import { decodeJson, encodeJson } from "@millwright/value/json";
import { rawEquals } from "@millwright/value/operations";
import { typeEquals } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asMap, isNull, isWhollyKnown, objectValue } from "@millwright/value/value";
import type { InstanceAddress } from "./addresses.ts";
import type { ReadObject } from "./objects.ts";
import { knownPlain } from "./formats/values-json.ts";
import { providerDiagnostics, providerDied, readObject } from "./objects.ts";
import type { ObjectState, StoredIdentity } from "./state.ts";

/** What {@link readObject} reads, and the identity with it. */
export async function readWithIdentity(
  object: ObjectState,
  address: InstanceAddress,
  schema: Schema,
  provider: Provider,
): Promise<ReadObject> {
  const read = await readObject(object, address, schema, provider);
  if (hasErrors(read.diagnostics)) return read;
  const { value: identity, diagnostics } = object.movedFrom
    ? judgeIdentity(read.identity, address, schema.identity, "move")
    : await readIdentity(object.identity, address, schema, provider);
  return { value: read.value, ...identityAs("identity", identity), diagnostics: [...read.diagnostics, ...diagnostics] };
}

/**
 * A stored identity as a value of the type's identity schema. One of an older version, or that does not fit, is brought to it by
 * the provider; one of a newer version is an error. Undefined where nothing is stored, or objects of the type have none any more.
 */
async function readIdentity(
  stored: StoredIdentity | undefined,
  address: InstanceAddress,
  { identity: schema }: Schema,
  provider: Provider,
): Promise<Diagnosed<Value | undefined>> {
  if (!stored || !schema) return { value: undefined, diagnostics: [] };
  const place = { address: address.text };
  if (stored.schemaVersion > schema.version) {
    const detail = `The identity of ${address.text} was written by a newer version of its provider (identity version ${stored.schemaVersion}; the one in use knows ${schema.version}). Use the provider version that wrote it, or a newer one.`;
    const summary = "Resource identity managed by newer provider version";
    return { value: undefined, diagnostics: [errorDiagnostic(summary, detail, place)] };
  }
  const decoded = decodeJson(stored.json, identityType(schema));
  if (decoded.ok && stored.schemaVersion === schema.version) return { value: decoded.value, diagnostics: [] };
  if (!provider.upgradeResourceIdentity) return { value: undefined, diagnostics: [] };
  try {
    const { type } = address.resource;
    const call = { type, version: stored.schemaVersion, json: stored.json };
    const answer = await provider.upgradeResourceIdentity(call);
    const said = providerDiagnostics(answer.diagnostics, address.text);
    if (hasErrors(said)) return { value: undefined, diagnostics: said };
    const { value, diagnostics } = judgeIdentity(answer.upgraded, address, schema, "upgrade");
    return { value, diagnostics: [...said, ...diagnostics] };
  } catch (error) {
    return { value: undefined, diagnostics: [providerDied(address.text, "reading the stored identity", error)] };
  }
}

/** An identity as it is stored with its object. It has no marks, and is wholly known. */
export function storedIdentity(
  identity: Value | undefined,
  { identity: schema }: Schema,
): { readonly identity?: StoredIdentity } {
  if (!identity || !schema) return {};
  return { identity: { schemaVersion: schema.version, json: encodeJson(identity, identityType(schema)) } };
}

/** An identity as a part of a call, an answer or a change, where there is one. */
export function identityAs<K extends string>(name: K, identity: Value | undefined): { readonly [P in K]?: Value } {
  return identity ? ({ [name]: identity } as { readonly [P in K]?: Value }) : {};
}

/**
 * An identity that a provider gave, where it can be used: of the type's identity schema and, unless it is only planned, wholly
 * known. What a provider leaves out, or gives for a type that has none, is no identity.
 */
export function judgeIdentity(
  identity: Value | undefined,
  address: InstanceAddress,
  schema: IdentitySchema | undefined,
  after: IdentitySource,
): Diagnosed<Value | undefined> {
  if (!identity || !schema || isNull(identity)) return { value: undefined, diagnostics: [] };
  const wrong = !typeEquals(identity.type, identityType(schema))
    ? "it does not fit its own identity schema"
    : after !== "plan" && !isWhollyKnown(identity)
      ? "parts of it are not known"
      : undefined;
  return wrong === undefined
    ? { value: identity, diagnostics: [] }
    : { value: undefined, diagnostics: [invalidIdentity(address, `${moments[after]}: ${wrong}`)] };
}

/** Where an identity came out otherwise than it was planned, in phrases; what was not known yet may be anything. */
export function identityDisagreements(planned: Value | undefined, identity: Value | undefined): readonly string[] {
  if (!planned || !identity) return [];
  const now = asMap(identity);
  return [...asMap(planned)]
    .filter(([name, value]) => isWhollyKnown(value) && !rawEquals(value, now.get(name)!))
    .map(([name]) => `identity.${name} is not what was planned`);
}

/** An identity for people: what is given of it, as a JSON object on one line. */
export function identityText(identity: Value): string {
  return JSON.stringify(knownPlain(objectValue([...asMap(identity)].filter(([, value]) => !isNull(value)))));
}

/** Which call of a provider gave an identity. */
export type IdentitySource = "plan" | "apply" | "read" | "import" | "move" | "upgrade";

const moments: Readonly<Record<IdentitySource, string>> = {
  plan: "in its plan",
  apply: "after the change",
  read: "when it read it",
  import: "when it imported it",
  move: "after it was moved",
  upgrade: "after it was brought up to date",
};

function invalidIdentity({ text }: InstanceAddress, why: string): Diagnostic {
  const detail = `The provider gave an identity of ${text} that cannot be used ${why}. This is a bug in the provider, which should be reported in the provider's own issue tracker.`;
  return errorDiagnostic("Provider produced invalid identity", detail, { address: text });
}
