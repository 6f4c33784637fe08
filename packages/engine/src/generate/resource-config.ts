import { formatText } from "@millwright/hcl/format-file";
import { writeValue } from "@millwright/hcl/write-value";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { decodeImplied } from "@millwright/value/json";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, isNull, isWhollyKnown, sensitive, unmarkDeep } from "@millwright/value/value";
import type { ResourceAddress } from "../addresses.ts";

/**
 * A `resource` block that gives an object as it is: every argument that may be written, null where it has none; what is
 * sensitive is left for people to fill in. Formatted, without a line end behind it.
 */
export function resourceConfig(
  address: ResourceAddress,
  object: Value,
  schema: BlockSchema,
  provider?: string,
): string {
  const header = `resource ${JSON.stringify(address.type)} ${JSON.stringify(address.name)} {`;
  const lines = [
    header,
    ...(provider === undefined ? [] : [`provider = ${provider}`]),
    ...blockLines(object, schema, 0),
    "}",
  ];
  const { value } = formatText("generated.tf", `${lines.join("\n")}\n`);
  return value.trimEnd();
}

function blockLines(object: Value, schema: BlockSchema, depth: number): string[] {
  const lines: string[] = [];
  const values = asMap(unmarkDeep(object)[0]);
  const marked = object.data instanceof Map ? asMap(object) : values;
  for (const [name, attribute] of sorted(schema.attributes)) {
    if (!isWritten(name, attribute, depth)) continue;
    const value = values.get(name);
    if (value === undefined) continue;
    if (attribute.sensitive || marked.get(name)?.marks.has(sensitive)) {
      const mark = attribute.required ? "# sensitive, and required" : "# sensitive";
      lines.push(`${name} = null ${mark}`);
    } else lines.push(`${name} = ${attributeText(value, attribute)}`);
  }
  for (const [name, block] of sorted(schema.blocks)) {
    const value = values.get(name);
    if (value) lines.push(...nestedLines(name, value, block, depth));
  }
  return lines;
}

// What is deprecated, or only ever filled in by the provider, is not for people to write; nor is the id of old providers.
function isWritten(name: string, attribute: AttributeSchema, depth: number): boolean {
  if (attribute.deprecated) return false;
  if (!attribute.required && !attribute.optional) return false;
  return !(depth === 0 && name === "id" && attribute.computed);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function nestedLines(name: string, value: Value, { nesting, block }: NestedBlockSchema, depth: number): string[] {
  if (isNull(value) || !isWhollyKnown(value)) return [];
  const one = (label: string, element: Value) => [`${name}${label} {`, ...blockLines(element, block, depth + 1), "}"];
  if (nesting === "single" || nesting === "group") return one("", value);
  if (nesting === "map") return [...asMap(value)].flatMap(([key, element]) => one(` ${JSON.stringify(key)}`, element));
  return asArray(value).flatMap((element) => one("", element));
}

function attributeText(value: Value, { nested, writeOnly }: AttributeSchema): string {
  if (writeOnly || isNull(value) || !isWhollyKnown(value)) return "null";
  if (!nested) return valueText(value);
  const schema = { attributes: nested.attributes, blocks: new Map() };
  const one = (element: Value) => (isNull(element) ? "null" : `{\n${blockLines(element, schema, 1).join("\n")}\n}`);
  if (nested.nesting === "single") return one(value);
  if (nested.nesting !== "map") return `[${asArray(value).map(one).join(", ")}]`;
  const entries = [...asMap(value)].map(([key, element]) => `${JSON.stringify(key)} = ${one(element)}`);
  return `{\n${entries.join("\n")}\n}`;
}

// A JSON document reads better as what it stands for.
function valueText(value: Value): string {
  const document = typeof value.data === "string" ? jsonDocument(value.data) : undefined;
  return document ? `jsonencode(${writeValue(document)})` : writeValue(value);
}

function jsonDocument(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const decoded = decodeImplied(text);
  return decoded.ok ? decoded.value : undefined;
}
