import type { Clock } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import type { Value } from "@millwright/value/value";
import { asMap, asString, isKnown, isNull, objectValue, stringValue } from "@millwright/value/value";
import { defineProvider } from "../define.ts";
import { optional, string } from "../fields.ts";
import type { ApplyAnswer, ApplyCall, PlanAnswer, PlanCall, Provider, ReadAnswer, ReadCall } from "../protocol.ts";
import { defineFunction, parameter } from "../provider-function.ts";
import type { TestOperation } from "./faults.ts";
import { TestFaults } from "./faults.ts";
import { CallLog, recorded } from "./recorded.ts";
import { testLookup, testNamed, testSmall, testThing, testTicket } from "./test-thing.ts";
import { TestWorld } from "./world.ts";

/**
 * A provider for the tests of whoever drives providers, with a world of its own that outlives its instances.
 *
 * Resources `test_thing` (attributes of every kind, blocks of every nesting), `test_small`, `test_lawless` (its plan upper-cases
 * `value`, against the contract), `test_legacy` (the same, under the older type system's leniency) and `test_named` (with an
 * identity); data source
 * `test_lookup`; ephemeral resource `test_ticket`; function `shout`. The provider's configuration has `prefix`.
 */
export interface TestProvider {
  /** `registry.terraform.io/millwright/test`. */
  readonly address: string;
  readonly version: string;
  readonly world: TestWorld;
  readonly faults: TestFaults;
  readonly log: CallLog;
  /** Changes answers on their way out, to show a provider that breaks the contract; the test sets what it needs. */
  readonly alter: TestAlterations;
  /** A fresh instance, not configured. All instances share world, faults and log. */
  start(): Provider;
}

export interface TestAlterations {
  plan?: (answer: PlanAnswer, call: PlanCall) => PlanAnswer;
  apply?: (answer: ApplyAnswer, call: ApplyCall) => ApplyAnswer;
  read?: (answer: ReadAnswer, call: ReadCall) => ReadAnswer;
}

export function testProvider(options: { readonly clock?: Clock } = {}): TestProvider {
  const world = new TestWorld();
  const faults = new TestFaults(options.clock ?? systemClock);
  const log = new CallLog();
  const alter: TestAlterations = {};
  const defined = defineProvider({
    name: "test",
    version: "1.0.0",
    schema: { prefix: optional(string) },
    configure: ({ config }) => ({ world, faults, prefix: config.prefix ?? "" }),
    resources: {
      test_thing: testThing,
      test_small: testSmall,
      test_lawless: testSmall,
      test_legacy: testSmall,
      test_named: testNamed,
    },
    dataSources: { test_lookup: testLookup },
    ephemeralResources: { test_ticket: testTicket },
    functions: {
      shout: defineFunction({
        parameters: [parameter("text", string)],
        returns: string,
        run: (text) => text.toUpperCase(),
      }),
    },
  });
  return {
    address: "registry.terraform.io/millwright/test",
    version: defined.version,
    world,
    faults,
    log,
    alter,
    start: () => recorded(altered(crashing(defined.start(), faults), alter), log),
  };
}

/** Rejects where a crash was commanded, as the connection to a dead process does. */
function crashing(provider: Provider, faults: TestFaults): Provider {
  const guard = (on: TestOperation, object: Value) => {
    if (faults.takeCrash(on, nameOf(object))) throw new Error("the provider's process ended unexpectedly");
  };
  return {
    ...provider,
    readResource: async (call) => {
      guard("read", call.current);
      return provider.readResource(call);
    },
    applyResourceChange: async (call) => {
      guard(
        isNull(call.planned) ? "delete" : isNull(call.prior) ? "create" : "update",
        isNull(call.planned) ? call.prior : call.planned,
      );
      return provider.applyResourceChange(call);
    },
    readDataSource: async (call) => {
      guard("data", call.config);
      return provider.readDataSource(call);
    },
    openEphemeralResource: async (call) => {
      guard("open", call.config);
      return provider.openEphemeralResource(call);
    },
  };
}

function altered(provider: Provider, alter: TestAlterations): Provider {
  return {
    ...provider,
    readResource: async (call) => {
      const answer = await provider.readResource(call);
      return alter.read?.(answer, call) ?? answer;
    },
    planResourceChange: async (call) => {
      const answer = outsideTheLaw(call.type, await provider.planResourceChange(call));
      return alter.plan?.(answer, call) ?? answer;
    },
    applyResourceChange: async (call) => {
      const answer = { ...(await provider.applyResourceChange(call)), legacyTypeSystem: call.type === "test_legacy" };
      return alter.apply?.(answer, call) ?? answer;
    },
  };
}

function outsideTheLaw(type: string, answer: PlanAnswer): PlanAnswer {
  if (type !== "test_lawless" && type !== "test_legacy") return answer;
  return { ...answer, planned: inUpperCase(answer.planned), legacyTypeSystem: type === "test_legacy" };
}

function inUpperCase(planned: Value): Value {
  const value = isNull(planned) ? undefined : asMap(planned).get("value");
  if (!value || !isKnown(value) || isNull(value)) return planned;
  return objectValue([...asMap(planned), ["value", stringValue(asString(value).toUpperCase())]]);
}

function nameOf(object: Value): string {
  const name = isNull(object) ? undefined : asMap(object).get("name");
  return name && isKnown(name) && !isNull(name) ? asString(name) : "";
}
