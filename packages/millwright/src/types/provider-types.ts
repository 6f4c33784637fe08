import type {
  AttributeSchema,
  BlockSchema,
  NestedBlockSchema,
  ProviderSchema,
  Schema,
} from "@millwright/provider/schema";
import { assertNever } from "@millwright/core/errors";
import type { Type } from "@millwright/value/types";

/** The declarations of a provider's resources and data sources for TypeScript, as the text of a `.d.ts` file. */
export function providerTypes(schema: ProviderSchema): string {
  return [
    'import type { AnyInput, Blocks, Input, NestedBlocks, Untyped } from "millwright";',
    "",
    'declare module "millwright" {',
    ...table("ResourceTypes", schema.resources),
    ...table("DataTypes", schema.dataSources),
    "}",
    "",
  ].join("\n");
}

function table(name: string, schemas: ReadonlyMap<string, Schema>): string[] {
  if (schemas.size === 0) return [];
  const entries = [...schemas].flatMap(([type, { block }]) => [
    ...comment(block, "    "),
    `    ${key(type)}: {`,
    `      arguments: ${blockArguments(block, "      ")};`,
    `      attributes: ${blockAttributes(block, "      ")};`,
    "    };",
  ]);
  return [`  interface ${name} {`, ...entries, "  }"];
}

// What is written: computed attributes cannot be, and what is not required may be left out.
function blockArguments(block: BlockSchema, indent: string): string {
  const inner = `${indent}  `;
  const lines: string[] = [];
  for (const [name, attribute] of block.attributes) {
    if (!attribute.required && !attribute.optional) continue;
    lines.push(
      ...comment(attribute, inner),
      `${inner}${key(name)}${attribute.required ? "" : "?"}: ${argumentType(attribute)};`,
    );
  }
  for (const [name, nested] of block.blocks) {
    const optional = nested.minItems === 0 ? "?" : "";
    lines.push(...comment(nested.block, inner), `${inner}${key(name)}${optional}: ${nestedArguments(nested, inner)};`);
  }
  return braces(lines, indent);
}

function argumentType(attribute: AttributeSchema): string {
  const type = attributeType(attribute, "configured");
  const wanted = type === "Untyped" ? "AnyInput" : `Input<${type.replaceAll("Untyped", "AnyInput")}>`;
  return attribute.required ? wanted : `${wanted} | null`;
}

function nestedArguments({ nesting, block }: NestedBlockSchema, indent: string): string {
  const one = blockArguments(block, indent);
  switch (nesting) {
    case "single":
    case "group":
      return `${one} | Blocks<${one}>`;
    case "list":
    case "set":
      return `NestedBlocks<${one}>`;
    case "map":
      return `Readonly<Record<string, ${one}>>`;
    default:
      return assertNever(nesting);
  }
}

// What can be read: everything.
function blockAttributes(block: BlockSchema, indent: string): string {
  const inner = `${indent}  `;
  const lines: string[] = [];
  for (const [name, attribute] of block.attributes) {
    lines.push(...comment(attribute, inner), `${inner}${key(name)}: ${attributeType(attribute, "read")};`);
  }
  for (const [name, { nesting, block: nested }] of block.blocks) {
    const one = blockAttributes(nested, inner);
    const isSingle = nesting === "single" || nesting === "group";
    const type = isSingle ? one : nesting === "map" ? `Readonly<Record<string, ${one}>>` : `(${one})[]`;
    lines.push(`${inner}${key(name)}: ${type};`);
  }
  return braces(lines, indent);
}

type Use = "configured" | "read";

function attributeType({ type, nested }: AttributeSchema, use: Use): string {
  if (!nested) return type ? typeText(type) : "Untyped";
  const attributes = [...nested.attributes].filter(([, inner]) => use === "read" || inner.required || inner.optional);
  const parts = attributes.map(([name, inner]) => {
    const optional = use === "configured" && !inner.required ? "?" : "";
    return `${key(name)}${optional}: ${attributeType(inner, use)}`;
  });
  const one = `{ ${parts.join("; ")} }`;
  if (nested.nesting === "single") return one;
  return nested.nesting === "map" ? `Readonly<Record<string, ${one}>>` : `(${one})[]`;
}

/** A type as TypeScript has it. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "string":
    case "number":
      return type.kind;
    case "bool":
      return "boolean";
    case "dynamic":
    case "capsule":
      return "Untyped";
    case "list":
    case "set":
      return `(${typeText(type.element)})[]`;
    case "map":
      return `Readonly<Record<string, ${typeText(type.element)}>>`;
    case "tuple":
      return `[${type.elements.map(typeText).join(", ")}]`;
    case "object": {
      const parts = [...type.attributes].map(
        ([name, inner]) => `${key(name)}${type.optional.has(name) ? "?" : ""}: ${typeText(inner)}`,
      );
      return `{ ${parts.join("; ")} }`;
    }
    default:
      return assertNever(type);
  }
}

function braces(lines: readonly string[], indent: string): string {
  return lines.length === 0 ? "{}" : ["{", ...lines, `${indent}}`].join("\n");
}

/** What is said of something, as a comment above it. */
export function comment(
  { description, deprecated }: { readonly description?: string; readonly deprecated?: boolean },
  indent: string,
): string[] {
  const text = [...(description ? description.trim().split("\n") : []), ...(deprecated ? ["@deprecated"] : [])];
  if (text.length === 0) return [];
  const safe = text.map((line) => line.replaceAll("*/", "*\\/").trimEnd());
  return safe.length === 1
    ? [`${indent}/** ${safe[0]} */`]
    : [`${indent}/**`, ...safe.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** A name as the key of an object type. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
