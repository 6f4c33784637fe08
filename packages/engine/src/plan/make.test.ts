import { describe, expect, test } from "vitest";
import type { TestFiles, TestPlanOptions } from "../testing/test-engine.ts";
import { actionsOf, messages, plainOf, summaries, TestEngine } from "../testing/test-engine.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const lookup = (name: string, rest = "") => `data "test_lookup" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const lifecycle = (text: string) => `lifecycle {\n ${text}\n}`;

describe("a plan says what will be done, and why", () => {
  const cases: readonly {
    name: string;
    before: TestFiles;
    after: TestFiles;
    options?: TestPlanOptions;
    want: readonly string[];
  }[] = [
    { name: "what is the same needs nothing", before: small("a"), after: small("a"), want: [] },
    {
      name: "an attribute is changed in place",
      before: small("a", 'value = "1"'),
      after: small("a", 'value = "2"'),
      want: ["update test_small.a"],
    },
    {
      name: "an attribute that needs a new object",
      before: small("a", 'force = "1"'),
      after: small("a", 'force = "2"'),
      want: ["delete-create test_small.a because cannot_update"],
    },
    {
      name: "a request to replace is told from a need to",
      before: small("a", 'force = "1"'),
      after: small("a", 'force = "2"'),
      options: { forceReplace: ["test_small.a"] },
      want: ["delete-create test_small.a because replace_by_request"],
    },
    {
      name: "a removed block",
      before: small("a") + small("b"),
      after: small("b"),
      want: ["delete test_small.a because no_resource_config"],
    },
    {
      name: "a lowered count",
      before: small("a", "count = 3"),
      after: small("a", "count = 1"),
      want: ["delete test_small.a[1] because count_index", "delete test_small.a[2] because count_index"],
    },
    {
      name: "keys that are gone and keys that are new",
      before: small("a", "for_each = { x = 1, y = 2 }"),
      after: small("a", "for_each = { y = 2, z = 3 }"),
      want: ['delete test_small.a["x"] because each_key', 'create test_small.a["z"]'],
    },
    {
      name: "from count to for_each all is new",
      before: small("a", "count = 2"),
      after: small("a", "for_each = { x = 1 }"),
      want: [
        "delete test_small.a[0] because wrong_repetition",
        "delete test_small.a[1] because wrong_repetition",
        'create test_small.a["x"]',
      ],
    },
    {
      name: "with count put to it, the single object is the first",
      before: small("a"),
      after: small("a", "count = 2"),
      want: ["create test_small.a[1]"],
    },
    {
      name: "with count taken from it, the first object is the single one",
      before: small("a", "count = 2"),
      after: small("a"),
      want: ["delete test_small.a[1] because wrong_repetition"],
    },
    {
      name: "a lowered count of modules",
      before: { "main.tf": 'module "m" {\n source = "./m"\n count = 2\n}', "m/main.tf": small("a") },
      after: { "main.tf": 'module "m" {\n source = "./m"\n count = 1\n}', "m/main.tf": small("a") },
      want: ["delete module.m[1].test_small.a because no_module"],
    },
    {
      name: "a removed module",
      before: { "main.tf": 'module "m" {\n source = "./m"\n}', "m/main.tf": small("a") },
      after: "",
      want: ["delete module.m.test_small.a because no_resource_config"],
    },
    {
      name: "a trigger that changes replaces",
      before: small("a", 'value = "1"') + small("b", lifecycle("replace_triggered_by = [test_small.a]")),
      after: small("a", 'value = "2"') + small("b", lifecycle("replace_triggered_by = [test_small.a]")),
      want: ["update test_small.a", "delete-create test_small.b because replace_by_triggers"],
    },
    {
      name: "a trigger that is only created does not",
      before: small("b"),
      after: small("a") + small("b", lifecycle("replace_triggered_by = [test_small.a]")),
      want: ["create test_small.a"],
    },
    {
      name: "a triggering attribute that stays the same does not",
      before: small("a", 'value = "1"') + small("b", lifecycle("replace_triggered_by = [test_small.a.name]")),
      after: small("a", 'value = "2"') + small("b", lifecycle("replace_triggered_by = [test_small.a.name]")),
      want: ["update test_small.a"],
    },
    {
      name: "one instance triggers its twin",
      before:
        small("a", 'count = 2\nvalue = "1"') +
        small("b", `count = 2\n${lifecycle("replace_triggered_by = [test_small.a[count.index]]")}`),
      after:
        small("a", 'count = 2\nvalue = "${count.index + 1}"') +
        small("b", `count = 2\n${lifecycle("replace_triggered_by = [test_small.a[count.index]]")}`),
      want: ["update test_small.a[1]", "delete-create test_small.b[1] because replace_by_triggers"],
    },
    {
      name: "all changes may be ignored",
      before: small("a", `value = "1"\n${lifecycle("ignore_changes = all")}`),
      after: small("a", `value = "2"\n${lifecycle("ignore_changes = all")}`),
      want: [],
    },
    {
      name: "changes of one attribute may be ignored",
      before: small("a", `value = "1"\nforce = "1"\n${lifecycle("ignore_changes = [force]")}`),
      after: small("a", `value = "2"\nforce = "2"\n${lifecycle("ignore_changes = [force]")}`),
      want: ["update test_small.a"],
    },
    {
      name: "changes of one element of a map may be ignored",
      before: `resource "test_thing" "a" {\n name = "a"\n labels = { x = "1" }\n ${lifecycle('ignore_changes = [labels["y"]]')}\n}`,
      after: `resource "test_thing" "a" {\n name = "a"\n labels = { x = "1", y = "2" }\n ${lifecycle('ignore_changes = [labels["y"]]')}\n}`,
      want: [],
    },
    {
      name: "a target takes what it depends on, and nothing else",
      before: "",
      after: small("a") + small("b", "value = test_small.a.id") + small("c"),
      options: { targets: ["test_small.b"] },
      want: ["create test_small.a", "create test_small.b"],
    },
    {
      name: "a target may be one instance",
      before: "",
      after: small("a", "count = 3"),
      options: { targets: ["test_small.a[1]"] },
      want: ["create test_small.a[1]"],
    },
    {
      name: "a target may be a module",
      before: "",
      after: { "main.tf": `module "m" {\n source = "./m"\n}\n${small("b")}`, "m/main.tf": small("a") },
      options: { targets: ["module.m"] },
      want: ["create module.m.test_small.a"],
    },
    {
      name: "what is not targeted is not removed",
      before: small("a") + small("b"),
      after: small("a", 'value = "2"'),
      options: { targets: ["test_small.a"] },
      want: ["update test_small.a"],
    },
    {
      name: "a removed block may be targeted",
      before: small("a") + small("b"),
      after: small("a", 'value = "2"'),
      options: { targets: ["test_small.b"] },
      want: ["delete test_small.b because no_resource_config"],
    },
    {
      name: "a targeted destroy takes what depends on the target, and leaves what that depends on",
      before: small("a") + small("b", "value = test_small.a.id") + small("c", "value = test_small.b.id") + small("d"),
      after: small("a") + small("b", "value = test_small.a.id") + small("c", "value = test_small.b.id") + small("d"),
      options: { mode: "destroy", targets: ["test_small.b"] },
      want: ["delete test_small.b", "delete test_small.c"],
    },
    {
      name: "a destroy takes all that the state has",
      before: small("a", "count = 2") + small("b"),
      after: small("a", "count = 1"),
      options: { mode: "destroy" },
      want: ["delete test_small.a[0]", "delete test_small.a[1]", "delete test_small.b because no_resource_config"],
    },
  ];
  for (const { name, before, after, options, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine("");
      await engine.given(before);
      engine.configure(after);
      const { plan, diagnostics } = await engine.plan(options);
      expect(messages(diagnostics).filter((text) => text.startsWith("error"))).toEqual([]);
      expect(actionsOf(plan.changes)).toEqual(want);
    });
  }
});

describe("a plan that cannot be made says why", () => {
  const cases: readonly {
    name: string;
    before?: TestFiles;
    after: TestFiles;
    options?: TestPlanOptions;
    want: RegExp;
  }[] = [
    {
      name: "prevent_destroy stands against a replacement",
      before: small("a", `force = "1"\n${lifecycle("prevent_destroy = true")}`),
      after: small("a", `force = "2"\n${lifecycle("prevent_destroy = true")}`),
      want: /^error: Instance cannot be destroyed: Resource test_small.a has lifecycle.prevent_destroy set/,
    },
    {
      name: "prevent_destroy stands against a destroy",
      before: small("a", lifecycle("prevent_destroy = true")),
      after: small("a", lifecycle("prevent_destroy = true")),
      options: { mode: "destroy" },
      want: /^error: Instance cannot be destroyed/,
    },
    {
      name: "prevent_destroy stands against a lowered count",
      before: small("a", `count = 2\n${lifecycle("prevent_destroy = true")}`),
      after: small("a", `count = 1\n${lifecycle("prevent_destroy = true")}`),
      want: /^error: Instance cannot be destroyed: Resource test_small.a\[1\]/,
    },
    {
      name: "a count that is not known yet",
      after: small("a") + small("b", 'count = test_small.a.id == "x" ? 1 : 0'),
      want: /^error: Invalid count argument: The "count" value depends on resource attributes/,
    },
    {
      name: "keys that are not known yet",
      after: small("a") + small("b", "for_each = { (test_small.a.id) = 1 }"),
      want: /^error: Invalid for_each argument/,
    },
    {
      name: "a map of sensitive values as for_each",
      after: `variable "v" {\n sensitive = true\n default = { a = 1 }\n}\n${small("b", "for_each = var.v")}`,
      want: /^error: Invalid for_each argument: Sensitive values/,
    },
    {
      name: "a list as for_each",
      after: small("b", 'for_each = ["a"]'),
      want: /^error: Invalid for_each argument: .*you have provided a value of type tuple/,
    },
    {
      name: "a negative count",
      after: small("b", "count = -1"),
      want: /^error: Invalid count argument: .*greater than or equal to zero/,
    },
    {
      name: "things that depend on each other",
      after: small("a", "value = test_small.b.id") + small("b", "value = test_small.a.id"),
      want: /^error: Cycle: .*test_small.a\n {2}→ test_small.b\n {2}→ test_small.a/s,
    },
    {
      name: "a precondition that does not hold",
      after: small(
        "a",
        'lifecycle {\n precondition {\n condition = path.module == "x"\n error_message = "one is not two"\n }\n}',
      ),
      want: /^error: Resource precondition failed: one is not two/,
    },
    {
      name: "a postcondition that cannot hold",
      after: small(
        "a",
        'lifecycle {\n postcondition {\n condition = self.name == "b"\n error_message = "not b"\n }\n}',
      ),
      want: /^error: Resource postcondition failed: not b/,
    },
    {
      name: "a variable's rule that does not hold",
      after: 'variable "v" {\n default = 1\n validation {\n condition = var.v > 1\n error_message = "too small"\n }\n}',
      want: /^error: Invalid value for variable: too small/,
    },
    {
      name: "a sensitive output that is not said to be one",
      after: 'variable "v" {\n default = "x"\n sensitive = true\n}\noutput "o" {\n value = var.v\n}',
      want: /^error: Output refers to sensitive values/,
    },
    {
      name: "a provider that plans what was not configured",
      after: 'resource "test_lawless" "a" {\n name = "a"\n value = "x"\n}',
      want: /^error: Provider produced invalid plan: .*\.value: the planned value matches neither/,
    },
    {
      name: "a provider nobody has",
      after: 'resource "nothing_here" "a" {\n}',
      want: /^error: Provider not available: There is no provider registry.terraform.io\/hashicorp\/nothing here/,
    },
    {
      name: "a resource type that is misspelt",
      after: 'resource "test_smal" "a" {\n name = "a"\n}',
      want: /^error: Invalid resource type: .*Did you mean "test_small"\?/,
    },
  ];
  for (const { name, before, after, options, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine("");
      if (before !== undefined) await engine.given(before);
      engine.configure(after);
      const { plan, diagnostics } = await engine.plan(options);
      expect(plan.errored).toBe(true);
      expect(messages(diagnostics).filter((text) => text.startsWith("error"))[0]).toMatch(want);
    });
  }
});

describe("what has changed outside", () => {
  test("is drift, and is planned back", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "mine"'));
    engine.provider.world.store("test_small-1", { value: "theirs" });
    const { plan } = await engine.plan();
    expect(actionsOf(plan.drift)).toEqual(["update test_small.a"]);
    expect(actionsOf(plan.changes)).toEqual(["update test_small.a"]);
  });

  test("what is gone is created again", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a"));
    engine.provider.world.delete("test_small-1");
    const { plan } = await engine.plan();
    expect(actionsOf(plan.drift)).toEqual(["delete test_small.a"]);
    expect(actionsOf(plan.changes)).toEqual(["create test_small.a"]);
    await engine.apply(plan);
    expect(engine.objects()).toEqual(["test_small.a"]);
  });

  test("is not looked for with -refresh=false", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "mine"'));
    engine.provider.world.store("test_small-1", { value: "theirs" });
    engine.provider.log.clear();
    const { plan } = await engine.plan({ refresh: false });
    expect(actionsOf([...plan.drift, ...plan.changes])).toEqual([]);
    expect(engine.provider.log.count("readResource")).toBe(0);
  });

  test("is only taken over by -refresh-only", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "mine"'));
    engine.provider.world.store("test_small-1", { value: "theirs" });
    const { plan } = await engine.plan({ mode: "refresh-only" });
    expect(actionsOf(plan.drift)).toEqual(["update test_small.a"]);
    expect(plan.changes).toEqual([]);
    await engine.apply(plan);
    expect(engine.changes()).toEqual([]);
    expect(engine.attributes("test_small.a").value).toBe("theirs");
  });

  test("is not read where it is not targeted", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", "count = 3") + small("b"));
    engine.provider.log.clear();
    await engine.plan({ targets: ["test_small.a[1]"] });
    expect(engine.provider.log.count("readResource")).toBe(1);
  });
});

describe("data sources", () => {
  test("are read while planning, where all is known", async () => {
    const engine = new TestEngine(`${lookup("a")}output "o" {\n value = data.test_lookup.a.id\n}`);
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([]);
    expect(engine.provider.log.count("readDataSource")).toBe(1);
    expect(plainOf(plan.outputs.get("o")!.after)).toBe(null);
  });

  test("wait for the apply where their configuration is not known", async () => {
    const engine = new TestEngine(small("a") + 'data "test_lookup" "d" {\n name = test_small.a.echo\n}\n');
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual(["read data.test_lookup.d because config_unknown", "create test_small.a"]);
    await engine.apply(plan);
    expect(engine.attributes("data.test_lookup.d").name).toBe("echo of nothing");
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([]);
  });

  test("wait for what their depends_on names to be changed", async () => {
    const engine = new TestEngine(small("a") + lookup("a", "depends_on = [test_small.a]"));
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([
      "read data.test_lookup.a because dependency_pending",
      "create test_small.a",
    ]);
    await engine.apply(plan);
    expect(engine.attributes("data.test_lookup.a").id).toBe("test_small-1");
    const next = await engine.plan();
    expect(actionsOf(next.plan.changes)).toEqual([]);
  });

  test("wait for what the depends_on of their module names", async () => {
    const engine = new TestEngine({
      "main.tf": `${small("a")}module "m" {\n source = "./m"\n depends_on = [test_small.a]\n}`,
      "m/main.tf": lookup("a"),
    });
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([
      "create test_small.a",
      "read module.m.data.test_lookup.a because dependency_pending",
    ]);
  });

  test("wait for what they refer to themselves to be changed, though what they refer to is known", async () => {
    const engine = new TestEngine(small("a") + 'data "test_lookup" "d" {\n name = test_small.a.name\n}\n');
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([
      "read data.test_lookup.d because dependency_pending",
      "create test_small.a",
    ]);
  });

  test("do not wait for what others lead to, unless they have conditions", async () => {
    const through = 'locals {\n name = test_small.a.name\n}\ndata "test_lookup" "d" {\n name = "b"\n CONDITION\n}\n';
    const condition = 'lifecycle {\n precondition {\n condition = local.name != ""\n error_message = "No."\n }\n }';
    const engine = new TestEngine(small("a") + through.replace("CONDITION", "").replace('"b"', "local.name"));
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual(["create test_small.a"]);
    expect(engine.provider.log.count("readDataSource")).toBe(1);
    const waiting = new TestEngine(small("a") + through.replace("CONDITION", condition));
    expect(actionsOf((await waiting.plan()).plan.changes)).toEqual([
      "read data.test_lookup.d because dependency_pending",
      "create test_small.a",
    ]);
  });

  test("do not wait where nothing of that changes", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a"));
    engine.configure(small("a") + lookup("a", "depends_on = [test_small.a]"));
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([]);
  });

  test("that fail are errors", async () => {
    const engine = new TestEngine(lookup("a"));
    engine.provider.faults.add({ on: "data", how: "fail" });
    const { diagnostics } = await engine.plan();
    expect(summaries(diagnostics)).toEqual(["error: Failed to data a"]);
  });
});

describe("secrets", () => {
  const secret = 'variable "s" {\n default = "hunter2"\n sensitive = true\n}\n';

  test("are marked in plans, and their paths kept in the state", async () => {
    const engine = new TestEngine(`${secret}${small("a", "value = var.s")}`);
    const { plan } = await engine.plan();
    const after = plan.changes[0]!.after;
    expect((after.data as ReadonlyMap<string, { marks: ReadonlySet<unknown> }>).get("value")!.marks.size).toBe(1);
    await engine.apply(plan);
    expect(engine.object("test_small.a").sensitivePaths).toEqual([[{ attribute: "value" }]]);
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([]);
  });

  test("are in no diagnostic", async () => {
    const engine = new TestEngine(
      `${secret}${small("a", 'value = var.s\nlifecycle {\n postcondition {\n condition = self.value == ""\n error_message = "not ${self.value}"\n }\n}')}`,
    );
    const { diagnostics } = await engine.plan();
    expect(messages(diagnostics).join("\n")).not.toMatch(/hunter2/);
    expect(diagnostics.flatMap((d) => d.expressionValues ?? []).join("\n")).not.toMatch(/hunter2/);
  });

  test("what becomes sensitive is an update, which changes only that", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "hunter2"'));
    engine.configure(`${secret}${small("a", "value = var.s")}`);
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual(["update test_small.a"]);
    await engine.apply(plan);
    expect(engine.object("test_small.a").sensitivePaths).toEqual([[{ attribute: "value" }]]);
  });
});

describe("modules", () => {
  const child = `variable "v" {\n}\n${small("a", "value = var.v")}output "o" {\n value = test_small.a.id\n}`;

  test("by for_each, with values that are known only after apply", async () => {
    const engine = new TestEngine({
      "main.tf": `${small("b")}module "m" {\n source = "./m"\n for_each = { x = test_small.b.id, y = "2" }\n v = each.value\n}\noutput "o" {\n value = { for k, m in module.m : k => m.o }\n}`,
      "m/main.tf": child,
    });
    const result = await engine.apply();
    expect(messages(result.diagnostics)).toEqual([]);
    expect(engine.attributes('module.m["x"].test_small.a').value).toBe("test_small-1");
    expect(engine.attributes('module.m["y"].test_small.a').value).toBe("2");
    expect(plainOf(result.state.outputs.get("o")!.value)).toEqual({ x: "test_small-2", y: "test_small-3" });
  });

  test("resources by for_each, with values that are known only after apply", async () => {
    const engine = new TestEngine(
      small("b") +
        'resource "test_small" "a" {\n for_each = { x = test_small.b.id, y = "2" }\n name = each.key\n value = each.value\n}',
    );
    const result = await engine.apply();
    expect(messages(result.diagnostics)).toEqual([]);
    expect(engine.attributes('test_small.a["x"]').value).toBe("test_small-1");
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([]);
  });

  test("are handed providers by alias", async () => {
    const engine = new TestEngine({
      "main.tf": `provider "test" {\n alias = "p"\n prefix = "of p"\n}\nmodule "m" {\n source = "./m"\n providers = { test.inner = test.p }\n}`,
      "m/main.tf": `terraform {\n required_providers {\n test = {\n source = "millwright/test"\n configuration_aliases = [test.inner]\n}\n}\n}\n${small("a", "provider = test.inner")}`,
    });
    await engine.apply();
    expect([...engine.state.resources.values()].map((resource) => resource.provider)).toEqual([
      'provider["registry.terraform.io/millwright/test"].p',
    ]);
  });
});

test("values that are not known at plan come out at apply", async () => {
  const engine = new TestEngine(
    `${small("a")}${small("b", 'value = "id: ${test_small.a.id}"')}output "o" {\n value = test_small.b.value\n}`,
  );
  const { plan } = await engine.plan();
  expect(plainOf(plan.outputs.get("o")!.after)).toBe("(unknown)");
  const result = await engine.apply(plan);
  expect(engine.attributes("test_small.b").value).toBe("id: test_small-1");
  expect(plainOf(result.state.outputs.get("o")!.value)).toBe("id: test_small-1");
});

test("a postcondition that fails at apply keeps the object, untainted", async () => {
  const engine = new TestEngine(
    small(
      "a",
      'lifecycle {\n postcondition {\n condition = self.echo == ""\n error_message = "no echo wanted"\n }\n}',
    ) + small("b", "value = test_small.a.echo"),
  );
  const result = await engine.apply();
  expect(summaries(result.diagnostics)).toEqual(["error: Resource postcondition failed"]);
  expect(engine.objects()).toEqual(["test_small.a"]);
});

test("a provider of the older type system may bend what was configured", async () => {
  const engine = new TestEngine('resource "test_legacy" "a" {\n name = "a"\n value = "x"\n}');
  const result = await engine.apply();
  expect(messages(result.diagnostics)).toEqual([]);
  expect(engine.attributes("test_legacy.a").value).toBe("X");
});
