import { invariant, messageOf } from "@millwright/core/errors";
import { fromPlain as fromJson } from "@millwright/value/json";
import { rawEquals } from "@millwright/value/operations";
import { parsePlain } from "@millwright/value/plain-json";
import type { ObjectType, Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asMap, isKnown, isNull, nullValue, objectValue } from "@millwright/value/value";
import { toPlain } from "./codec.ts";
import type { StateOf } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { identityType } from "./implied-type.ts";
import type { Problem } from "./problem.ts";
import { problem, toDiagnostics } from "./problem.ts";
import type { PlanCall, ProviderDiagnostics, UpgradeCall } from "./protocol.ts";
import type { IdentitySchema } from "./schema.ts";
import { attributeSchemaOf } from "./schema-of-fields.ts";
import type { JsonObject } from "./state-json.ts";

/**
 * What names one object of a type for ever: some of its attributes, each a text, a number, a boolean or a list of such. It is
 * kept beside the state, and an `import` block can find an object by it.
 *
 * ```ts
 * identity: { attributes: { region: "optional", name: "required" }, importId: ({ region, name }) => `${region ?? "eu"}/${name}` }
 * ```
 */
export interface ResourceIdentity<F extends Fields> {
  /** The attributes, and whether an `import` block has to give them. */
  readonly attributes: { readonly [K in keyof StateOf<F>]?: "required" | "optional" };
  /** What `import` is asked for where a user gave an identity. Without it, the text of the only attribute. */
  readonly importId?: (identity: Partial<StateOf<F>>) => string;
  /** Raised by one whenever identities of before have other attributes; see `upgrades`. */
  readonly version?: number;
  /** From the JSON of identity version N to that of N + 1; a version that is not here needs no change. */
  readonly upgrades?: Readonly<Record<number, (old: JsonObject) => JsonObject>>;
  /** Whether it may change while the object lives. Otherwise one that does is an error. */
  readonly mutable?: boolean;
}

/** The identity of a resource type as the calls of the protocol need it. */
export interface ServedIdentity {
  readonly schema: IdentitySchema;
  /** Of an object that is there, be it planned. */
  readonly of: (object: Value) => Value;
  /** What is wrong with an identity after a step: a part that is missing, or one that was another before. */
  readonly problems: (step: IdentityStep, before: Value | undefined, now: Value) => readonly Problem[];
  /** The id that `import` is asked for; where there is none, what a user can do. */
  readonly importId: (identity: Value) => { readonly id: string } | Problem;
  readonly upgrade: (
    call: UpgradeCall,
  ) => Promise<{ readonly upgraded: Value; readonly diagnostics: ProviderDiagnostics }>;
}

export type IdentityStep = "create" | "read" | "plan" | "update";

export function serveIdentity<F extends Fields>(
  name: string,
  fields: F,
  definition: ResourceIdentity<F>,
): ServedIdentity {
  const schema = schemaOf(name, fields, definition);
  const type = identityType(schema);
  return {
    schema,
    of: (object) => objectValue([...type.attributes.keys()].map((part) => [part, asMap(object).get(part)!] as const)),
    problems: (step, before, now) => [
      ...(step === "plan" ? [] : missing(name, step, schema, now)),
      ...(definition.mutable || !before || isBlank(before) ? [] : changed(name, step, before, now)),
    ],
    importId: (identity) => importId(name, definition, type, identity),
    upgrade: async (call) => upgrade(name, definition, schema, type, call),
  };
}

/** The identity of an answer's object, where its type has one and it is there. */
export function identityPart(identity: ServedIdentity | undefined, object: Value): { readonly identity?: Value } {
  return identity && !isNull(object) ? { identity: identity.of(object) } : {};
}

/** What is wrong with the identity of an object that is there; `before` is what it was, where it has to be the same. */
export function identityProblems(
  identity: ServedIdentity | undefined,
  step: IdentityStep,
  before: Value | undefined,
  object: Value,
): readonly Problem[] {
  return identity && !isNull(object) ? identity.problems(step, before, identity.of(object)) : [];
}

/** The identity of a planned object; what is to be destroyed keeps the one it has. */
export function plannedIdentity(
  identity: ServedIdentity | undefined,
  { priorIdentity }: PlanCall,
  planned: Value,
): { readonly plannedIdentity?: Value } {
  if (!identity) return {};
  if (!isNull(planned)) return { plannedIdentity: identity.of(planned) };
  return priorIdentity ? { plannedIdentity: priorIdentity } : {};
}

function schemaOf<F extends Fields>(
  name: string,
  fields: F,
  { version = 0, attributes }: ResourceIdentity<F>,
): IdentitySchema {
  const parts = Object.entries<"required" | "optional" | undefined>(attributes).map(([part, presence]) => {
    const { type, description, sensitive, writeOnly } = attributeSchemaOf(fields, part) ?? {};
    invariant(
      type && isPlain(type) && !sensitive && !writeOnly,
      `${name}.${part} is a text, a number, a boolean or a list of such that anybody may see, as an identity needs`,
    );
    const about = description === undefined ? {} : { description };
    const forImport = { requiredForImport: presence === "required", optionalForImport: presence === "optional" };
    return [part, { type, ...forImport, ...about }] as const;
  });
  return { version, attributes: new Map(parts) };
}

function isPlain(type: Type): boolean {
  if (type.kind === "list") return isPlain(type.element);
  return type.kind === "string" || type.kind === "number" || type.kind === "bool";
}

/** An identity of nulls says nothing: a provider that did not know better has left it. */
function isBlank(identity: Value): boolean {
  return isNull(identity) || [...asMap(identity).values()].every(isNull);
}

function missing(name: string, step: IdentityStep, schema: IdentitySchema, now: Value): readonly Problem[] {
  const parts = [...schema.attributes].filter(([part, { requiredForImport }]) => {
    const value = asMap(now).get(part)!;
    return requiredForImport && isKnown(value) && isNull(value);
  });
  if (parts.length === 0) return [];
  const after = `${step[0]!.toUpperCase()}${step.slice(1)}`;
  const detail = `After the ${step} of a ${name} its identity has no ${listed(parts.map(([part]) => part))}. ${bug}`;
  return [problem(`Missing Resource Identity After ${after}`, detail)];
}

function changed(name: string, step: IdentityStep, before: Value, now: Value): readonly Problem[] {
  const parts = [...asMap(now)].filter(([part, value]) => {
    const old = asMap(before).get(part);
    return isKnown(value) && old && !rawEquals(old, value);
  });
  if (parts.length === 0) return [];
  const what = listed(parts.map(([part]) => part));
  const how =
    step === "plan"
      ? `This plan changes ${what} of a ${name} in place`
      : `The ${step} of a ${name} gave another ${what}`;
  const detail = `${how}, which names the object and stays the same as long as it lives. ${bug}`;
  return [problem("Unexpected Identity Change", detail)];
}

const bug = "This is always a bug in the provider. Please report it to the provider's developers.";

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function importId<F extends Fields>(
  name: string,
  definition: ResourceIdentity<F>,
  type: ObjectType,
  identity: Value,
): { readonly id: string } | Problem {
  const plain = toPlain(identity, type) as Partial<StateOf<F>>;
  if (definition.importId) return { id: definition.importId(plain) };
  const values = Object.values(plain);
  if (values.length === 1) return { id: String(values[0]) };
  return problem("Import by identity not supported", `${name} is imported by its ID: give "id" instead of "identity".`);
}

async function upgrade<F extends Fields>(
  name: string,
  definition: ResourceIdentity<F>,
  schema: IdentitySchema,
  type: ObjectType,
  { version, json }: UpgradeCall,
): Promise<{ readonly upgraded: Value; readonly diagnostics: ProviderDiagnostics }> {
  const fail = (detail: string) => ({
    upgraded: nullValue(type),
    diagnostics: toDiagnostics([problem(`Cannot read the identity of ${name}`, detail)], type),
  });
  if (version > schema.version)
    return fail(
      `It was written at identity version ${version}, and this provider knows versions up to ${schema.version}. Use a newer version of the provider.`,
    );
  let plain: JsonObject;
  try {
    plain = parsePlain(json) as JsonObject;
  } catch (error) {
    return fail(`The identity is no JSON: ${messageOf(error)}.`);
  }
  for (let at = version; at < schema.version; at++) plain = definition.upgrades?.[at]?.(plain) ?? plain;
  const fitted = Object.fromEntries([...type.attributes.keys()].map((part) => [part, plain[part] ?? null]));
  const decoded = fromJson(fitted, type);
  if (!decoded.ok) return fail(`The identity does not fit its schema: ${decoded.message}.`);
  return { upgraded: decoded.value, diagnostics: [] };
}
