import { invariant } from "@millwright/core/errors";
import { identityType, impliedType } from "@millwright/provider/implied-type";
import type { ProviderSchema, Schema } from "@millwright/provider/schema";
import type { ObjectType, Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import type { DynamicValueMessage, IdentityDataMessage } from "../wire/common.ts";
import { fromDynamic, toDynamic } from "../wire/dynamic-value.ts";
import type { Draft } from "../wire/message.ts";

/** A provider's schema, and the types of the values that are sent by it. */
export class KnownTypes {
  readonly schema: ProviderSchema;

  constructor(schema: ProviderSchema) {
    this.schema = schema;
  }

  get config(): Type {
    return impliedType(this.schema.provider.block);
  }

  resource(type: string): Type {
    return typeIn(this.schema.resources, type);
  }

  data(type: string): Type {
    return typeIn(this.schema.dataSources, type);
  }

  ephemeral(type: string): Type {
    return typeIn(this.schema.ephemeralResources, type);
  }

  /** Undefined for a type whose objects have no identity. */
  identity(type: string): ObjectType | undefined {
    const identity = this.schema.resources.get(type)?.identity;
    return identity && identityType(identity);
  }

  fromIdentity<K extends string>(
    key: K,
    type: string,
    sent: IdentityDataMessage | undefined,
  ): { readonly [P in K]?: Value } {
    const wanted = this.identity(type);
    if (!wanted || !sent?.identityData) return {};
    return { [key]: fromDynamic(sent.identityData, wanted, "the identity") } as { readonly [P in K]?: Value };
  }

  toIdentity<K extends string>(
    key: K,
    type: string,
    identity: Value | undefined,
  ): { readonly [P in K]?: Draft<IdentityDataMessage> } {
    const wanted = this.identity(type);
    if (!wanted || !identity) return {};
    return { [key]: { identityData: toDynamic(identity, wanted) } } as {
      readonly [P in K]?: Draft<IdentityDataMessage>;
    };
  }

  /** What the asking module's `provider_meta` says, where the provider wants to be told. */
  meta(sent: DynamicValueMessage | undefined): { readonly providerMeta?: Value } {
    const { providerMeta } = this.schema;
    if (!providerMeta || !sent) return {};
    return { providerMeta: fromDynamic(sent, impliedType(providerMeta.block), "the module's metadata") };
  }
}

function typeIn(schemas: ReadonlyMap<string, Schema>, type: string): Type {
  const schema = schemas.get(type);
  invariant(schema, `the host asks for ${type}, which is in the schema`);
  return impliedType(schema.block);
}
