import { invariant } from "@millwright/core/errors";
import { isWhollyKnown, nullValue } from "@millwright/value/value";
import { checkConfig } from "./check-config.ts";
import { ClientHolder } from "./client-holder.ts";
import { toPlain } from "./codec.ts";
import type { ServedDataSource } from "./data-source.ts";
import type { ProviderDefinition } from "./define.ts";
import type { ServedEphemeralResource } from "./ephemeral-resource.ts";
import type { ConfigOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { impliedType } from "./implied-type.ts";
import { problemsOf, toDiagnostics } from "./problem.ts";
import type { Provider } from "./protocol.ts";
import type { ProviderSchema } from "./schema.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import type { ServedResource } from "./serve-resource.ts";

/** An instance of a defined provider, in this process: it finds whom a call is for, and the client for it. */
export function serveProvider<F extends Fields, C>(definition: ProviderDefinition<F, C>): Provider {
  const holder = new ClientHolder(definition);
  const resources = serveAll(definition.resources);
  const dataSources = serveAll(definition.dataSources);
  const ephemeralResources = serveAll(definition.ephemeralResources);
  const functions = new Map(Object.entries(definition.functions ?? {}));
  const block = schemaOfFields(definition.schema ?? {});
  const schema: ProviderSchema = {
    provider: { version: 0, block },
    resources: schemasOf(resources),
    dataSources: schemasOf(dataSources),
    ephemeralResources: schemasOf(ephemeralResources),
    functions: schemasOf(functions),
    capabilities: {
      planDestroy: false,
      schemaOptional: true,
      moveResourceState: [...resources.values()].some((resource) => resource.movable),
    },
  };
  return {
    schema: async () => schema,
    ...configurationCalls(definition, schema, holder),
    ...resourceCalls(resources, holder),
    ...identityCalls(resources),
    ...manyCalls(resources, holder),
    ...dataCalls(dataSources, holder),
    ...ephemeralCalls(ephemeralResources, holder),
    callFunction: async ({ name, args }) => one(functions, name).call(args),
    stop: async () => holder.stop(),
    close: () => holder.close(),
  };
}

function configurationCalls<F extends Fields, C>(
  definition: ProviderDefinition<F, C>,
  { provider: { block } }: ProviderSchema,
  holder: ClientHolder<F, C>,
): Pick<Provider, "validateProviderConfig" | "configure"> {
  const type = impliedType(block);
  return {
    validateProviderConfig: async ({ config }) => {
      const rules = definition.validate?.({ config: toPlain(config, type) as Unsettled<ConfigOf<F>> }) ?? [];
      const problems = [...checkConfig(definition.schema ?? {}, config), ...rules];
      return { prepared: config, diagnostics: toDiagnostics(problems, type) };
    },
    configure: async ({ config, terraformVersion }) => {
      if (!isWhollyKnown(config)) {
        holder.wait();
        return { diagnostics: [] };
      }
      const { run } = holder;
      try {
        const call = { config: toPlain(config, type) as ConfigOf<F>, terraformVersion, signal: run.signal };
        holder.ready(await definition.configure(call));
        return { diagnostics: [] };
      } catch (error) {
        const problems = problemsOf(error, { ...run, summary: `Cannot configure provider ${definition.name}` });
        if (!problems) throw error;
        return { diagnostics: toDiagnostics(problems, type) };
      }
    },
  };
}

/** Those types of resource that can be read many at a time, and how. */
/** The answer of a provider whose own configuration is not known yet, where it may wait. */
const notConfigured = { deferral: "provider-config-unknown", diagnostics: [] } as const;

function manyCalls<F extends Fields, C>(
  resources: ReadonlyMap<string, ServedResource<C>>,
  holder: ClientHolder<F, C>,
): Pick<Provider, "readsMany" | "readMany"> {
  const able = new Map([...resources].flatMap(([type, { readMany }]) => (readMany ? [[type, readMany] as const] : [])));
  if (able.size === 0) return {};
  return {
    readsMany: new Set(able.keys()),
    readMany: async (calls) => {
      const [first] = calls;
      if (!first) return [];
      const unread = calls.map(({ current, private: bytes }) => ({ newState: current, private: bytes }));
      if (holder.putsOff(first)) return unread.map((answer) => ({ ...answer, ...notConfigured }));
      return holder.with(
        (run) => one(able, first.type)(calls, run),
        (diagnostics) => unread.map((answer) => ({ ...answer, diagnostics })),
      );
    },
  };
}

function identityCalls<C>(
  resources: ReadonlyMap<string, ServedResource<C>>,
): Pick<Provider, "upgradeResourceIdentity"> {
  const able = new Map(
    [...resources].flatMap(([type, { upgradeIdentity }]) =>
      upgradeIdentity ? [[type, upgradeIdentity] as const] : [],
    ),
  );
  return able.size === 0 ? {} : { upgradeResourceIdentity: async (call) => one(able, call.type)(call) };
}

type ResourceCalls =
  | "validateResourceConfig"
  | "upgradeResourceState"
  | "readResource"
  | "planResourceChange"
  | "applyResourceChange"
  | "importResourceState"
  | "moveResourceState"
  | "findInterrupted";

function resourceCalls<F extends Fields, C>(
  resources: ReadonlyMap<string, ServedResource<C>>,
  holder: ClientHolder<F, C>,
): Pick<Provider, ResourceCalls> {
  return {
    validateResourceConfig: async ({ type, config }) => ({ diagnostics: one(resources, type).validate(config) }),
    upgradeResourceState: async (call) => one(resources, call.type).upgrade(call),
    readResource: async (call) => {
      const unread = { newState: call.current, private: call.private };
      if (holder.putsOff(call)) return { ...unread, ...notConfigured };
      return holder.with(
        (run) => one(resources, call.type).read(call, run),
        (diagnostics) => ({ ...unread, diagnostics }),
      );
    },
    planResourceChange: async (call) => one(resources, call.type).plan(call, holder.run),
    applyResourceChange: (call) =>
      holder.with(
        (run) => one(resources, call.type).apply(call, run),
        (diagnostics) => ({ newState: call.prior, private: call.plannedPrivate, legacyTypeSystem: false, diagnostics }),
      ),
    importResourceState: (call) =>
      holder.with(
        (run) => one(resources, call.type).importState(call, run),
        (diagnostics) => ({ imported: [], diagnostics }),
      ),
    findInterrupted: (call) =>
      holder.with(
        (run) => one(resources, call.type).findInterrupted(call, run),
        ([reason]) => ({ kind: "unknown", why: reason?.detail ?? "the provider is not configured" }),
      ),
    moveResourceState: async (call) => one(resources, call.targetType).move(call),
  };
}

function dataCalls<F extends Fields, C>(
  dataSources: ReadonlyMap<string, ServedDataSource<C>>,
  holder: ClientHolder<F, C>,
): Pick<Provider, "validateDataConfig" | "readDataSource"> {
  return {
    validateDataConfig: async ({ type, config }) => ({ diagnostics: one(dataSources, type).validate(config) }),
    readDataSource: async (call) => {
      const source = one(dataSources, call.type);
      const unread = { state: nullValue(impliedType(source.schema.block)) };
      if (holder.putsOff(call)) return { ...unread, ...notConfigured };
      return holder.with(
        (run) => source.read(call, run),
        (diagnostics) => ({ ...unread, diagnostics }),
      );
    },
  };
}

type EphemeralCalls =
  | "validateEphemeralConfig"
  | "openEphemeralResource"
  | "renewEphemeralResource"
  | "closeEphemeralResource";

function ephemeralCalls<F extends Fields, C>(
  resources: ReadonlyMap<string, ServedEphemeralResource<C>>,
  holder: ClientHolder<F, C>,
): Pick<Provider, EphemeralCalls> {
  return {
    validateEphemeralConfig: async ({ type, config }) => ({ diagnostics: one(resources, type).validate(config) }),
    openEphemeralResource: async (call) => {
      const resource = one(resources, call.type);
      const result = nullValue(impliedType(resource.schema.block));
      return holder.with(
        (run) => resource.open(call, run),
        (diagnostics) => ({ result, private: new Uint8Array(), diagnostics }),
      );
    },
    renewEphemeralResource: (call) =>
      holder.with(
        (run) => one(resources, call.type).renew(call, run),
        (diagnostics) => ({ private: call.private, diagnostics }),
      ),
    closeEphemeralResource: (call) =>
      holder.with(
        (run) => one(resources, call.type).close(call, run),
        (diagnostics) => ({ diagnostics }),
      ),
  };
}

function serveAll<S>(definitions: Readonly<Record<string, (type: string) => S>> | undefined): ReadonlyMap<string, S> {
  return new Map(Object.entries(definitions ?? {}).map(([type, serve]) => [type, serve(type)] as const));
}

function schemasOf<S>(served: ReadonlyMap<string, { readonly schema: S }>): ReadonlyMap<string, S> {
  return new Map([...served].map(([name, { schema }]) => [name, schema] as const));
}

function one<T>(served: ReadonlyMap<string, T>, name: string): T {
  const found = served.get(name);
  invariant(found, `the provider has ${name}`);
  return found;
}
