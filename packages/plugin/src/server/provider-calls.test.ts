import { systemChance, systemClock } from "@millwright/core/ports";
import type { Provider } from "@millwright/provider/protocol";
import type { TestAlterations } from "@millwright/provider/testing";
import { testProvider } from "@millwright/provider/testing";
import { configureForTest } from "@millwright/provider/testing/contract";
import { objectFor } from "@millwright/provider/testing/objects";
import { impliedType } from "@millwright/provider/implied-type";
import type { Value } from "@millwright/value/value";
import { nullValue, stringValue } from "@millwright/value/value";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attachedProvider } from "../host/plugin.ts";
import { readReattach } from "../host/reattach.ts";
import { serveReattached } from "./serve.ts";

// The same calls of a provider in this process and over the wire.
const end = new AbortController();
let served: Promise<number>;
let here: Provider;
let wired: Provider;
let alter: TestAlterations;

beforeAll(async () => {
  const said = Promise.withResolvers<string>();
  const [ours, theirs] = [testProvider(), testProvider()];
  served = serveReattached(
    async () => ({ value: theirs, diagnostics: [] }),
    { source: "test", pid: 1 },
    {
      env: {},
      stdout: said.resolve,
      stderr: () => undefined,
      clock: systemClock,
      chance: systemChance,
      end: end.signal,
    },
  );
  const read = readReattach(/PROVIDERS='(.*)'/.exec(await said.promise)![1]);
  here = ours.start();
  ({ alter } = theirs);
  wired = await attachedProvider((read.ok ? read.targets : new Map()).get("test")!);
  for (const provider of [here, wired]) await configureForTest(provider);
});
afterAll(async () => {
  await wired.close();
  end.abort();
  await served;
});

const bytes = new TextEncoder().encode('{"kept":1}');

async function objects() {
  const schema = await here.schema();
  const small = schema.resources.get("test_small")!.block;
  const object = (config: Readonly<Record<string, unknown>>): Value => objectFor(small, config);
  return { object, nothing: nullValue(impliedType(small)), schema };
}

const calls: readonly { name: string; call: (provider: Provider) => Promise<unknown> }[] = [
  {
    name: "validation, with the place of the fault",
    call: async (provider) => {
      const block = (await objects()).schema.resources.get("test_thing")!.block;
      const config = objectFor(block, { name: "a", old_text: "x", size: 1.5 });
      return provider.validateResourceConfig({ type: "test_thing", config });
    },
  },
  {
    name: "a plan that replaces, and what it remembers",
    call: async (provider) => {
      const { object } = await objects();
      const [prior, proposed] = [
        object({ name: "a", force: "x", id: "i" }),
        object({ name: "a", force: "y", id: "i" }),
      ];
      return provider.planResourceChange({
        type: "test_small",
        prior,
        proposed,
        config: proposed,
        priorPrivate: bytes,
      });
    },
  },
  {
    name: "a plan of the older type system",
    call: async (provider) => {
      const { object, nothing } = await objects();
      const config = object({ name: "a", value: "up" });
      const call = { type: "test_legacy", prior: nothing, proposed: config, config, priorPrivate: bytes };
      return provider.planResourceChange(call);
    },
  },
  {
    name: "a create, and what it keeps",
    call: async (provider) => {
      const { object, nothing } = await objects();
      const config = object({ name: "made" });
      const priorPrivate = new Uint8Array();
      const call = { type: "test_small", prior: nothing, proposed: config, config, priorPrivate };
      const { planned, plannedPrivate } = await provider.planResourceChange(call);
      return provider.applyResourceChange({ type: "test_small", prior: nothing, planned, config, plannedPrivate });
    },
  },
  {
    name: "what is there, and its private bytes",
    call: async (provider) => {
      const { object } = await objects();
      return provider.readResource({ type: "test_small", current: object({ id: "test_small-1" }), private: bytes });
    },
  },
  {
    name: "what is gone",
    call: async (provider) => {
      const { object } = await objects();
      return provider.readResource({ type: "test_small", current: object({ id: "none", name: "n" }), private: bytes });
    },
  },
  {
    name: "an old state",
    call: (provider) =>
      provider.upgradeResourceState({ type: "test_small", version: 0, json: '{"name":"a","id":"b","lost":1}' }),
  },
  {
    name: "an import",
    call: (provider) => provider.importResourceState({ type: "test_small", id: "test_small-1" }),
  },
  { name: "an import of nothing", call: (provider) => provider.importResourceState({ type: "test_small", id: "no" }) },
  {
    name: "an import by identity, once there is something",
    call: async (provider) => {
      const block = (await objects()).schema.resources.get("test_named")!.block;
      const [config, prior] = [objectFor(block, { name: "n" }), nullValue(impliedType(block))];
      const common = { type: "test_named", prior, config };
      const { planned, plannedIdentity, plannedPrivate } = await provider.planResourceChange({
        ...common,
        proposed: config,
        priorPrivate: new Uint8Array(),
      });
      const made = await provider.applyResourceChange({
        ...common,
        planned,
        plannedPrivate,
        plannedIdentity: plannedIdentity!,
      });
      const { identity } = made;
      const imported = await provider.importResourceState({ type: "test_named", id: "", identity: identity! });
      const current = imported.imported[0]!.state;
      const read = await provider.readResource({ type: "test_named", current, private: bytes, identity: identity! });
      return { plannedIdentity, made, imported, read };
    },
  },
  {
    name: "an old identity",
    call: (provider) =>
      provider.upgradeResourceIdentity!({ type: "test_named", version: 0, json: '{"title":"a","id":"b"}' }),
  },
  {
    name: "a function",
    call: (provider) => provider.callFunction({ name: "shout", args: [stringValue("hey")] }),
  },
  {
    name: "an ephemeral resource, from its opening to its end",
    call: async (provider) => {
      const block = (await objects()).schema.ephemeralResources.get("test_ticket")!.block;
      const config = objectFor(block, { name: "t" });
      const opened = await provider.openEphemeralResource({ type: "test_ticket", config });
      const call = { type: "test_ticket", private: opened.private };
      const [renewed, closed] = [
        await provider.renewEphemeralResource(call),
        await provider.closeEphemeralResource(call),
      ];
      // When to renew is told from now.
      const [first, second] = [opened, renewed].map(({ renewAt, ...rest }) => ({
        ...rest,
        renews: renewAt !== undefined,
      }));
      return { first, second, closed };
    },
  },
];

/** Bytes as digits, of whatever class they are. */
function withoutBuffers(answer: unknown): unknown {
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString("hex");
  if (Array.isArray(answer)) return answer.map(withoutBuffers);
  if (typeof answer !== "object" || answer === null || Object.getPrototypeOf(answer) !== Object.prototype)
    return answer;
  return Object.fromEntries(Object.entries(answer).map(([name, one]) => [name, withoutBuffers(one)]));
}

test.each(calls)("over the wire comes the same: $name", async ({ call }) => {
  expect(withoutBuffers(await call(wired))).toEqual(withoutBuffers(await call(here)));
});

test("the schema over the wire is the same, but for what is beyond the protocol", async () => {
  const [own, told] = [await here.schema(), await wired.schema()];
  expect([...told.resources.keys()]).toEqual([...own.resources.keys()]);
  expect(told.functions.get("shout")).toEqual(own.functions.get("shout"));
  expect(told.capabilities).toEqual(own.capabilities);
  for (const [name, { version, identity }] of told.resources)
    expect({ version, identity }).toEqual({
      version: own.resources.get(name)!.version,
      identity: own.resources.get(name)!.identity,
    });
});

test("an answer that is put off says so where that is allowed, and is an error where it is not", async () => {
  const { object, nothing } = await objects();
  const config = object({ name: "a" });
  const call = { type: "test_small", prior: nothing, proposed: config, config, priorPrivate: bytes };
  alter.plan = (answer) => ({ ...answer, deferral: "absent-prerequisite" });
  alter.read = (answer) => ({ ...answer, deferral: "provider-config-unknown" });
  const reading = { type: "test_small", current: object({ name: "a", id: "i" }), private: bytes };
  expect(await wired.planResourceChange({ ...call, deferralAllowed: true })).toMatchObject({
    deferral: "absent-prerequisite",
    diagnostics: [],
  });
  expect(await wired.readResource({ ...reading, deferralAllowed: true })).toMatchObject({
    deferral: "provider-config-unknown",
  });
  const refused = await wired.planResourceChange(call);
  expect(refused.deferral).toBeUndefined();
  expect(refused.diagnostics).toMatchObject([{ severity: "error", summary: "Provider put off its answer" }]);
});
