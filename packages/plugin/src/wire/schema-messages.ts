import { stringKinds } from "./common.ts";
import type { MessageType } from "./message.ts";
import { bool, bytes, int64, message, nested, notThere, oneOf, repeated, text } from "./message.ts";

/** A version of the plugin protocol. */
export type ProtocolVersion = 5 | 6;

export interface SchemaMessage {
  version: number;
  block: BlockMessage | undefined;
}

export interface BlockMessage {
  version: number;
  attributes: readonly AttributeMessage[];
  blockTypes: readonly NestedBlockMessage[];
  description: string;
  descriptionKind: "plain" | "markdown";
  deprecated: boolean;
  deprecationMessage: string;
}

export interface AttributeMessage {
  name: string;
  /** As JSON; empty where `nestedType` says it. */
  type: Uint8Array;
  nestedType: NestedTypeMessage | undefined;
  description: string;
  required: boolean;
  optional: boolean;
  computed: boolean;
  sensitive: boolean;
  descriptionKind: "plain" | "markdown";
  deprecated: boolean;
  writeOnly: boolean;
  deprecationMessage: string;
}

export interface NestedTypeMessage {
  attributes: readonly AttributeMessage[];
  nesting: "invalid" | "single" | "list" | "set" | "map";
}

export interface NestedBlockMessage {
  typeName: string;
  block: BlockMessage | undefined;
  nesting: "invalid" | "single" | "list" | "set" | "map" | "group";
  minItems: number;
  maxItems: number;
}

/** The message of a schema; version 6 has attributes with attributes inside, so the numbers behind them differ. */
export function schemaMessage(version: ProtocolVersion): MessageType<SchemaMessage> {
  return version === 5 ? schemas5 : schemas6;
}

const schemas5 = makeSchemaMessage(5);
const schemas6 = makeSchemaMessage(6);

function makeSchemaMessage(version: ProtocolVersion): MessageType<SchemaMessage> {
  const isNested = version === 6;
  const attribute: MessageType<AttributeMessage> = message<AttributeMessage>("Schema.Attribute", {
    name: text(1),
    type: bytes(2),
    nestedType: isNested ? nested(10, () => nestedType) : notThere(undefined),
    description: text(3),
    required: bool(4),
    optional: bool(5),
    computed: bool(6),
    sensitive: bool(7),
    descriptionKind: oneOf(8, stringKinds),
    deprecated: bool(9),
    writeOnly: bool(isNested ? 11 : 10),
    deprecationMessage: text(isNested ? 12 : 11),
  });
  const nestedType: MessageType<NestedTypeMessage> = message<NestedTypeMessage>("Schema.Object", {
    attributes: repeated(1, () => attribute),
    nesting: oneOf(3, ["invalid", "single", "list", "set", "map"]),
  });
  const block: MessageType<BlockMessage> = message<BlockMessage>("Schema.Block", {
    version: int64(1),
    attributes: repeated(2, () => attribute),
    blockTypes: repeated(3, () => nestedBlock),
    description: text(4),
    descriptionKind: oneOf(5, stringKinds),
    deprecated: bool(6),
    deprecationMessage: text(7),
  });
  const nestedBlock: MessageType<NestedBlockMessage> = message<NestedBlockMessage>("Schema.NestedBlock", {
    typeName: text(1),
    block: nested(2, () => block),
    nesting: oneOf(3, ["invalid", "single", "list", "set", "map", "group"]),
    minItems: int64(4),
    maxItems: int64(5),
  });
  return message<SchemaMessage>("Schema", { version: int64(1), block: nested(2, () => block) });
}
