import {
  attributePath,
  clientCapabilities,
  deferred,
  diagnostic,
  dynamicValue,
  functionError,
  functionMessage,
  identityData,
  identitySchema,
  rawState,
  serverCapabilities,
  timestamp,
} from "./common.ts";
import type { FieldTable, MessageOf, MessageType } from "./message.ts";
import { asBytes, bytes, entries, int64, maybe, message, nested, repeated, text, bool } from "./message.ts";
import type { ProtocolVersion } from "./schema-messages.ts";

const typeNamed = message("Metadata", { typeName: text(1) });
const functionNamed = message("FunctionMetadata", { name: text(1) });

const importedResource = message("ImportResourceState.ImportedResource", {
  typeName: text(1),
  state: nested(2, () => dynamicValue),
  private: bytes(3),
  identity: nested(4, () => identityData),
});

/**
 * The calls of a provider. Each has one table for both versions of the protocol, which differ in names and in schemas alone.
 * Schemas stay bytes here, as a large provider has megabytes of them and a run needs few:
 * `schemaMessage(version)` decodes and encodes them.
 * Source: the published definitions of tfplugin5.10 and tfplugin6.10.
 */
export const calls = {
  getMetadata: call(
    "GetMetadata",
    "GetMetadata",
    {},
    {
      serverCapabilities: nested(1, () => serverCapabilities),
      diagnostics: repeated(2, () => diagnostic),
      dataSources: repeated(3, () => typeNamed),
      resources: repeated(4, () => typeNamed),
      functions: repeated(5, () => functionNamed),
      ephemeralResources: repeated(6, () => typeNamed),
    },
  ),
  getProviderSchema: call(
    "GetSchema",
    "GetProviderSchema",
    {},
    {
      provider: nested(1, () => asBytes),
      resourceSchemas: entries(2, () => asBytes),
      dataSourceSchemas: entries(3, () => asBytes),
      functions: entries(7, () => asBytes),
      ephemeralResourceSchemas: entries(8, () => asBytes),
      diagnostics: repeated(4, () => diagnostic),
      providerMeta: nested(5, () => asBytes),
      serverCapabilities: nested(6, () => serverCapabilities),
    },
  ),
  getResourceIdentitySchemas: call(
    "GetResourceIdentitySchemas",
    "GetResourceIdentitySchemas",
    {},
    { identitySchemas: entries(1, () => identitySchema), diagnostics: repeated(2, () => diagnostic) },
  ),
  validateProviderConfig: call(
    "PrepareProviderConfig",
    "ValidateProviderConfig",
    { config: nested(1, () => dynamicValue) },
    // The prepared config is version 5's alone; nobody sends one in version 6.
    { preparedConfig: nested(1, () => dynamicValue), diagnostics: repeated(2, () => diagnostic) },
  ),
  validateResourceConfig: call(
    "ValidateResourceTypeConfig",
    "ValidateResourceConfig",
    {
      typeName: text(1),
      config: nested(2, () => dynamicValue),
      clientCapabilities: nested(3, () => clientCapabilities),
    },
    { diagnostics: repeated(1, () => diagnostic) },
  ),
  validateDataConfig: call(
    "ValidateDataSourceConfig",
    "ValidateDataResourceConfig",
    { typeName: text(1), config: nested(2, () => dynamicValue) },
    { diagnostics: repeated(1, () => diagnostic) },
  ),
  validateEphemeralConfig: call(
    "ValidateEphemeralResourceConfig",
    "ValidateEphemeralResourceConfig",
    { typeName: text(1), config: nested(2, () => dynamicValue) },
    { diagnostics: repeated(1, () => diagnostic) },
  ),
  upgradeResourceState: call(
    "UpgradeResourceState",
    "UpgradeResourceState",
    { typeName: text(1), version: int64(2), rawState: nested(3, () => rawState) },
    { upgradedState: nested(1, () => dynamicValue), diagnostics: repeated(2, () => diagnostic) },
  ),
  upgradeResourceIdentity: call(
    "UpgradeResourceIdentity",
    "UpgradeResourceIdentity",
    { typeName: text(1), version: int64(2), rawIdentity: nested(3, () => rawState) },
    { upgradedIdentity: nested(1, () => identityData), diagnostics: repeated(2, () => diagnostic) },
  ),
  configureProvider: call(
    "Configure",
    "ConfigureProvider",
    {
      terraformVersion: text(1),
      config: nested(2, () => dynamicValue),
      clientCapabilities: nested(3, () => clientCapabilities),
    },
    { diagnostics: repeated(1, () => diagnostic) },
  ),
  readResource: call(
    "ReadResource",
    "ReadResource",
    {
      typeName: text(1),
      currentState: nested(2, () => dynamicValue),
      private: bytes(3),
      providerMeta: nested(4, () => dynamicValue),
      clientCapabilities: nested(5, () => clientCapabilities),
      currentIdentity: nested(6, () => identityData),
    },
    {
      newState: nested(1, () => dynamicValue),
      diagnostics: repeated(2, () => diagnostic),
      private: bytes(3),
      deferred: nested(4, () => deferred),
      newIdentity: nested(5, () => identityData),
    },
  ),
  planResourceChange: call(
    "PlanResourceChange",
    "PlanResourceChange",
    {
      typeName: text(1),
      priorState: nested(2, () => dynamicValue),
      proposedNewState: nested(3, () => dynamicValue),
      config: nested(4, () => dynamicValue),
      priorPrivate: bytes(5),
      providerMeta: nested(6, () => dynamicValue),
      clientCapabilities: nested(7, () => clientCapabilities),
      priorIdentity: nested(8, () => identityData),
    },
    {
      plannedState: nested(1, () => dynamicValue),
      requiresReplace: repeated(2, () => attributePath),
      plannedPrivate: bytes(3),
      diagnostics: repeated(4, () => diagnostic),
      legacyTypeSystem: bool(5),
      deferred: nested(6, () => deferred),
      plannedIdentity: nested(7, () => identityData),
    },
  ),
  applyResourceChange: call(
    "ApplyResourceChange",
    "ApplyResourceChange",
    {
      typeName: text(1),
      priorState: nested(2, () => dynamicValue),
      plannedState: nested(3, () => dynamicValue),
      config: nested(4, () => dynamicValue),
      plannedPrivate: bytes(5),
      providerMeta: nested(6, () => dynamicValue),
      plannedIdentity: nested(7, () => identityData),
    },
    {
      newState: nested(1, () => dynamicValue),
      private: bytes(2),
      diagnostics: repeated(3, () => diagnostic),
      legacyTypeSystem: bool(4),
      newIdentity: nested(5, () => identityData),
    },
  ),
  importResourceState: call(
    "ImportResourceState",
    "ImportResourceState",
    {
      typeName: text(1),
      id: text(2),
      clientCapabilities: nested(3, () => clientCapabilities),
      identity: nested(4, () => identityData),
    },
    {
      importedResources: repeated(1, () => importedResource),
      diagnostics: repeated(2, () => diagnostic),
      deferred: nested(3, () => deferred),
    },
  ),
  moveResourceState: call(
    "MoveResourceState",
    "MoveResourceState",
    {
      sourceProviderAddress: text(1),
      sourceTypeName: text(2),
      sourceSchemaVersion: int64(3),
      sourceState: nested(4, () => rawState),
      targetTypeName: text(5),
      sourcePrivate: bytes(6),
      sourceIdentity: nested(7, () => rawState),
      sourceIdentitySchemaVersion: int64(8),
    },
    {
      targetState: nested(1, () => dynamicValue),
      diagnostics: repeated(2, () => diagnostic),
      targetPrivate: bytes(3),
      targetIdentity: nested(4, () => identityData),
    },
  ),
  readDataSource: call(
    "ReadDataSource",
    "ReadDataSource",
    {
      typeName: text(1),
      config: nested(2, () => dynamicValue),
      providerMeta: nested(3, () => dynamicValue),
      clientCapabilities: nested(4, () => clientCapabilities),
    },
    {
      state: nested(1, () => dynamicValue),
      diagnostics: repeated(2, () => diagnostic),
      deferred: nested(3, () => deferred),
    },
  ),
  openEphemeralResource: call(
    "OpenEphemeralResource",
    "OpenEphemeralResource",
    {
      typeName: text(1),
      config: nested(2, () => dynamicValue),
      clientCapabilities: nested(3, () => clientCapabilities),
    },
    {
      diagnostics: repeated(1, () => diagnostic),
      renewAt: nested(2, () => timestamp),
      result: nested(3, () => dynamicValue),
      private: maybe(bytes(4)),
      deferred: nested(5, () => deferred),
    },
  ),
  renewEphemeralResource: call(
    "RenewEphemeralResource",
    "RenewEphemeralResource",
    { typeName: text(1), private: maybe(bytes(2)) },
    {
      diagnostics: repeated(1, () => diagnostic),
      renewAt: nested(2, () => timestamp),
      private: maybe(bytes(3)),
    },
  ),
  closeEphemeralResource: call(
    "CloseEphemeralResource",
    "CloseEphemeralResource",
    { typeName: text(1), private: maybe(bytes(2)) },
    { diagnostics: repeated(1, () => diagnostic) },
  ),
  getFunctions: call(
    "GetFunctions",
    "GetFunctions",
    {},
    { functions: entries(1, () => functionMessage), diagnostics: repeated(2, () => diagnostic) },
  ),
  callFunction: call(
    "CallFunction",
    "CallFunction",
    { name: text(1), arguments: repeated(2, () => dynamicValue) },
    { result: nested(1, () => dynamicValue), error: nested(2, () => functionError) },
  ),
  stopProvider: call("Stop", "StopProvider", {}, { error: text(1) }),
};

export type CallName = keyof typeof calls;
export type RequestOf<N extends CallName> = MessageOf<(typeof calls)[N]["request"]>;
export type ResponseOf<N extends CallName> = MessageOf<(typeof calls)[N]["response"]>;

/** One call: what both versions call it, and its two messages. */
export interface WireCall<Q, R> {
  readonly names: { readonly 5: string; readonly 6: string };
  readonly request: MessageType<Q>;
  readonly response: MessageType<R>;
}

/** `/tfplugin5.Provider/GetSchema`. */
export function callPath(version: ProtocolVersion, name: CallName): string {
  return `/tfplugin${version}.Provider/${calls[name].names[version]}`;
}

export const callNames = Object.keys(calls) as readonly CallName[];

function call<Q extends object, R extends object>(
  name5: string,
  name6: string,
  request: FieldTable<Q>,
  response: FieldTable<R>,
): WireCall<Q, R> {
  return {
    names: { 5: name5, 6: name6 },
    request: message(`${name6}.Request`, request),
    response: message(`${name6}.Response`, response),
  };
}
