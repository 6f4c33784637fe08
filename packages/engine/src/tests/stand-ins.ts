import type { Chance } from "@millwright/core/ports";
import { invariant } from "@millwright/core/errors";
import type { Provider } from "@millwright/provider/protocol";
import type { ProviderSchema } from "@millwright/provider/schema";
import { asMap, emptyObject, type Value } from "@millwright/value/value";
import type { InstanceAddress, InstanceKey, ModuleInstance } from "../addresses.ts";
import { wholeProviderConfig } from "../addresses.ts";
import type { ModuleStandIns } from "../evaluator.ts";
import type { ProviderStandIns } from "../provider-pool.ts";
import { mockCalls, type MockedType, type MockValues } from "./mock-object.ts";
import type { MockProvider, Override } from "./test-file.ts";

/** Everything that a run puts in the place of the real thing. */
export interface StandIns {
  /** Mocked configurations, by `ProviderConfigAddress.text`. */
  readonly mocks: ReadonlyMap<string, MockProvider>;
  /** Overrides of the run, then of the file: earlier ones hold over later ones. */
  readonly overrides: readonly Override[];
  readonly chance: Chance;
}

/** Mocked providers and overridden resources, as the pool of providers asks for them. */
export function providerStandIns(standIns: StandIns): ProviderStandIns {
  const { mocks, overrides, chance } = standIns;
  return {
    configuration(address, schema, real) {
      const mock = mocks.get(wholeProviderConfig(address).text);
      return mock && mocked(real, schema, (mode, type) => mockedType(mock, schema, mode, type, chance));
    },
    instance(address, configuration, schema, real) {
      const own = mocks.get(wholeProviderConfig(configuration).text)?.overrides ?? [];
      const override = bestOverride([overrides, own], address);
      if (!override) return real;
      const duringPlan = override.duringPlan ?? mocks.get(wholeProviderConfig(configuration).text)?.duringPlan ?? false;
      const mock = { values: override.values, duringPlan, range: override.range };
      return mocked(real, schema, (mode, type) => typed(schema, mode, type, mock, chance));
    },
  };
}

/** Overridden modules, as an evaluator asks for them. */
export function moduleStandIns({ overrides }: Pick<StandIns, "overrides">): ModuleStandIns {
  const modules = overrides.filter(({ kind }) => kind === "module");
  return {
    outputsOf(instance: ModuleInstance): ReadonlyMap<string, Value> | undefined {
      for (const { target, values } of sorted(modules)) {
        if (target.kind === "module" && sameModule(target.module, instance)) return asMap(values);
      }
      return undefined;
    },
  };
}

function mocked(
  real: Provider,
  schema: ProviderSchema,
  typeOf: (mode: "managed" | "data", type: string) => MockedType,
): Provider {
  const calls = mockCalls(typeOf);
  return {
    ...calls,
    schema: () => Promise.resolve(schema),
    validateProviderConfig: ({ config }) => Promise.resolve({ prepared: config, diagnostics: [] }),
    validateEphemeralConfig: () => Promise.resolve({ diagnostics: [] }),
    upgradeResourceState: (call) => real.upgradeResourceState(call),
    configure: () => Promise.resolve({ diagnostics: [] }),
    moveResourceState: (call) => real.moveResourceState(call),
    openEphemeralResource: (call) => real.openEphemeralResource(call),
    renewEphemeralResource: (call) => real.renewEphemeralResource(call),
    closeEphemeralResource: (call) => real.closeEphemeralResource(call),
    callFunction: (call) => real.callFunction(call),
    stop: () => real.stop(),
    close: () => real.close(),
  };
}

function mockedType(
  mock: MockProvider,
  schema: ProviderSchema,
  mode: "managed" | "data",
  type: string,
  chance: Chance,
): MockedType {
  const defaults = (mode === "data" ? mock.dataSources : mock.resources).get(type);
  const duringPlan = defaults?.duringPlan ?? mock.duringPlan;
  return typed(
    schema,
    mode,
    type,
    { values: defaults?.values ?? emptyObject, duringPlan, range: defaults?.range },
    chance,
  );
}

function typed(
  schema: ProviderSchema,
  mode: "managed" | "data",
  type: string,
  mock: MockValues,
  chance: Chance,
): MockedType {
  const found = (mode === "data" ? schema.dataSources : schema.resources).get(type);
  invariant(found, `the mocked type ${type} has a schema`);
  return { schema: found, mock, chance };
}

/** Of several overrides the nearest one holds: the run's over the file's over the provider's, an instance's over a whole resource's. */
function bestOverride(levels: readonly (readonly Override[])[], address: InstanceAddress): Override | undefined {
  const kind = address.resource.mode === "data" ? "data" : "resource";
  for (const level of levels) {
    const found = sorted(level).find(({ kind: of, target }) => of === kind && matches(target, address));
    if (found) return found;
  }
  return undefined;
}

function matches(target: Override["target"], address: InstanceAddress): boolean {
  if (target.kind !== "instance") return false;
  const { module, resource, key } = target.address;
  return (
    sameModule(module, address.module) &&
    resource.type === address.resource.type &&
    resource.name === address.resource.name &&
    sameKey(key, address.key)
  );
}

/** Whether a module of a target (which may leave keys out) is an instance of a module. */
function sameModule(target: ModuleInstance, instance: ModuleInstance): boolean {
  return (
    target.steps.length === instance.steps.length &&
    target.steps.every((step, i) => {
      const other = instance.steps[i]!;
      return step.name === other.name && sameKey(step.key, other.key);
    })
  );
}

function sameKey(wanted: InstanceKey, key: InstanceKey): boolean {
  return wanted === undefined || wanted === key;
}

// The more particular target first: the one with a key where the other has none, at the earliest module. Equals keep their order.
function sorted(overrides: readonly Override[]): readonly Override[] {
  return overrides.length < 2 ? overrides : [...overrides].sort((a, b) => compareText(keysOf(b), keysOf(a)));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keysOf({ target }: Override): string {
  const module = target.kind === "module" ? target.module : target.address.module;
  const own = target.kind === "module" ? [] : [target.address.key];
  return [...module.steps.map(({ key }) => key), ...own].map((key) => (key === undefined ? "0" : "1")).join("");
}
