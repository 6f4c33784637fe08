import { isKind } from "@millwright/core/errors";
import type { FunctionSchema, IdentitySchema, ProviderSchema, Schema } from "@millwright/provider/schema";
import type { ResponseOf } from "../wire/calls.ts";
import { functionMessage } from "../wire/common.ts";
import { fromDiagnosticMessages } from "../wire/diagnostics.ts";
import { fromFunctionMessage } from "../wire/functions.ts";
import { fromIdentitySchemaMessage } from "../wire/identity.ts";
import { decodeSchema } from "../wire/schema.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import type { PluginConnection } from "./connection.ts";
import { pluginErrors } from "./errors.ts";
import { LazyMap } from "./lazy-map.ts";
import { OperationalError } from "@millwright/core/errors";

/**
 * Asks a provider for its schemas. They are kept as they came, and each is decoded when it is first asked for: the largest
 * provider has thousands, and a run needs a few.
 */
export async function readSchema(connection: PluginConnection): Promise<ProviderSchema> {
  const { version } = connection;
  const answer = await connection.call("getProviderSchema", {});
  const wrong = fromDiagnosticMessages(answer.diagnostics).find(({ severity }) => severity === "error");
  if (wrong) throw new OperationalError(pluginErrors.callFailed, `${wrong.summary}: ${wrong.detail}`);
  const functions = answer.functions.size > 0 ? lazyFunctions(answer.functions) : await functionsOf(connection);
  return {
    provider: answer.provider ? decodeSchema(version, answer.provider) : emptySchema,
    ...providerMetaOf(version, answer),
    resources: withIdentities(lazySchemas(version, answer.resourceSchemas), await identitiesOf(connection)),
    dataSources: lazySchemas(version, answer.dataSourceSchemas),
    ephemeralResources: lazySchemas(version, answer.ephemeralResourceSchemas),
    functions,
    capabilities: {
      planDestroy: answer.serverCapabilities?.planDestroy ?? false,
      schemaOptional: answer.serverCapabilities?.getProviderSchemaOptional ?? false,
      moveResourceState: answer.serverCapabilities?.moveResourceState ?? false,
    },
  };
}

const emptySchema: Schema = { version: 0, block: { attributes: new Map(), blocks: new Map() } };

function providerMetaOf(version: ProtocolVersion, { providerMeta }: ResponseOf<"getProviderSchema">) {
  const schema = providerMeta && decodeSchema(version, providerMeta);
  // A provider without one may answer with an empty schema.
  return schema && (schema.block.attributes.size > 0 || schema.block.blocks.size > 0) ? { providerMeta: schema } : {};
}

function lazySchemas(version: ProtocolVersion, raw: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Schema> {
  return new LazyMap(raw, (bytes) => decodeSchema(version, bytes));
}

function withIdentities(
  schemas: ReadonlyMap<string, Schema>,
  identities: ReadonlyMap<string, IdentitySchema>,
): ReadonlyMap<string, Schema> {
  if (identities.size === 0) return schemas;
  return new LazyMap(schemas, (schema, type) => {
    const identity = identities.get(type);
    return identity ? { ...schema, identity } : schema;
  });
}

function lazyFunctions(raw: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, FunctionSchema> {
  return new LazyMap(raw, (bytes) => fromFunctionMessage(functionMessage.decode(bytes)));
}

/** Functions that are told by a call of their own. */
async function functionsOf(connection: PluginConnection): Promise<ReadonlyMap<string, FunctionSchema>> {
  const answer = await ifKnown(connection.call("getFunctions", {}));
  return new Map([...(answer?.functions ?? [])].map(([name, signature]) => [name, fromFunctionMessage(signature)]));
}

async function identitiesOf(connection: PluginConnection): Promise<ReadonlyMap<string, IdentitySchema>> {
  const answer = await ifKnown(connection.call("getResourceIdentitySchemas", {}));
  return new Map([...(answer?.identitySchemas ?? [])].map(([type, m]) => [type, fromIdentitySchemaMessage(m)]));
}

/** What an optional call answers; undefined of a provider that is older than it. */
export async function ifKnown<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isKind(error, pluginErrors.unknownCall)) return undefined;
    throw error;
  }
}
