import type { ProviderDiagnostics } from "@millwright/provider/protocol";
import type { BlockSchema, ProviderSchema, Schema } from "@millwright/provider/schema";
import { functionMessage } from "../wire/common.ts";
import { toDiagnosticMessages } from "../wire/diagnostics.ts";
import { toFunctionMessage } from "../wire/functions.ts";
import { toIdentitySchemaMessage } from "../wire/identity.ts";
import { encodeSchema } from "../wire/schema.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import type { KnownTypes } from "./known-types.ts";
import type { CallGroup } from "./provider-calls.ts";

/** What a host asks before anything else: what there is. */
export function schemaCalls(
  known: () => Promise<KnownTypes>,
  version: ProtocolVersion,
): CallGroup<"getProviderSchema" | "getResourceIdentitySchemas" | "getMetadata" | "getFunctions"> {
  return {
    getProviderSchema: async () => {
      const { schema } = await known();
      const problems = version === 5 ? notInVersion5(schema) : [];
      if (problems.length > 0) return { diagnostics: toDiagnosticMessages(problems) };
      const encodeAll = (all: ReadonlyMap<string, Schema>) => mapped(all, (one) => encodeSchema(version, one));
      return {
        provider: encodeSchema(version, schema.provider),
        resourceSchemas: encodeAll(schema.resources),
        dataSourceSchemas: encodeAll(schema.dataSources),
        ephemeralResourceSchemas: encodeAll(schema.ephemeralResources),
        functions: mapped(schema.functions, (one) => functionMessage.encode(toFunctionMessage(one))),
        ...(schema.providerMeta ? { providerMeta: encodeSchema(version, schema.providerMeta) } : {}),
        serverCapabilities: capabilitiesOf(schema),
      };
    },
    getResourceIdentitySchemas: async () => {
      const { resources } = (await known()).schema;
      const own = [...resources].flatMap(([type, { identity }]) => (identity ? [[type, identity] as const] : []));
      return { identitySchemas: mapped(new Map(own), toIdentitySchemaMessage) };
    },
    getMetadata: async () => {
      const { schema } = await known();
      const named = (all: ReadonlyMap<string, unknown>) => [...all.keys()].map((typeName) => ({ typeName }));
      return {
        serverCapabilities: capabilitiesOf(schema),
        resources: named(schema.resources),
        dataSources: named(schema.dataSources),
        ephemeralResources: named(schema.ephemeralResources),
        functions: [...schema.functions.keys()].map((name) => ({ name })),
      };
    },
    getFunctions: async () => ({ functions: mapped((await known()).schema.functions, toFunctionMessage) }),
  };
}

function capabilitiesOf({ capabilities }: ProviderSchema) {
  const { planDestroy, schemaOptional, moveResourceState } = capabilities;
  return { planDestroy, getProviderSchemaOptional: schemaOptional, moveResourceState };
}

function mapped<T, U>(all: ReadonlyMap<string, T>, change: (one: T) => U): ReadonlyMap<string, U> {
  return new Map([...all].map(([name, one]) => [name, change(one)] as const));
}

/** What version 5 has no words for: attributes with attributes inside. */
function notInVersion5(schema: ProviderSchema): ProviderDiagnostics {
  const groups = [schema.resources, schema.dataSources, schema.ephemeralResources];
  const names = [
    ...(hasNestedAttribute(schema.provider.block) ? ["the provider's own configuration"] : []),
    ...groups.flatMap((group) => [...group].filter(([, one]) => hasNestedAttribute(one.block)).map(([name]) => name)),
  ];
  if (names.length === 0) return [];
  const detail = `This program offers version 5 of the plugin protocol alone, which has no attributes with attributes inside, and these have some: ${names.join(", ")}. Use Terraform 1.0 or newer, or any OpenTofu.`;
  return [{ severity: "error", summary: "Provider needs version 6 of the plugin protocol", detail }];
}

function hasNestedAttribute({ attributes, blocks }: BlockSchema): boolean {
  const own = [...attributes.values()].some(({ nested }) => nested !== undefined);
  return own || [...blocks.values()].some(({ block }) => hasNestedAttribute(block));
}
