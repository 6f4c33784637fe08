import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { asSentence } from "@millwright/core/sentence";
import type { Body } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { impliedType } from "@millwright/provider/implied-type";
import type { Provider, ProviderDiagnostics } from "@millwright/provider/protocol";
import type { AttributeSchema, BlockSchema, Schema } from "@millwright/provider/schema";
import { decodeJson, encodeJson } from "@millwright/value/json";
import { markWithPaths, unmarkDeepWithPaths } from "@millwright/value/marks";
import { formatPath, type Path } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  ephemeral,
  isKnown,
  isMarkedDeep,
  isNull,
  mark,
  nullValue,
  sensitive,
} from "@millwright/value/value";
import type { InstanceAddress } from "./addresses.ts";
import { parseProviderConfigAddress, providerSourceText } from "./addresses.ts";
import type { ObjectState } from "./state.ts";
import { withoutWrittenBack, writtenBack } from "./write-only.ts";

/** What a provider said, as diagnostics of the program: with the address, and the place in the source where it is known. */
export function providerDiagnostics(found: ProviderDiagnostics, address: string, body?: Body): Diagnostic[] {
  return found.map(({ severity, summary, detail, attribute }) => {
    const make = severity === "error" ? errorDiagnostic : warningDiagnostic;
    const subject = body && placeOf(body, attribute ?? []);
    const where =
      attribute && attribute.length > 0 && !subject?.exact ? `\n\nWith ${address}${formatPath(attribute)}.` : "";
    return make(summary, `${detail}${where}`, subject ? { subject: rangeOf(subject.node), address } : { address });
  });
}

/** The piece of a body that a path leads to, as near as the source shows it. */
export function placeOf(
  body: Body,
  path: Path,
): { readonly node: Parameters<typeof rangeOf>[0]; readonly exact: boolean } {
  const [first, ...rest] = path;
  if (!first || !("attribute" in first)) return { node: body.missingItem, exact: false };
  const attribute = body.attributes.get(first.attribute);
  if (attribute) return { node: attribute.expression, exact: rest.length === 0 };
  const blocks = body.blocks.filter((block) => block.type === first.attribute);
  const index = rest[0];
  const position = index && "index" in index && index.index.type.kind === "number" ? Number(index.index.data) : 0;
  const block = blocks[Number.isInteger(position) ? position : 0] ?? blocks[0];
  if (!block) return { node: body.missingItem, exact: false };
  const inner = placeOf(block.body, index && "index" in index ? rest.slice(1) : rest);
  return inner.exact ? inner : { node: block.header, exact: false };
}

/** What a stored object is by now; `identity` where that was worked out with it, as of one that was moved. */
export interface ReadObject {
  readonly value: Value;
  readonly identity?: Value;
  readonly diagnostics: readonly Diagnostic[];
}

/** A stored object as a value of the current schema, marked where it is sensitive. Null with errors. */
export async function readObject(
  object: ObjectState,
  address: InstanceAddress,
  schema: Schema,
  provider: Provider,
): Promise<ReadObject> {
  const type = impliedType(schema.block);
  const { attributes } = object;
  if (object.movedFrom) return readMoved(object, object.movedFrom, address, schema, provider);
  if (attributes.form === "value")
    return { value: markStored(attributes.value, schema.block, object.sensitivePaths), diagnostics: [] };
  if (object.schemaVersion > schema.version) {
    const detail = `The state of ${address.text} was written by a newer version of its provider (schema version ${object.schemaVersion}; the one in use knows ${schema.version}). Use the provider version that wrote it, or a newer one.`;
    return {
      value: nullValue(type),
      diagnostics: [
        errorDiagnostic("Resource instance managed by newer provider version", detail, { address: address.text }),
      ],
    };
  }
  if (address.resource.mode === "data") {
    // Data is never brought to a newer schema: what does not fit is read anew.
    const decoded = attributes.form === "json" ? decodeJson(attributes.text, type) : undefined;
    const value = decoded?.ok ? markStored(decoded.value, schema.block, object.sensitivePaths) : nullValue(type);
    return { value, diagnostics: [] };
  }
  try {
    const answer = await provider.upgradeResourceState({
      type: address.resource.type,
      version: object.schemaVersion,
      ...(attributes.form === "json"
        ? { json: attributes.text }
        : { json: "", flatmap: new Map(Object.entries(attributes.flat)) }),
    });
    const diagnostics = providerDiagnostics(answer.diagnostics, address.text);
    if (diagnostics.some((d) => d.severity === "error")) return { value: nullValue(type), diagnostics };
    return { value: markStored(answer.upgraded, schema.block, object.sensitivePaths), diagnostics };
  } catch (error) {
    return { value: nullValue(type), diagnostics: [providerDied(address.text, "reading the stored state", error)] };
  }
}

// An object that was of another type: the provider of its new one says what it is now.
async function readMoved(
  object: ObjectState,
  from: NonNullable<ObjectState["movedFrom"]>,
  address: InstanceAddress,
  schema: Schema,
  provider: Provider,
): Promise<ReadObject> {
  const nothing = nullValue(impliedType(schema.block));
  const { attributes } = object;
  const source = parseProviderConfigAddress(from.provider)?.source;
  try {
    const answer = await provider.moveResourceState({
      sourceProvider: source ? providerSourceText(source) : from.provider,
      sourceType: from.type,
      sourceVersion: object.schemaVersion,
      sourceJson: storedJson(attributes),
      sourcePrivate: object.private,
      ...(object.identity
        ? { sourceIdentity: { version: object.identity.schemaVersion, json: object.identity.json } }
        : {}),
      targetType: address.resource.type,
    });
    const diagnostics = providerDiagnostics(answer.diagnostics, address.text);
    if (diagnostics.some((d) => d.severity === "error")) return { value: nothing, diagnostics };
    if (!isNull(answer.target)) {
      const value = markStored(answer.target, schema.block, []);
      return { value, ...(answer.identity ? { identity: answer.identity } : {}), diagnostics };
    }
    const detail = `The provider of ${address.text} gave no object for one of type ${from.type} that was moved there. This is a bug in the provider.`;
    const place = { address: address.text };
    return { value: nothing, diagnostics: [...diagnostics, errorDiagnostic("Move failed", detail, place)] };
  } catch (error) {
    return { value: nothing, diagnostics: [providerDied(address.text, "taking over a moved object", error)] };
  }
}

function storedJson(attributes: ObjectState["attributes"]): string {
  switch (attributes.form) {
    case "json":
      return attributes.text;
    case "flat":
      return JSON.stringify(attributes.flat);
    case "value":
      return encodeJson(attributes.value, attributes.type);
  }
}

/** What is said when a provider's call was rejected: it died, or cannot be reached. */
export function providerDied(address: string, doing: string, error: unknown): Diagnostic {
  return errorDiagnostic(
    "Provider did not answer",
    `The provider of ${address} failed while ${doing}: ${asSentence(messageOf(error))} What is stored was left as it was; a plan shows what is there now.`,
    { address, code: "provider-died" },
  );
}

/** The object as it is stored: without marks, and with the paths that were sensitive. */
export function storedObject(
  given: Value,
  schema: Schema,
  kept: Pick<
    ObjectState,
    "status" | "private" | "dependencies" | "createBeforeDestroy" | "preventDestroy" | "identity"
  >,
): ObjectState {
  // Whatever a provider gives back of a write-only argument is not kept; those who read its answers complain of it.
  const value = withoutWrittenBack(given, writtenBack(given, schema.block));
  const { status, dependencies, createBeforeDestroy, preventDestroy } = kept;
  const protection = preventDestroy ? { preventDestroy } : {};
  const common = { status, schemaVersion: schema.version, private: kept.private, dependencies, createBeforeDestroy };
  const identity = kept.identity && schema.identity ? { identity: kept.identity } : {};
  const parts = { ...common, ...protection, ...identity };
  const type = impliedType(schema.block);
  if (!isMarkedDeep(value)) return { ...parts, attributes: { form: "value", value, type }, sensitivePaths: [] };
  const [bare, marks] = unmarkDeepWithPaths(value);
  const sensitivePaths = marks.filter((entry) => entry.marks.has(sensitive)).map((entry) => entry.path);
  return { ...parts, attributes: { form: "value", value: bare, type }, sensitivePaths };
}

function markStored(value: Value, schema: BlockSchema, paths: readonly Path[]): Value {
  const marked =
    paths.length === 0
      ? value
      : markWithPaths(
          value,
          paths.map((path) => ({ path, marks: new Set([sensitive]) })),
        );
  return markSensitive(marked, schema);
}

/** The value with every attribute marked that the schema says is sensitive. */
export function markSensitive(value: Value, schema: BlockSchema): Value {
  if (!hasSensitive(schema) || isNull(value) || !isKnown(value)) return value;
  const data = new Map<string, Value>();
  for (const [name, inner] of asMap(value)) {
    const attribute = schema.attributes.get(name);
    const block = schema.blocks.get(name);
    data.set(
      name,
      attribute ? markAttribute(inner, attribute) : block ? markElements(inner, block.block, block.nesting) : inner,
    );
  }
  return { type: value.type, data, marks: value.marks };
}

function markAttribute(value: Value, schema: AttributeSchema): Value {
  if (schema.sensitive) return mark(value, sensitive);
  if (!schema.nested) return value;
  return markElements(value, { attributes: schema.nested.attributes, blocks: new Map() }, schema.nested.nesting);
}

function markElements(value: Value, schema: BlockSchema, nesting: "single" | "group" | "list" | "set" | "map"): Value {
  if (!hasSensitive(schema) || isNull(value) || !isKnown(value)) return value;
  if (nesting === "single" || nesting === "group") return markSensitive(value, schema);
  // Elements of a set cannot be marked one by one: the whole set is.
  if (nesting === "set") return asArray(value).length === 0 ? value : mark(value, sensitive);
  if (nesting === "list") {
    return {
      type: value.type,
      data: asArray(value).map((element) => markSensitive(element, schema)),
      marks: value.marks,
    };
  }
  const data = new Map([...asMap(value)].map(([key, element]) => [key, markSensitive(element, schema)] as const));
  return { type: value.type, data, marks: value.marks };
}

const sensitiveMemo = new WeakMap<BlockSchema, boolean>();

function hasSensitive(schema: BlockSchema): boolean {
  let has = sensitiveMemo.get(schema);
  if (has === undefined) {
    has =
      [...schema.attributes.values()].some(
        (a) => a.sensitive || (a.nested && hasSensitive({ attributes: a.nested.attributes, blocks: new Map() })),
      ) || [...schema.blocks.values()].some((b) => hasSensitive(b.block));
    sensitiveMemo.set(schema, has);
  }
  return has;
}

/**
 * Re-applies the marks that `config` has at paths that are in `value` too, and the schema's. Ephemeral values are not among
 * them: where the configuration has one is a write-only argument, of which an object knows nothing.
 */
export function markLike(value: Value, config: Value, schema: BlockSchema): Value {
  if (isNull(value) || !isMarkedDeep(config)) return markSensitive(value, schema);
  const [, marks] = unmarkDeepWithPaths(config);
  const kept = marks.filter((entry) => !entry.marks.has(ephemeral));
  return markSensitive(markWithPaths(value, kept), schema);
}

/** Where an id is shown in progress lines: the attribute `id`, else `name`, of a known object, unless it is sensitive. */
export function shownId(value: Value): string | undefined {
  if (isNull(value) || !isKnown(value) || !(value.data instanceof Map)) return undefined;
  for (const name of ["id", "name"]) {
    const attribute = asMap(value).get(name);
    if (attribute && typeof attribute.data === "string" && attribute.marks.size === 0 && value.marks.size === 0)
      return `${name}=${attribute.data}`;
  }
  return undefined;
}
