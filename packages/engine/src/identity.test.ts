import { describe, expect, test } from "vitest";
import type { Value } from "@millwright/value/value";
import { emptyObject, objectValue, stringValue, unknownValue } from "@millwright/value/value";
import { stringType } from "@millwright/value/types";
import type { ObjectState } from "./state.ts";
import { instancesOf, StateBuilder } from "./state.ts";
import { plainOf, summaries, TestEngine } from "./testing/test-engine.ts";

const named = (name: string, rest = "") => `resource "test_named" "a" {\n  name = "${name}"\n  ${rest}\n}\n`;

/** What the engine's state has of the identity of its only object. */
function kept({ state }: TestEngine): unknown {
  const [{ instance } = { instance: undefined }] = instancesOf(state);
  const { identity } = instance?.current ?? {};
  return identity && { version: identity.schemaVersion, ...(JSON.parse(identity.json) as object) };
}

/** Puts other things beside the only object of the engine's state. */
function store(engine: TestEngine, change: (object: ObjectState) => ObjectState): void {
  const builder = new StateBuilder(engine.state);
  const [{ address, resource, instance }] = instancesOf(engine.state) as [ReturnType<typeof instancesOf>[number]];
  builder.setCurrent(address, resource.provider, change(instance.current!));
  engine.state = builder.snapshot();
}

const identity = (name: string, id: string): Value =>
  objectValue([
    ["name", stringValue(name)],
    ["id", stringValue(id)],
  ]);
const ofA = { version: 1, name: "a", id: "test_named-1" };

async function made(rest = ""): Promise<TestEngine> {
  const engine = new TestEngine("");
  await engine.given(named("a", rest));
  return engine;
}

describe("an identity is kept", () => {
  test("from the create on, and planned as far as it is known", async () => {
    const engine = new TestEngine(named("a"));
    const { plan } = await engine.plan();
    const [change] = plan.changes;
    expect(change!.beforeIdentity).toBeUndefined();
    expect(plainOf(change!.afterIdentity!)).toEqual({ name: "a", id: "(unknown)" });
    await engine.apply(plan);
    expect(kept(engine)).toEqual(ofA);
  });

  test("over an update, to whose provider it is given in each call", async () => {
    const engine = await made();
    engine.configure(named("a", 'value = "x"'));
    await engine.apply();
    expect(kept(engine)).toEqual(ofA);
    const want = identity("a", "test_named-1");
    const given = engine.provider.log.calls.flatMap(({ method, request }) => {
      const call = request as Readonly<Record<string, unknown>> | undefined;
      const one = call?.identity ?? call?.priorIdentity ?? call?.plannedIdentity;
      return one === undefined ? [] : [{ method, one }];
    });
    expect(given).toEqual(
      ["readResource", "planResourceChange", "readResource", "planResourceChange", "applyResourceChange"].map(
        (method) => ({ method, one: want }),
      ),
    );
  });

  test("while a provider says nothing of it", async () => {
    const engine = await made();
    engine.provider.alter.read = ({ identity: _, ...answer }) => answer;
    const { plan } = await engine.plan();
    expect(plainOf(plan.changes[0]!.beforeIdentity!)).toEqual({ name: "a", id: "test_named-1" });
    await engine.apply(plan);
    expect(kept(engine)).toEqual(ofA);
  });

  test("by what is deposed, and goes with it", async () => {
    const engine = await made("lifecycle {\n    create_before_destroy = true\n  }");
    engine.provider.faults.add({ on: "delete", name: "a", how: "fail", times: 1 });
    engine.configure(named("b", "lifecycle {\n    create_before_destroy = true\n  }"));
    await engine.apply();
    const [{ instance } = { instance: undefined }] = instancesOf(engine.state);
    const [old] = instance!.deposed.values();
    expect(JSON.parse(old!.identity!.json)).toEqual({ name: "a", id: "test_named-1" });
    expect(kept(engine)).toEqual({ version: 1, name: "b", id: "test_named-2" });
    const { plan } = await engine.plan();
    const gone = plan.changes.find(({ deposedKey }) => deposedKey !== undefined);
    expect(plainOf(gone!.beforeIdentity!)).toEqual({ name: "a", id: "test_named-1" });
  });

  test("over a move of its resource, and given where it was of another type that has none", async () => {
    const engine = new TestEngine("");
    await engine.given('resource "test_small" "old" {\n  name = "a"\n}\n');
    engine.configure(`${named("a")}moved {\n  from = test_small.old\n  to   = test_named.a\n}\n`);
    await engine.apply();
    expect(kept(engine)).toEqual({ version: 1, name: "a", id: "test_small-1" });
    engine.configure(
      `${named("a").replace('"a" {', '"b" {')}moved {\n  from = test_named.a\n  to   = test_named.b\n}\n`,
    );
    await engine.apply();
    expect(engine.objects()).toEqual(["test_named.b"]);
    expect(kept(engine)).toEqual({ version: 1, name: "a", id: "test_small-1" });
  });

  test("and taken up by a refresh of an object that has none yet", async () => {
    const engine = await made();
    store(engine, ({ identity: _, ...object }) => object);
    await engine.apply();
    expect(kept(engine)).toEqual(ofA);
  });
});

test("a replacement is planned with none before it, and has another", async () => {
  const engine = await made();
  engine.configure(named("b"));
  engine.provider.log.clear();
  const { plan } = await engine.plan();
  const [change] = plan.changes;
  expect(plainOf(change!.beforeIdentity!)).toEqual({ name: "a", id: "test_named-1" });
  expect(plainOf(change!.afterIdentity!)).toEqual({ name: "b", id: "(unknown)" });
  const asked = engine.provider.log.calls.filter(({ method }) => method === "planResourceChange");
  expect(asked.map(({ request }) => "priorIdentity" in (request as object))).toEqual([true, false]);
  await engine.apply(plan);
  expect(kept(engine)).toEqual({ version: 1, name: "b", id: "test_named-2" });
});

describe("a stored identity", () => {
  test("of an older version is brought up to date by the provider", async () => {
    const engine = await made();
    const json = '{"title":"a","id":"test_named-1"}';
    store(engine, (object) => ({ ...object, identity: { schemaVersion: 0, json } }));
    await engine.apply();
    expect(kept(engine)).toEqual(ofA);
    expect(engine.provider.log.count("upgradeResourceIdentity")).toBeGreaterThan(0);
  });

  test("of a newer version is an error", async () => {
    const engine = await made();
    store(engine, (object) => ({ ...object, identity: { schemaVersion: 7, json: "{}" } }));
    expect(summaries((await engine.plan()).diagnostics)).toEqual([
      "error: Resource identity managed by newer provider version",
    ]);
  });

  test("is dropped where objects of the type have none", async () => {
    const engine = new TestEngine("");
    await engine.given('resource "test_small" "a" {\n  name = "a"\n}\n');
    store(engine, (object) => ({ ...object, identity: { schemaVersion: 0, json: '{"x":1}' } }));
    await engine.apply();
    expect(kept(engine)).toBeUndefined();
  });
});

describe("an identity that cannot be used is the provider's fault", () => {
  test("planned of another type", async () => {
    const engine = new TestEngine(named("a"));
    engine.provider.alter.plan = (answer) => ({ ...answer, plannedIdentity: emptyObject });
    expect(summaries((await engine.plan()).diagnostics)).toEqual(["error: Provider produced invalid identity"]);
  });

  test("read and not known", async () => {
    const engine = await made();
    const unknown = objectValue([
      ["name", stringValue("a")],
      ["id", unknownValue(stringType)],
    ]);
    engine.provider.alter.read = (answer) => ({ ...answer, identity: unknown });
    expect(summaries((await engine.plan()).diagnostics)).toEqual(["error: Provider produced invalid identity"]);
    expect(kept(engine)).toEqual(ofA);
  });

  test("given after an update: what was done is kept, with the identity of before", async () => {
    const engine = await made();
    engine.configure(named("a", 'value = "x"'));
    engine.provider.alter.apply = (answer) => ({ ...answer, identity: emptyObject });
    const { diagnostics } = await engine.apply();
    expect(summaries(diagnostics)).toEqual(["error: Provider produced invalid identity"]);
    expect(engine.attributes("test_named.a").value).toBe("x");
    expect(kept(engine)).toEqual(ofA);
  });

  test("given after a create, and another than was planned", async () => {
    const engine = new TestEngine(named("a"));
    engine.provider.alter.apply = (answer) => ({ ...answer, identity: identity("b", "test_named-1") });
    const { diagnostics } = await engine.apply();
    expect(summaries(diagnostics)).toEqual(["error: Provider produced inconsistent result after apply"]);
  });

  test("but another one after an update is its word", async () => {
    const engine = await made();
    engine.configure(named("a", 'value = "x"'));
    engine.provider.alter.apply = (answer) => ({ ...answer, identity: identity("b", "test_named-1") });
    expect(summaries((await engine.apply()).diagnostics)).toEqual([]);
    expect(kept(engine)).toEqual({ version: 1, name: "b", id: "test_named-1" });
  });
});
