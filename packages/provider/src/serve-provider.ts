import type { OperationalError } from "@millwright/core/errors";
import { invariant } from "@millwright/core/errors";
import { isWhollyKnown, nullValue } from "@millwright/value/value";
import { checkConfig } from "./check-config.ts";
import { toPlain } from "./codec.ts";
import type { ProviderDefinition } from "./define.ts";
import type { ConfigOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { impliedType } from "./implied-type.ts";
import { problemsOf, toDiagnostics } from "./problem.ts";
import type { Provider, ProviderDiagnostics } from "./protocol.ts";
import type { ProviderSchema } from "./schema.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import type { Run } from "./serve-resource.ts";

/** The provider's client over its life: none until configured, none while its configuration is not known. */
type Client<C> =
  | { readonly state: "unconfigured" }
  | { readonly state: "waiting" }
  | { readonly state: "ready"; readonly client: C };

/** An instance of a defined provider, in this process. */
export function serveProvider<F extends Fields, C>(definition: ProviderDefinition<F, C>): Provider {
  const block = schemaOfFields(definition.schema ?? ({} as F));
  const configType = impliedType(block);
  const resources = serveAll(definition.resources);
  const dataSources = serveAll(definition.dataSources);
  const ephemeralResources = serveAll(definition.ephemeralResources);
  const functions = new Map(Object.entries(definition.functions ?? {}));
  let client: Client<C> = { state: "unconfigured" };
  let stopping = new AbortController();

  const schema: ProviderSchema = {
    provider: { version: 0, block },
    resources: schemasOf(resources),
    dataSources: schemasOf(dataSources),
    ephemeralResources: schemasOf(ephemeralResources),
    functions: schemasOf(functions),
    capabilities: {
      planDestroy: false,
      schemaOptional: true,
      moveResourceState: [...resources.values()].some((r) => r.movable),
    },
  };

  const explain = (error: OperationalError) =>
    definition.explain?.(error, client.state === "ready" ? client.client : undefined);

  /** Runs `work` with the client, or answers with the reason why there is none. */
  async function withClient<T>(
    work: (run: Run<C>) => Promise<T>,
    otherwise: (diagnostics: ProviderDiagnostics) => T,
  ): Promise<T> {
    invariant(client.state !== "unconfigured", `provider ${definition.name} is configured before it is used`);
    if (client.state === "ready") return work({ client: client.client, signal: stopping.signal, explain });
    return otherwise([
      {
        severity: "error",
        summary: `Provider ${definition.name} is not configured yet`,
        detail: `Its configuration depends on values that are known only after apply. Apply what they come from first (with -target), then this.`,
      },
    ]);
  }

  return {
    schema: async () => schema,
    validateProviderConfig: async ({ config }) => {
      const rules = definition.validate?.({ config: toPlain(config, configType) as Unsettled<ConfigOf<F>> }) ?? [];
      const problems = [...checkConfig(definition.schema ?? {}, config), ...rules];
      return { prepared: config, diagnostics: toDiagnostics(problems, configType) };
    },
    validateResourceConfig: async ({ type, config }) => ({ diagnostics: one(resources, type).validate(config) }),
    validateDataConfig: async ({ type, config }) => ({ diagnostics: one(dataSources, type).validate(config) }),
    validateEphemeralConfig: async ({ type, config }) => ({
      diagnostics: one(ephemeralResources, type).validate(config),
    }),
    upgradeResourceState: async (call) => one(resources, call.type).upgrade(call),
    configure: async ({ config, terraformVersion }) => {
      if (!isWhollyKnown(config)) {
        client = { state: "waiting" };
        return { diagnostics: [] };
      }
      try {
        const call = { config: toPlain(config, configType) as ConfigOf<F>, terraformVersion, signal: stopping.signal };
        client = { state: "ready", client: await definition.configure(call) };
        return { diagnostics: [] };
      } catch (error) {
        const problems = problemsOf(error, {
          summary: `Cannot configure provider ${definition.name}`,
          signal: stopping.signal,
          explain,
        });
        if (!problems) throw error;
        return { diagnostics: toDiagnostics(problems, configType) };
      }
    },
    readResource: (call) =>
      withClient(
        (run) => one(resources, call.type).read(call, run),
        (diagnostics) => ({ newState: call.current, private: call.private, diagnostics }),
      ),
    planResourceChange: (call) => {
      const ready = client.state === "ready" ? client.client : undefined;
      return one(resources, call.type).plan(call, { client: ready, signal: stopping.signal, explain });
    },
    applyResourceChange: (call) =>
      withClient(
        (run) => one(resources, call.type).apply(call, run),
        (diagnostics) => ({ newState: call.prior, private: call.plannedPrivate, legacyTypeSystem: false, diagnostics }),
      ),
    importResourceState: (call) =>
      withClient(
        (run) => one(resources, call.type).importState(call, run),
        (diagnostics) => ({ imported: [], diagnostics }),
      ),
    moveResourceState: async (call) => one(resources, call.targetType).move(call),
    readDataSource: (call) =>
      withClient(
        (run) => one(dataSources, call.type).read(call, run),
        (diagnostics) => ({ state: nullValue(impliedType(one(dataSources, call.type).schema.block)), diagnostics }),
      ),
    openEphemeralResource: (call) =>
      withClient(
        (run) => one(ephemeralResources, call.type).open(call, run),
        (diagnostics) => ({
          result: nullValue(impliedType(one(ephemeralResources, call.type).schema.block)),
          private: new Uint8Array(),
          diagnostics,
        }),
      ),
    renewEphemeralResource: (call) =>
      withClient(
        (run) => one(ephemeralResources, call.type).renew(call, run),
        (diagnostics) => ({ private: call.private, diagnostics }),
      ),
    closeEphemeralResource: (call) =>
      withClient(
        (run) => one(ephemeralResources, call.type).close(call, run),
        (diagnostics) => ({ diagnostics }),
      ),
    callFunction: async ({ name, args }) => one(functions, name).call(args),
    stop: async () => {
      // Calls that begin after the stop (closing what is open) are not told to end at once.
      stopping.abort(new DOMException("the provider was asked to stop", "AbortError"));
      stopping = new AbortController();
    },
    close: async () => {
      if (client.state === "ready") await definition.close?.(client.client);
      client = { state: "unconfigured" };
    },
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
