import { invariant } from "@millwright/core/errors";
import type { DeferrableAnswer, Provider, ProviderDiagnostics } from "@millwright/provider/protocol";
import type { CallName, RequestOf, ResponseOf } from "../wire/calls.ts";
import type { DynamicValueMessage } from "../wire/common.ts";
import { toDiagnosticMessages } from "../wire/diagnostics.ts";
import { fromDynamic, toDynamic } from "../wire/dynamic-value.ts";
import type { Draft } from "../wire/message.ts";
import { toPathMessage } from "../wire/paths.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import { KnownTypes } from "./known-types.ts";
import { schemaCalls } from "./schema-calls.ts";

/** The calls of a provider over messages: what a host asks, and what it is answered. */
export type ProviderCalls = {
  readonly [N in CallName]?: (request: RequestOf<N>) => Promise<Draft<ResponseOf<N>>>;
};

/** Some of the calls, all of them there. */
export type CallGroup<N extends CallName> = {
  readonly [K in N]: (request: RequestOf<K>) => Promise<Draft<ResponseOf<K>>>;
};

/** Serves one provider. Values are decoded and encoded by its own schema, which it is asked for once. */
export function providerCalls(provider: Provider, version: ProtocolVersion): ProviderCalls {
  let asked: Promise<KnownTypes> | undefined;
  const known = () => (asked ??= provider.schema().then((schema) => new KnownTypes(schema)));
  return {
    ...schemaCalls(known, version),
    ...configurationCalls(provider, known, version),
    ...stateCalls(provider, known),
    ...changeCalls(provider, known),
    ...dataCalls(provider, known),
    ...ephemeralCalls(provider, known),
    ...functionCalls(provider, known),
  };
}

type Knows = () => Promise<KnownTypes>;

function configurationCalls(
  provider: Provider,
  known: Knows,
  version: ProtocolVersion,
): CallGroup<"validateProviderConfig" | "configureProvider" | "stopProvider"> {
  return {
    validateProviderConfig: async (request) => {
      const type = (await known()).config;
      const config = fromDynamic(request.config, type, "the provider's configuration");
      const { prepared, diagnostics } = await provider.validateProviderConfig({ config });
      return { ...(version === 5 ? { preparedConfig: toDynamic(prepared, type) } : {}), ...said(diagnostics) };
    },
    configureProvider: async (request) => {
      const config = fromDynamic(request.config, (await known()).config, "the provider's configuration");
      return said((await provider.configure({ terraformVersion: request.terraformVersion, config })).diagnostics);
    },
    stopProvider: async () => {
      await provider.stop();
      return {};
    },
  };
}

function stateCalls(
  provider: Provider,
  known: Knows,
): CallGroup<
  "upgradeResourceState" | "upgradeResourceIdentity" | "importResourceState" | "moveResourceState" | "readResource"
> {
  return {
    upgradeResourceState: async ({ typeName, version, rawState }) => {
      const flatmap = rawState && rawState.flatmap.size > 0 ? { flatmap: rawState.flatmap } : {};
      const json = textOf(rawState?.json);
      const { upgraded, diagnostics } = await provider.upgradeResourceState({
        type: typeName,
        version,
        json,
        ...flatmap,
      });
      return { upgradedState: toDynamic(upgraded, (await known()).resource(typeName)), ...said(diagnostics) };
    },
    upgradeResourceIdentity: async ({ typeName, version, rawIdentity }) => {
      const types = await known();
      invariant(provider.upgradeResourceIdentity, `${typeName} has an identity, since one of it is stored`);
      const call = { type: typeName, version, json: textOf(rawIdentity?.json) };
      const { upgraded, diagnostics } = await provider.upgradeResourceIdentity(call);
      return { ...types.toIdentity("upgradedIdentity", typeName, upgraded), ...said(diagnostics) };
    },
    importResourceState: async ({ typeName, id, identity, clientCapabilities: client }) => {
      const types = await known();
      const call = { type: typeName, id, ...types.fromIdentity("identity", typeName, identity), ...mayDefer(client) };
      const { imported, ...rest } = await provider.importResourceState(call);
      const importedResources = imported.map((one) => ({
        typeName: one.type,
        state: toDynamic(one.state, types.resource(one.type)),
        private: one.private,
        ...types.toIdentity("identity", one.type, one.identity),
      }));
      return { importedResources, ...putOff(rest), ...said(rest.diagnostics) };
    },
    moveResourceState: async (request) => {
      const types = await known();
      const { sourceIdentity: identity, targetTypeName } = request;
      const answer = await provider.moveResourceState({
        sourceProvider: request.sourceProviderAddress,
        sourceType: request.sourceTypeName,
        sourceVersion: request.sourceSchemaVersion,
        sourceJson: textOf(request.sourceState?.json),
        sourcePrivate: request.sourcePrivate,
        ...(identity
          ? { sourceIdentity: { version: request.sourceIdentitySchemaVersion, json: textOf(identity.json) } }
          : {}),
        targetType: targetTypeName,
      });
      return {
        targetState: toDynamic(answer.target, types.resource(targetTypeName)),
        targetPrivate: answer.private,
        ...types.toIdentity("targetIdentity", targetTypeName, answer.identity),
        ...said(answer.diagnostics),
      };
    },
    readResource: async (request) => {
      const types = await known();
      const type = types.resource(request.typeName);
      const answer = await provider.readResource({
        type: request.typeName,
        current: fromDynamic(request.currentState, type, "the current state"),
        private: request.private,
        ...types.fromIdentity("identity", request.typeName, request.currentIdentity),
        ...types.meta(request.providerMeta),
        ...mayDefer(request.clientCapabilities),
      });
      return {
        newState: toDynamic(answer.newState, type),
        private: answer.private,
        ...types.toIdentity("newIdentity", request.typeName, answer.identity),
        ...putOff(answer),
        ...said(answer.diagnostics),
      };
    },
  };
}

function changeCalls(
  provider: Provider,
  known: Knows,
): CallGroup<"validateResourceConfig" | "planResourceChange" | "applyResourceChange"> {
  return {
    validateResourceConfig: async ({ typeName, config }) => {
      const call = { type: typeName, config: fromDynamic(config, (await known()).resource(typeName), configuration) };
      return said((await provider.validateResourceConfig(call)).diagnostics);
    },
    planResourceChange: async (request) => {
      const types = await known();
      const type = types.resource(request.typeName);
      const answer = await provider.planResourceChange({
        type: request.typeName,
        prior: fromDynamic(request.priorState, type, "the prior state"),
        proposed: fromDynamic(request.proposedNewState, type, "the proposed state"),
        config: fromDynamic(request.config, type, configuration),
        priorPrivate: request.priorPrivate,
        ...types.fromIdentity("priorIdentity", request.typeName, request.priorIdentity),
        ...types.meta(request.providerMeta),
        ...mayDefer(request.clientCapabilities),
      });
      return {
        plannedState: toDynamic(answer.planned, type),
        requiresReplace: answer.requiresReplace.map(toPathMessage),
        plannedPrivate: answer.plannedPrivate,
        ...types.toIdentity("plannedIdentity", request.typeName, answer.plannedIdentity),
        legacyTypeSystem: answer.legacyTypeSystem,
        ...putOff(answer),
        ...said(answer.diagnostics),
      };
    },
    applyResourceChange: async (request) => {
      const types = await known();
      const type = types.resource(request.typeName);
      const answer = await provider.applyResourceChange({
        type: request.typeName,
        prior: fromDynamic(request.priorState, type, "the prior state"),
        planned: fromDynamic(request.plannedState, type, "the planned state"),
        config: fromDynamic(request.config, type, configuration),
        plannedPrivate: request.plannedPrivate,
        ...types.fromIdentity("plannedIdentity", request.typeName, request.plannedIdentity),
        ...types.meta(request.providerMeta),
      });
      return {
        newState: toDynamic(answer.newState, type),
        private: answer.private,
        ...types.toIdentity("newIdentity", request.typeName, answer.identity),
        legacyTypeSystem: answer.legacyTypeSystem,
        ...said(answer.diagnostics),
      };
    },
  };
}

function dataCalls(provider: Provider, known: Knows): CallGroup<"validateDataConfig" | "readDataSource"> {
  const callOf = async ({ typeName, config }: { typeName: string; config: DynamicValueMessage | undefined }) => ({
    type: typeName,
    config: fromDynamic(config, (await known()).data(typeName), configuration),
  });
  return {
    validateDataConfig: async (request) => said((await provider.validateDataConfig(await callOf(request))).diagnostics),
    readDataSource: async (request) => {
      const types = await known();
      const { state, ...rest } = await provider.readDataSource({
        ...(await callOf(request)),
        ...types.meta(request.providerMeta),
        ...mayDefer(request.clientCapabilities),
      });
      return { state: toDynamic(state, types.data(request.typeName)), ...putOff(rest), ...said(rest.diagnostics) };
    },
  };
}

function ephemeralCalls(
  provider: Provider,
  known: Knows,
): CallGroup<
  "validateEphemeralConfig" | "openEphemeralResource" | "renewEphemeralResource" | "closeEphemeralResource"
> {
  const callOf = async ({ typeName, config }: { typeName: string; config: DynamicValueMessage | undefined }) => ({
    type: typeName,
    config: fromDynamic(config, (await known()).ephemeral(typeName), configuration),
  });
  const openOf = ({ typeName, private: kept }: { typeName: string; private: Uint8Array | undefined }) => ({
    type: typeName,
    private: kept ?? new Uint8Array(),
  });
  return {
    validateEphemeralConfig: async (request) =>
      said((await provider.validateEphemeralConfig(await callOf(request))).diagnostics),
    openEphemeralResource: async (request) => {
      const answer = await provider.openEphemeralResource(await callOf(request));
      const result = toDynamic(answer.result, (await known()).ephemeral(request.typeName));
      return { result, private: answer.private, ...renewal(answer.renewAt), ...said(answer.diagnostics) };
    },
    renewEphemeralResource: async (request) => {
      const answer = await provider.renewEphemeralResource(openOf(request));
      return { private: answer.private, ...renewal(answer.renewAt), ...said(answer.diagnostics) };
    },
    closeEphemeralResource: async (request) =>
      said((await provider.closeEphemeralResource(openOf(request))).diagnostics),
  };
}

function functionCalls(provider: Provider, known: Knows): CallGroup<"callFunction"> {
  return {
    callFunction: async ({ name, arguments: sent }) => {
      const schema = (await known()).schema.functions.get(name);
      invariant(schema, `the host asks for the function ${name}, which is in the schema`);
      const typeOf = (i: number) => (schema.parameters[i] ?? schema.variadic)?.type ?? schema.returnType;
      const args = sent.map((arg, i) => fromDynamic(arg, typeOf(i), `argument ${i + 1} of ${name}`));
      const answer = await provider.callFunction({ name, args });
      if (answer.ok) return { result: toDynamic(answer.result, schema.returnType) };
      return { error: { text: answer.message, functionArgument: answer.argument } };
    },
  };
}

const configuration = "the configuration";

function said(diagnostics: ProviderDiagnostics) {
  return diagnostics.length === 0 ? {} : { diagnostics: toDiagnosticMessages(diagnostics) };
}

function mayDefer(client: { readonly deferralAllowed: boolean } | undefined) {
  return client?.deferralAllowed ? { deferralAllowed: true } : {};
}

function putOff({ deferral }: DeferrableAnswer) {
  return deferral === undefined ? {} : { deferred: { reason: deferral } };
}

function renewal(at: Date | undefined) {
  if (!at) return {};
  const milliseconds = at.getTime();
  const seconds = Math.floor(milliseconds / 1_000);
  return { renewAt: { seconds, nanos: (milliseconds - seconds * 1_000) * 1_000_000 } };
}

function textOf(json: Uint8Array | undefined): string {
  return Buffer.from(json ?? []).toString("utf8");
}
