import type {
  AttributeSchema,
  BlockSchema,
  NestedAttributeSchema,
  NestedBlockSchema,
  Schema,
} from "@millwright/provider/schema";
import type { Type } from "@millwright/value/types";
import { typeFromJson, typeToJson } from "@millwright/value/type-json";
import type { Draft } from "./message.ts";
import { MalformedMessage } from "./protobuf-reader.ts";
import type {
  AttributeMessage,
  BlockMessage,
  NestedBlockMessage,
  NestedTypeMessage,
  ProtocolVersion,
  SchemaMessage,
} from "./schema-messages.ts";
import { schemaMessage } from "./schema-messages.ts";

/** A schema of its bytes. Throws {@link MalformedMessage}. */
export function decodeSchema(version: ProtocolVersion, bytes: Uint8Array): Schema {
  const decoded = schemaMessage(version).decode(bytes);
  return { version: decoded.version, block: decoded.block ? fromBlock(decoded.block) : emptyBlock };
}

/** The bytes of a schema. Version 5 has no nested attributes: a schema with one is a {@link MalformedMessage} there. */
export function encodeSchema(version: ProtocolVersion, schema: Schema): Uint8Array {
  const draft: Draft<SchemaMessage> = { version: schema.version, block: toBlock(schema.block, schema.version) };
  if (version === 5 && hasNestedAttributes(schema.block))
    throw new MalformedMessage("version 5 of the protocol has no attributes with attributes inside");
  return schemaMessage(version).encode(draft);
}

const emptyBlock: BlockSchema = { attributes: new Map(), blocks: new Map() };

/** A type of its JSON text. Throws {@link MalformedMessage}. */
export function typeOfBytes(bytes: Uint8Array): Type {
  const type = typeFromJson(Buffer.from(bytes).toString());
  if (!type) throw new MalformedMessage("a type is not one that there is");
  return type;
}

export function typeBytes(type: Type): Uint8Array {
  return Buffer.from(typeToJson(type));
}

function fromBlock(block: BlockMessage): BlockSchema {
  return {
    attributes: new Map(block.attributes.map((attribute) => [attribute.name, fromAttribute(attribute)])),
    blocks: new Map(block.blockTypes.map((nested) => [nested.typeName, fromNestedBlock(nested)])),
    ...described(block),
    ...(block.deprecated ? { deprecated: true } : {}),
  };
}

function fromAttribute(attribute: AttributeMessage): AttributeSchema {
  const { nestedType, required, optional, computed, sensitive, writeOnly, deprecated } = attribute;
  return {
    ...(nestedType ? { nested: fromNestedType(nestedType) } : { type: typeOfBytes(attribute.type) }),
    ...(required ? { required } : {}),
    ...(optional ? { optional } : {}),
    ...(computed ? { computed } : {}),
    ...(sensitive ? { sensitive } : {}),
    ...(writeOnly ? { writeOnly } : {}),
    ...(deprecated ? { deprecated } : {}),
    ...described(attribute),
  };
}

function fromNestedType({ attributes, nesting }: NestedTypeMessage): NestedAttributeSchema {
  if (nesting === "invalid") throw new MalformedMessage("a nested attribute does not say how it is nested");
  return { nesting, attributes: new Map(attributes.map((attribute) => [attribute.name, fromAttribute(attribute)])) };
}

function fromNestedBlock({ typeName, block, nesting, minItems, maxItems }: NestedBlockMessage): NestedBlockSchema {
  if (nesting === "invalid") throw new MalformedMessage(`the block ${typeName} does not say how it is nested`);
  return { nesting, block: block ? fromBlock(block) : emptyBlock, minItems, maxItems };
}

function described({ description, descriptionKind }: { description: string; descriptionKind: "plain" | "markdown" }) {
  return description === "" ? {} : { description, descriptionKind };
}

function toBlock(block: BlockSchema, version = 0): Draft<BlockMessage> {
  return {
    version,
    attributes: [...block.attributes].map(([name, attribute]) => toAttribute(name, attribute)),
    blockTypes: [...block.blocks].map(([typeName, nested]) => ({
      typeName,
      block: toBlock(nested.block),
      nesting: nested.nesting,
      minItems: nested.minItems,
      maxItems: nested.maxItems,
    })),
    description: block.description,
    descriptionKind: block.descriptionKind,
    deprecated: block.deprecated,
  };
}

function toAttribute(name: string, attribute: AttributeSchema): Draft<AttributeMessage> {
  const { type, nested, description, descriptionKind, required, optional, computed } = attribute;
  return {
    name,
    ...(nested
      ? {
          nestedType: {
            nesting: nested.nesting,
            attributes: [...nested.attributes].map(([inner, schema]) => toAttribute(inner, schema)),
          },
        }
      : { type: type && typeBytes(type) }),
    description,
    descriptionKind,
    required,
    optional,
    computed,
    sensitive: attribute.sensitive,
    writeOnly: attribute.writeOnly,
    deprecated: attribute.deprecated,
  };
}

/** Whether the block, or one inside it, has attributes with attributes inside: what version 5 cannot say. */
export function hasNestedAttributes(block: BlockSchema): boolean {
  const own = [...block.attributes.values()].some((attribute) => attribute.nested);
  return own || [...block.blocks.values()].some((nested) => hasNestedAttributes(nested.block));
}
