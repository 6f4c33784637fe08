import { describe, expect, test } from "vitest";
import { actionsOf, messages, plainOf, TestEngine, type TestFiles } from "../testing/test-engine.ts";
import type { Value } from "@millwright/value/value";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;

describe("all can be taken down", () => {
  const cases: readonly { name: string; made: TestFiles; now?: TestFiles; fail?: string; want: readonly string[] }[] = [
    {
      name: "when only part of it was ever made",
      made:
        small("a") +
        small("b", "value = test_small.a.id") +
        'locals {\n x = test_small.b.id\n}\noutput "o" {\n value = local.x\n}\n',
      fail: "b",
      want: ["delete test_small.a"],
    },
    {
      name: "when a local takes the first of none",
      made: small("a", "count = 1") + "locals {\n x = test_small.a[0].id\n}\n" + small("b", "value = local.x"),
      fail: "a",
      want: [],
    },
    {
      name: "when the number of something is told by what is not there",
      made: small("a") + small("b", "count = 2"),
      now: small("a") + small("c", "count = 3") + small("b", "count = length(test_small.c)"),
      want: ["delete test_small.a", "delete test_small.b[0]", "delete test_small.b[1]"],
    },
    {
      name: "when a module is repeated by what is not there any more",
      made: {
        "main.tf": `${small("a", "count = 2")}module "m" {\n source = "./m"\n count = 2\n}`,
        "m/main.tf": small("x"),
      },
      now: {
        "main.tf": `${small("a", "count = 2")}module "m" {\n source = "./m"\n for_each = { (test_small.a[1].id) = 1 }\n}`,
        "m/main.tf": small("x"),
      },
      want: [
        "delete test_small.a[0]",
        "delete test_small.a[1]",
        "delete module.m[0].test_small.x because no_module",
        "delete module.m[1].test_small.x because no_module",
      ],
    },
    {
      name: "with a data source of what is to go",
      made:
        small("a") +
        'data "test_lookup" "d" {\n name = test_small.a.name\n}\n' +
        small("b", "value = data.test_lookup.d.id"),
      want: ["delete test_small.a", "delete test_small.b"],
    },
    {
      name: "when a precondition does not hold any more",
      made: small("a"),
      now: small("a", 'lifecycle {\n precondition {\n condition = path.module == "x"\n error_message = "no"\n }\n}'),
      want: ["delete test_small.a"],
    },
  ];
  for (const { name, made, now, fail, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine(made);
      if (fail !== undefined) engine.provider.faults.add({ on: "create", name: fail, how: "fail", times: 1 });
      await engine.apply();
      if (now !== undefined) engine.configure(now);
      const { plan, diagnostics } = await engine.plan({ mode: "destroy" });
      expect(messages(diagnostics)).toEqual([]);
      expect(actionsOf(plan.changes)).toEqual(want);
      const result = await engine.apply(plan);
      expect(messages(result.diagnostics)).toEqual([]);
      expect(engine.objects()).toEqual([]);
      expect(result.state.outputs.size).toBe(0);
      expect(engine.provider.world.names()).toEqual([]);
    });
  }
});

test("an object of which the state does not know what it needs goes before that, as the configuration says", async () => {
  const engine = new TestEngine("");
  const files =
    small("a") +
    'data "test_lookup" "d" {\n name = test_small.a.name\n}\n' +
    small("b", "value = data.test_lookup.d.id");
  await engine.given(files);
  for (const resource of engine.state.resources.values())
    for (const instance of resource.instances.values())
      if (instance.current) Object.assign(instance.current, { dependencies: [] });
  const { plan } = await engine.plan({ mode: "destroy" });
  engine.provider.log.clear();
  await engine.apply(plan);
  const ended = engine.provider.log.calls.filter(({ method }) => method === "applyResourceChange");
  expect(ended.map(({ request }) => plainOf((request as { prior: Value }).prior))).toMatchObject([
    { name: "b" },
    { name: "a" },
  ]);
});
