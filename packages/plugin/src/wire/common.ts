import type { MessageOf } from "./message.ts";
import { asText, bool, bytes, entries, int64, maybe, message, nested, oneOf, repeated, text } from "./message.ts";

// The messages that many calls share. They are the same in both versions of the protocol.
// Source of all numbers: the published definitions of tfplugin5.10 and tfplugin6.10.

/** A value: MessagePack, or JSON where that is empty. */
export const dynamicValue = message("DynamicValue", { msgpack: bytes(1), json: bytes(2) });
export type DynamicValueMessage = MessageOf<typeof dynamicValue>;

/** One step; exactly one of the three is there. */
export const attributeStep = message("AttributePath.Step", {
  attributeName: maybe(text(1)),
  elementKeyString: maybe(text(2)),
  elementKeyInt: maybe(int64(3)),
});

export const attributePath = message("AttributePath", { steps: repeated(1, () => attributeStep) });
export type AttributePathMessage = MessageOf<typeof attributePath>;

export const diagnostic = message("Diagnostic", {
  severity: oneOf(1, ["invalid", "error", "warning"]),
  summary: text(2),
  detail: text(3),
  attribute: nested(4, () => attributePath),
});
export type DiagnosticMessage = MessageOf<typeof diagnostic>;

export const functionError = message("FunctionError", { text: text(1), functionArgument: maybe(int64(2)) });

/** A state as a file holds it: JSON, or, in files of before 2019, text by dotted names. */
export const rawState = message("RawState", { json: bytes(1), flatmap: entries(2, () => asText) });

export const identityData = message("ResourceIdentityData", { identityData: nested(1, () => dynamicValue) });
export type IdentityDataMessage = MessageOf<typeof identityData>;

export const identityAttribute = message("ResourceIdentitySchema.IdentityAttribute", {
  name: text(1),
  type: bytes(2),
  requiredForImport: bool(3),
  optionalForImport: bool(4),
  description: text(5),
});

export const identitySchema = message("ResourceIdentitySchema", {
  version: int64(1),
  identityAttributes: repeated(2, () => identityAttribute),
});
export type IdentitySchemaMessage = MessageOf<typeof identitySchema>;

export const serverCapabilities = message("ServerCapabilities", {
  planDestroy: bool(1),
  getProviderSchemaOptional: bool(2),
  moveResourceState: bool(3),
  generateResourceConfig: bool(4),
});

export const clientCapabilities = message("ClientCapabilities", {
  deferralAllowed: bool(1),
  writeOnlyAttributesAllowed: bool(2),
});

export const deferred = message("Deferred", {
  reason: oneOf(1, ["unknown", "resource-config-unknown", "provider-config-unknown", "absent-prerequisite"]),
});
export type DeferredMessage = MessageOf<typeof deferred>;

/** A moment: seconds since 1970, and what is beyond them. */
export const timestamp = message("Timestamp", { seconds: int64(1), nanos: int64(2) });

export const stringKinds = ["plain", "markdown"] as const;

export const functionParameter = message("Function.Parameter", {
  name: text(1),
  type: bytes(2),
  allowNullValue: bool(3),
  allowUnknownValues: bool(4),
  description: text(5),
  descriptionKind: oneOf(6, stringKinds),
});
export type FunctionParameterMessage = MessageOf<typeof functionParameter>;

export const functionReturn = message("Function.Return", { type: bytes(1) });

export const functionMessage = message("Function", {
  parameters: repeated(1, () => functionParameter),
  variadicParameter: nested(2, () => functionParameter),
  return: nested(3, () => functionReturn),
  summary: text(4),
  description: text(5),
  descriptionKind: oneOf(6, stringKinds),
  deprecationMessage: text(7),
});
export type FunctionMessage = MessageOf<typeof functionMessage>;
