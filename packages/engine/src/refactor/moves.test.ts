import { describe, expect, test } from "vitest";
import { readStateFile } from "../statefile/read.ts";
import { actionsOf, messages, plainOf, TestEngine } from "../testing/test-engine.ts";

const small = (name: string, body = "") => `resource "test_small" "${name}" {\n name = "x"\n ${body}\n}\n`;
const moved = (from: string, to: string) => `moved {\n from = ${from}\n to = ${to}\n}\n`;

function stateWith(type: string, attributes: Readonly<Record<string, unknown>>) {
  const provider = 'provider["registry.terraform.io/millwright/test"]';
  const instances = [{ schema_version: 0, attributes }];
  const resources = [{ mode: "managed", type, name: "a", provider, instances }];
  const text = JSON.stringify({ version: 4, serial: 1, lineage: "l", outputs: {}, resources });
  return readStateFile(text, "the state of a test").value.state;
}

/** The addresses of a state after moves, and what a plan makes of them. */
async function planned(before: string, after: string) {
  const engine = new TestEngine(before);
  await engine.apply();
  engine.configure(after);
  const { plan, diagnostics } = await engine.plan();
  const moves = plan.changes.flatMap(({ address, previousAddress }) =>
    previousAddress === undefined ? [] : [`${previousAddress} -> ${address.text}`],
  );
  return { engine, plan, moves, actions: actionsOf(plan.changes), said: messages(diagnostics) };
}

describe("a moved block", () => {
  const cases = [
    {
      name: "renames a resource",
      before: small("a"),
      after: small("b") + moved("test_small.a", "test_small.b"),
      moves: ["test_small.a -> test_small.b"],
    },
    {
      name: "renames along a chain, whatever order its blocks are in",
      before: small("a"),
      after: moved("test_small.b", "test_small.c") + moved("test_small.a", "test_small.b") + small("c"),
      moves: ["test_small.a -> test_small.c"],
    },
    {
      name: "renames all instances of a resource by naming it",
      before: small("a", "count = 2"),
      after: small("b", "count = 2") + moved("test_small.a", "test_small.b"),
      moves: ["test_small.a[0] -> test_small.b[0]", "test_small.a[1] -> test_small.b[1]"],
    },
    {
      name: "takes one instance out of many",
      before: small("a", "count = 2"),
      after: small("a", "count = 1") + small("b") + moved("test_small.a[1]", "test_small.b"),
      moves: ["test_small.a[1] -> test_small.b"],
    },
    {
      name: "is carried out before what follows from a count that was added",
      before: small("a"),
      after: small("a", "count = 1") + small("b") + moved("test_small.a", "test_small.b"),
      moves: ["test_small.a -> test_small.b"],
    },
  ];
  test.each(cases)("$name", async ({ before, after, moves }) => {
    const found = await planned(before, after);
    expect(found.said).toEqual([]);
    expect(found.moves).toEqual(moves);
    expect(found.plan.changes.some(({ action }) => action === "delete")).toBe(false);
  });

  test("leaves an object where it is that has no room at its new address", async () => {
    const { said, actions } = await planned(
      small("a") + small("b"),
      small("b") + moved("test_small.a", "test_small.b"),
    );
    expect(said[0]).toMatch(
      /Unresolved resource instance address changes.*test_small.a could not move to test_small.b/s,
    );
    expect(actions).toEqual(["delete test_small.a because no_resource_config"]);
  });

  test("has the provider bring an object to another type", async () => {
    const engine = new TestEngine(
      'resource "test_thing" "b" {\n name = "x"\n}\n' + moved("test_former.a", "test_thing.b"),
    );
    engine.state = stateWith("test_former", { title: "x" });
    const { plan, diagnostics } = await engine.plan({ refresh: false });
    expect(messages(diagnostics)).toEqual([]);
    const [change] = plan.changes;
    expect(change).toMatchObject({ previousAddress: "test_former.a" });
    expect(change && plainOf(change.before)).toMatchObject({ name: "x" });
    expect(engine.provider.log.count("moveResourceState")).toBe(1);
  });

  test("is refused by a provider that cannot make the one type of the other", async () => {
    const { said } = await planned(
      small("a"),
      'resource "test_thing" "b" {\n name = "x"\n}\n' + moved("test_small.a", "test_thing.b"),
    );
    expect(said.join("\n")).toMatch(/^error: .*test_small/);
  });

  test("writes the new addresses into the state, without a call that changes anything", async () => {
    const { engine, plan } = await planned(small("a"), small("b") + moved("test_small.a", "test_small.b"));
    const before = engine.provider.log.count("applyResourceChange");
    engine.state = (await engine.apply(plan)).state;
    expect(engine.objects()).toEqual(["test_small.b"]);
    expect(engine.provider.log.count("applyResourceChange")).toBe(before);
  });
});
