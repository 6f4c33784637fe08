import { invariant, isKind } from "@millwright/core/errors";
import { identityType, impliedType } from "@millwright/provider/implied-type";
import type {
  ApplyAnswer,
  ApplyCall,
  ConfigureCall,
  DataAnswer,
  DataCall,
  DeferrableAnswer,
  DeferrableCall,
  EphemeralCall,
  FunctionAnswer,
  ImportAnswer,
  ImportCall,
  MoveAnswer,
  MoveCall,
  OpenAnswer,
  PlanAnswer,
  PlanCall,
  Provider,
  ProviderDiagnostics,
  ReadAnswer,
  ReadCall,
  UpgradeCall,
  ValidateCall,
} from "@millwright/provider/protocol";
import type { ProviderSchema, Schema } from "@millwright/provider/schema";
import type { ObjectType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import type { CallName, RequestOf, ResponseOf } from "../wire/calls.ts";
import type { DeferredMessage, DiagnosticMessage, DynamicValueMessage, IdentityDataMessage } from "../wire/common.ts";
import { fromDiagnosticMessages } from "../wire/diagnostics.ts";
import { fromDynamic, toDynamic } from "../wire/dynamic-value.ts";
import type { Draft } from "../wire/message.ts";
import { fromPathMessage } from "../wire/paths.ts";
import { deferredDiagnostic } from "./deferral.ts";
import { pluginErrors } from "./errors.ts";
import type { PluginSession } from "./session.ts";
import { SessionKeeper } from "./session.ts";

/** What of a provider's program does not change from one process of it to the next. */
export interface PluginKind {
  /** Opens a session: a new process, or one that somebody else has started. */
  open(): Promise<PluginSession>;
  /** The schemas, asked of the first session that needs them, once for all. */
  schema(session: PluginSession): Promise<ProviderSchema>;
}

/**
 * A provider that is a program of its own, in either version of the protocol. Where the program dies, the call that was under
 * way rejects with its last words, and the next call starts it again and configures it as before.
 */
export class PluginProvider implements Provider {
  readonly #sessions: SessionKeeper;
  #schema: ProviderSchema | undefined;

  private constructor(kind: PluginKind, first: PluginSession) {
    this.#sessions = new SessionKeeper(kind, first);
  }

  static async start(kind: PluginKind): Promise<PluginProvider> {
    const session = await kind.open();
    const provider = new PluginProvider(kind, session);
    try {
      provider.#schema = await kind.schema(session);
      return provider;
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  async schema(): Promise<ProviderSchema> {
    return this.#known;
  }

  get #known(): ProviderSchema {
    invariant(this.#schema, "a provider that was started has its schemas");
    return this.#schema;
  }

  /** Version 5 may answer another configuration than it was asked about. As in the reference, that is not used. */
  async validateProviderConfig({ config }: { readonly config: Value }) {
    const { diagnostics } = await this.#call("validateProviderConfig", {
      config: toDynamic(config, impliedType(this.#known.provider.block)),
    });
    return { prepared: config, diagnostics: fromDiagnosticMessages(diagnostics) };
  }

  async validateResourceConfig({ type, config }: ValidateCall) {
    const answer = await this.#call("validateResourceConfig", {
      typeName: type,
      config: toDynamic(config, this.#resourceType(type)),
      clientCapabilities: capabilitiesFor({}),
    });
    return { diagnostics: fromDiagnosticMessages(answer.diagnostics) };
  }

  async validateDataConfig({ type, config }: ValidateCall) {
    const answer = await this.#call("validateDataConfig", {
      typeName: type,
      config: toDynamic(config, typeIn(this.#known.dataSources, type)),
    });
    return { diagnostics: fromDiagnosticMessages(answer.diagnostics) };
  }

  async validateEphemeralConfig({ type, config }: ValidateCall) {
    const answer = await this.#call("validateEphemeralConfig", {
      typeName: type,
      config: toDynamic(config, typeIn(this.#known.ephemeralResources, type)),
    });
    return { diagnostics: fromDiagnosticMessages(answer.diagnostics) };
  }

  async upgradeResourceState(call: UpgradeCall) {
    const answer = await this.#call("upgradeResourceState", {
      typeName: call.type,
      version: call.version,
      rawState: call.flatmap ? { flatmap: call.flatmap } : { json: Buffer.from(call.json) },
    });
    const upgraded = fromDynamic(answer.upgradedState, this.#resourceType(call.type), "the upgraded state");
    return { upgraded, diagnostics: fromDiagnosticMessages(answer.diagnostics) };
  }

  async upgradeResourceIdentity({ type, version, json }: UpgradeCall) {
    const answer = await this.#call("upgradeResourceIdentity", {
      typeName: type,
      version,
      rawIdentity: { json: Buffer.from(json) },
    });
    const wanted = this.#identityType(type);
    invariant(wanted, `${type} has an identity, since one of it is stored`);
    const upgraded = fromDynamic(answer.upgradedIdentity?.identityData, wanted, "the upgraded identity");
    return { upgraded, diagnostics: fromDiagnosticMessages(answer.diagnostics) };
  }

  async configure({ terraformVersion, config }: ConfigureCall) {
    const request: Draft<RequestOf<"configureProvider">> = {
      terraformVersion,
      config: toDynamic(config, impliedType(this.#known.provider.block)),
      clientCapabilities: capabilitiesFor({}),
    };
    const { diagnostics } = await this.#sessions.configure(request);
    return { diagnostics: fromDiagnosticMessages(diagnostics) };
  }

  async readResource(call: ReadCall): Promise<ReadAnswer> {
    const { type, current, identity, private: bytes, providerMeta } = call;
    const answer = await this.#call("readResource", {
      typeName: type,
      currentState: toDynamic(current, this.#resourceType(type)),
      private: bytes,
      providerMeta: this.#meta(providerMeta),
      clientCapabilities: capabilitiesFor(call),
      currentIdentity: this.#toIdentity(type, identity),
    });
    return {
      newState: this.#resource(type, answer.newState, "the state that was read"),
      private: answer.private,
      ...named("identity", this.#fromIdentity(type, answer.newIdentity)),
      ...saidOf(answer, call, `Reading ${type}`),
    };
  }

  async planResourceChange(call: PlanCall): Promise<PlanAnswer> {
    const { type } = call;
    const wanted = this.#resourceType(type);
    const answer = await this.#call("planResourceChange", {
      typeName: type,
      priorState: toDynamic(call.prior, wanted),
      proposedNewState: toDynamic(call.proposed, wanted),
      config: toDynamic(call.config, wanted),
      priorPrivate: call.priorPrivate,
      providerMeta: this.#meta(call.providerMeta),
      clientCapabilities: capabilitiesFor(call),
      priorIdentity: this.#toIdentity(type, call.priorIdentity),
    });
    return {
      planned: this.#resource(type, answer.plannedState, "the planned state"),
      requiresReplace: answer.requiresReplace.map(fromPathMessage),
      plannedPrivate: answer.plannedPrivate,
      ...named("plannedIdentity", this.#fromIdentity(type, answer.plannedIdentity)),
      legacyTypeSystem: answer.legacyTypeSystem,
      ...saidOf(answer, call, `Planning ${type}`),
    };
  }

  async applyResourceChange(call: ApplyCall): Promise<ApplyAnswer> {
    const { type } = call;
    const wanted = this.#resourceType(type);
    const answer = await this.#call("applyResourceChange", {
      typeName: type,
      priorState: toDynamic(call.prior, wanted),
      plannedState: toDynamic(call.planned, wanted),
      config: toDynamic(call.config, wanted),
      plannedPrivate: call.plannedPrivate,
      providerMeta: this.#meta(call.providerMeta),
      plannedIdentity: this.#toIdentity(type, call.plannedIdentity),
    });
    return {
      newState: this.#resource(type, answer.newState, "the new state"),
      private: answer.private,
      ...named("identity", this.#fromIdentity(type, answer.newIdentity)),
      legacyTypeSystem: answer.legacyTypeSystem,
      diagnostics: fromDiagnosticMessages(answer.diagnostics),
    };
  }

  async importResourceState(call: ImportCall): Promise<ImportAnswer> {
    const { type, id, identity } = call;
    const answer = await this.#call("importResourceState", {
      typeName: type,
      id,
      clientCapabilities: capabilitiesFor(call),
      identity: this.#toIdentity(type, identity),
    });
    const imported = answer.importedResources.map((object) => ({
      type: object.typeName,
      state: this.#resource(object.typeName, object.state, "an imported state"),
      private: object.private,
      ...named("identity", this.#fromIdentity(object.typeName, object.identity)),
    }));
    return { imported, ...saidOf(answer, call, `Importing ${type}`) };
  }

  async moveResourceState(call: MoveCall): Promise<MoveAnswer> {
    const { sourceIdentity, targetType } = call;
    const answer = await this.#call("moveResourceState", {
      sourceProviderAddress: call.sourceProvider,
      sourceTypeName: call.sourceType,
      sourceSchemaVersion: call.sourceVersion,
      sourceState: { json: Buffer.from(call.sourceJson) },
      targetTypeName: targetType,
      sourcePrivate: call.sourcePrivate,
      ...(sourceIdentity
        ? {
            sourceIdentity: { json: Buffer.from(sourceIdentity.json) },
            sourceIdentitySchemaVersion: sourceIdentity.version,
          }
        : {}),
    });
    return {
      target: this.#resource(targetType, answer.targetState, "the moved state"),
      private: answer.targetPrivate,
      ...named("identity", this.#fromIdentity(targetType, answer.targetIdentity)),
      diagnostics: fromDiagnosticMessages(answer.diagnostics),
    };
  }

  async readDataSource(call: DataCall): Promise<DataAnswer> {
    const { type, config, providerMeta } = call;
    const wanted = typeIn(this.#known.dataSources, type);
    const answer = await this.#call("readDataSource", {
      typeName: type,
      config: toDynamic(config, wanted),
      providerMeta: this.#meta(providerMeta),
      clientCapabilities: capabilitiesFor(call),
    });
    return { state: fromDynamic(answer.state, wanted, "the data"), ...saidOf(answer, call, `Reading ${type}`) };
  }

  async openEphemeralResource(call: DataCall): Promise<OpenAnswer> {
    const { type, config } = call;
    const wanted = typeIn(this.#known.ephemeralResources, type);
    const answer = await this.#call("openEphemeralResource", {
      typeName: type,
      config: toDynamic(config, wanted),
      clientCapabilities: capabilitiesFor(call),
    });
    return {
      result: fromDynamic(answer.result, wanted, "the result"),
      private: answer.private ?? noBytes,
      ...renewalOf(answer),
      ...saidOf(answer, call, `Opening ${type}`),
    };
  }

  async renewEphemeralResource({ type, private: bytes }: EphemeralCall) {
    const answer = await this.#call("renewEphemeralResource", { typeName: type, private: bytes });
    const diagnostics = fromDiagnosticMessages(answer.diagnostics);
    return { private: answer.private ?? noBytes, ...renewalOf(answer), diagnostics };
  }

  async closeEphemeralResource({ type, private: bytes }: EphemeralCall) {
    const answer = await this.#call("closeEphemeralResource", { typeName: type, private: bytes });
    return { diagnostics: fromDiagnosticMessages(answer.diagnostics) };
  }

  async callFunction({ name, args }: { readonly name: string; readonly args: readonly Value[] }) {
    const signature = this.#known.functions.get(name);
    invariant(signature, `the provider has a function ${name}, since it is called`);
    const { parameters, variadic, returnType } = signature;
    const { result, error } = await this.#call("callFunction", {
      name,
      arguments: args.map((value, i) => toDynamic(value, (parameters[i] ?? variadic)?.type ?? value.type)),
    });
    if (error) {
      const { functionArgument } = error;
      const at = functionArgument === undefined ? {} : { argument: functionArgument };
      return { ok: false, message: error.text, ...at } satisfies FunctionAnswer;
    }
    const value = fromDynamic(result, returnType, `the result of ${name}`);
    return { ok: true, result: value, type: value.type } satisfies FunctionAnswer;
  }

  /** A provider that is gone has nothing to stop. */
  async stop(): Promise<void> {
    try {
      await this.#sessions.now?.connection.call("stopProvider", {});
    } catch (error) {
      if (!isKind(error, pluginErrors.crashed)) throw error;
    }
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  async #call<N extends CallName>(name: N, request: Draft<RequestOf<N>>): Promise<ResponseOf<N>> {
    const { connection } = await this.#sessions.get();
    return connection.call(name, request);
  }

  #resourceType(type: string): ObjectType {
    return typeIn(this.#known.resources, type);
  }

  #resource(type: string, dynamic: DynamicValueMessage | undefined, what: string): Value {
    return fromDynamic(dynamic, this.#resourceType(type), what);
  }

  #identityType(type: string): ObjectType | undefined {
    const identity = this.#known.resources.get(type)?.identity;
    return identity && identityType(identity);
  }

  #toIdentity(type: string, identity: Value | undefined): Draft<IdentityDataMessage> | undefined {
    const wanted = this.#identityType(type);
    return identity && wanted && { identityData: toDynamic(identity, wanted) };
  }

  #fromIdentity(type: string, message: IdentityDataMessage | undefined): Value | undefined {
    const wanted = this.#identityType(type);
    return message?.identityData && wanted && fromDynamic(message.identityData, wanted, "the identity");
  }

  #meta(providerMeta: Value | undefined): Draft<DynamicValueMessage> | undefined {
    const schema = this.#known.providerMeta;
    return providerMeta && schema && toDynamic(providerMeta, impliedType(schema.block));
  }
}

const noBytes = new Uint8Array();

function capabilitiesFor({ deferralAllowed = false }: DeferrableCall) {
  return { deferralAllowed, writeOnlyAttributesAllowed: true };
}

function typeIn(schemas: ReadonlyMap<string, Schema>, type: string): ObjectType {
  const schema = schemas.get(type);
  invariant(schema, `the provider has ${type}, since it is called for it`);
  return impliedType(schema.block);
}

function named<K extends string>(key: K, value: Value | undefined): { readonly [P in K]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: Value });
}

function saidOf(
  answer: { readonly diagnostics: readonly DiagnosticMessage[]; readonly deferred: DeferredMessage | undefined },
  { deferralAllowed }: DeferrableCall,
  doing: string,
): DeferrableAnswer & { readonly diagnostics: ProviderDiagnostics } {
  const diagnostics = fromDiagnosticMessages(answer.diagnostics);
  if (!answer.deferred) return { diagnostics };
  const { reason } = answer.deferred;
  if (deferralAllowed) return { diagnostics, deferral: reason };
  return { diagnostics: [...diagnostics, deferredDiagnostic(reason, doing)] };
}

function renewalOf({ renewAt }: Pick<ResponseOf<"openEphemeralResource">, "renewAt">): { readonly renewAt?: Date } {
  return renewAt ? { renewAt: new Date(renewAt.seconds * 1000 + Math.floor(renewAt.nanos / 1e6)) } : {};
}
