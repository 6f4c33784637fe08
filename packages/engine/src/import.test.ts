import { invariant } from "@millwright/core/errors";
import { formatPath } from "@millwright/value/path";
import { describe, expect, test } from "vitest";
import { importObject } from "./import.ts";
import { parseAddress } from "./parse-address.ts";
import { actionsOf, messages, TestEngine } from "./testing/test-engine.ts";

const thing = 'resource "test_thing" "a" {\n name = "a"\n}\n';

/** An engine whose world has the thing "a", and whose state does not. */
async function engineWith(files: string) {
  const engine = new TestEngine("");
  await engine.given(thing);
  const { state } = engine;
  engine.state = new TestEngine("").state;
  engine.configure(files);
  return { engine, before: state };
}

async function importInto(engine: TestEngine, address: string, id: string) {
  const parsed = parseAddress(address);
  invariant(parsed?.kind === "instance", "the address of a test is one of an instance");
  const result = await importObject(engine.context(false, []), engine.state, engine.pool(), parsed.address, id);
  return { state: result.value, said: messages(result.diagnostics) };
}

describe("an import takes an object into the state", () => {
  test("which a plan then finds unchanged, without ever having created it", async () => {
    const { engine } = await engineWith(thing);
    const { state, said } = await importInto(engine, "test_thing.a", "a");
    expect(said).toEqual([]);
    engine.state = state;
    expect(engine.objects()).toEqual(["test_thing.a"]);
    expect(engine.attributes("test_thing.a")).toMatchObject({ name: "a", size: 3 });
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([]);
    expect(engine.provider.log.count("applyResourceChange")).toBe(0);
  });

  test("by the instance of a provider configuration that serves its address", async () => {
    const { engine } = await engineWith("");
    const by = 'provider "test" {\n alias = "by"\n for_each = { a = 1, b = 2 }\n}\n';
    engine.configure({
      "main.tf": `${by}module "m" {\n source = "./m"\n for_each = { a = 1 }\n providers = { test = test.by[each.key] }\n}\n${thing.replace("{\n", "{\n for_each = { c = 1 }\n provider = test.by[each.key]\n")}`,
      "m/main.tf": `terraform {\n required_providers {\n test = { source = "millwright/test" }\n }\n}\n${thing}`,
    });
    const { state, said } = await importInto(engine, 'module.m["a"].test_thing.a', "a");
    expect(said).toEqual([]);
    const [resource] = state.resources.values();
    expect([...resource!.instances.values()][0]?.providerKey).toBe("a");
    const other = await importInto(engine, 'test_thing.a["c"]', "a");
    expect(other.said.join()).toMatch(
      /Invalid provider instance key: test_thing\.a\["c"\] is to be served by .*\.by\["c"\]/,
    );
  });

  test("at the address of one instance, in a module", async () => {
    const { engine } = await engineWith("");
    engine.configure({
      "main.tf": 'module "m" {\n source = "./m"\n}\n',
      "m/main.tf": `terraform {\n required_providers {\n test = { source = "millwright/test" }\n }\n}\n${thing.replace("{\n", "{\n count = 1\n")}`,
    });
    const { state, said } = await importInto(engine, "module.m.test_thing.a[0]", "a");
    expect(said).toEqual([]);
    engine.state = state;
    expect(engine.objects()).toEqual(["module.m.test_thing.a[0]"]);
  });

  test("with a provider configured by variables and locals", async () => {
    const { engine } = await engineWith(
      `variable "p" {\n default = "p"\n}\nlocals {\n p = var.p\n}\nprovider "test" {\n prefix = local.p\n}\n${thing}`,
    );
    expect((await importInto(engine, "test_thing.a", "a")).said).toEqual([]);
    const configured = engine.provider.log.calls.find(({ method }) => method === "configure");
    expect(JSON.stringify(configured?.request, (_, data: unknown) => (data instanceof Map ? [...data] : data))).toMatch(
      /"prefix".*"p"/,
    );
  });

  test("even where something else of the configuration could not be evaluated", async () => {
    const { engine } = await engineWith(`locals {\n broken = [][1]\n}\n${thing}`);
    expect((await importInto(engine, "test_thing.a", "a")).said).toEqual([]);
  });
});

describe("an import is refused", () => {
  const cases: readonly { name: string; files: string; address?: string; id?: string; want: RegExp }[] = [
    {
      name: "where the configuration has no such resource",
      files: "",
      want: /does not exist in the configuration: .*"test_thing" "a" block/,
    },
    {
      name: "for a data source",
      files: 'data "test_lookup" "a" {\n name = "a"\n}\n',
      address: "data.test_lookup.a",
      want: /does not exist in the configuration/,
    },
    {
      name: "in a module that nobody calls",
      files: thing,
      address: "module.m.test_thing.a",
      want: /does not exist in the configuration/,
    },
    {
      name: "for a type that the provider does not have",
      files: 'resource "test_tiny" "a" {\n}\n',
      address: "test_tiny.a",
      want: /Invalid resource type: .*"test_tiny"/,
    },
    { name: "for an id that the provider does not know", files: thing, id: "b", want: /No such thing/ },
    {
      name: "for a type that cannot be imported",
      files: 'resource "test_small" "a" {\n name = "a"\n}\n',
      address: "test_small.a",
      want: /import/i,
    },
    {
      name: "where the provider is configured by a resource",
      files: `provider "test" {\n prefix = test_thing.b.id\n}\n${thing}${thing.replace('"a"', '"b"')}`,
      want: /Cycle|Invalid provider configuration/,
    },
    {
      name: "where the provider's configuration goes in a circle, saying so",
      files: `locals {\n x = local.y\n y = local.x\n}\nprovider "test" {\n prefix = local.x\n}\n${thing}`,
      want: /Cycle: .*local\./s,
    },
  ];
  for (const { name, files, address = "test_thing.a", id = "a", want } of cases) {
    test(name, async () => {
      const { engine } = await engineWith(files);
      const { state, said } = await importInto(engine, address, id);
      expect(said.join("\n")).toMatch(want);
      expect(state).toBe(engine.state);
    });
  }

  test("where the state has an object at that address", async () => {
    const { engine, before } = await engineWith(thing);
    engine.state = before;
    const { state, said } = await importInto(engine, "test_thing.a", "a");
    expect(said).toEqual([expect.stringMatching(/^error: Resource already managed: .*"state rm"/)]);
    expect(state).toBe(before);
  });

  const answers: readonly [string, Parameters<typeof wrongProvider>[1], RegExp][] = [
    ["where the provider answers with nothing", "nothing", /Nothing was imported: .*"a"/],
    ["where the object is gone by the time it is read", "gone", /Cannot import non-existent remote object: .*"a"/],
    ["where the provider dies", "dies", /test_thing.a|died|ended/],
  ];
  for (const [name, how, want] of answers) {
    test(name, async () => {
      const { engine } = await engineWith(thing);
      wrongProvider(engine, how);
      const { state, said } = await importInto(engine, "test_thing.a", "a");
      expect(said).toEqual([expect.stringMatching(/^error: /)]);
      expect(said[0]).toMatch(want);
      expect(state).toBe(engine.state);
    });
  }
});

test("what the schema calls sensitive is kept as sensitive by an import", async () => {
  const { engine } = await engineWith(thing);
  engine.state = (await importInto(engine, "test_thing.a", "a")).state;
  const paths = engine.object("test_thing.a").sensitivePaths.map(formatPath);
  expect(paths).toContain(".token");
  expect(paths).not.toContain(".text");
});

function wrongProvider(engine: TestEngine, how: "nothing" | "gone" | "dies"): void {
  engine.wrap = (provider) => ({
    ...provider,
    importResourceState: async (call) => {
      if (how === "dies") throw new Error("the provider's process ended unexpectedly");
      const answer = await provider.importResourceState(call);
      if (how === "nothing") return { ...answer, imported: [] };
      engine.provider.world.delete(engine.provider.world.all()[0]!.id);
      return answer;
    },
  });
}
