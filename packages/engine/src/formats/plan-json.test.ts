import { describe, expect, test } from "vitest";
import { TestEngine, type TestFiles } from "../testing/test-engine.ts";
import { planJson } from "./plan-json.ts";

const required = 'terraform {\n required_providers {\n test = { source = "millwright/test" }\n }\n}\n';
const small = (rest = "") => `resource "test_small" "a" {\n name = "a"\n ${rest}\n}\n`;

async function jsonOf(engine: TestEngine, targets: readonly string[] = []) {
  const { plan } = await engine.plan({ targets });
  const pool = engine.pool();
  await pool.load(plan.changes.map((change) => change.provider.source));
  return planJson(plan, engine.context(false, []).configuration, pool);
}

describe("a change has its actions, both sides, and where it is unknown", () => {
  const cases: readonly { name: string; before: TestFiles; after: TestFiles; want: Record<string, unknown> }[] = [
    {
      name: "a create",
      before: "",
      after: small(),
      want: {
        change: {
          actions: ["create"],
          before: null,
          after: { name: "a", value: null, force: null },
          after_unknown: { id: true, echo: true },
          before_sensitive: false,
          after_sensitive: {},
        },
      },
    },
    { name: "nothing", before: small(), after: small(), want: { change: { actions: ["no-op"], after_unknown: {} } } },
    {
      name: "an update",
      before: small('value = "x"'),
      after: small('value = "y"'),
      want: { change: { actions: ["update"], before: { value: "x" }, after: { value: "y" } } },
    },
    {
      name: "a delete, and why",
      before: small(),
      after: "",
      want: {
        change: { actions: ["delete"], before: { name: "a" }, after: null, after_sensitive: false },
        action_reason: "delete_because_no_resource_config",
      },
    },
    {
      name: "a replacement, and what forces it",
      before: small('force = "x"'),
      after: small('force = "y"'),
      want: {
        change: { actions: ["delete", "create"], replace_paths: [["force"]] },
        action_reason: "replace_because_cannot_update",
      },
    },
    {
      name: "a replacement that creates first",
      before: small('force = "x"'),
      after: small('force = "y"\n lifecycle {\n create_before_destroy = true\n }'),
      want: { change: { actions: ["create", "delete"] } },
    },
  ];
  for (const { name, before, after, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine("");
      await engine.given(before);
      engine.configure(after);
      expect(await jsonOf(engine)).toMatchObject({ resource_changes: [{ address: "test_small.a", ...want }] });
    });
  }
});

describe("a plan says whether it is worth applying, and whether it is all", () => {
  const cases: readonly { name: string; files: TestFiles; targets?: readonly string[]; want: unknown }[] = [
    { name: "with nothing to do", files: "", want: { applyable: false, complete: true, errored: false } },
    { name: "with something to do", files: small(), want: { applyable: true, complete: true, errored: false } },
    {
      name: "of targets only",
      files: small(),
      targets: ["test_small.a"],
      want: { applyable: true, complete: false, errored: false },
    },
    {
      name: "with errors",
      files: small("value = [][1]"),
      want: { applyable: false, complete: false, errored: true },
    },
  ];
  for (const { name, files, targets, want } of cases) {
    test(name, async () => expect(await jsonOf(new TestEngine(files), targets)).toMatchObject(want as object));
  }
});

test("variables have their final values, and outputs what becomes of them", async () => {
  const json = await jsonOf(
    new TestEngine(
      `variable "v" {\n default = "1"\n type = number\n}\n${small()}output "o" {\n value = var.v\n}\noutput "later" {\n value = test_small.a.id\n}\n`,
    ),
  );
  expect(json).toMatchObject({
    variables: { v: { value: 1 } },
    planned_values: {
      outputs: { o: { sensitive: false, type: "number", value: 1 }, later: { sensitive: false } },
      root_module: { resources: [{ address: "test_small.a", values: { name: "a" } }] },
    },
    output_changes: {
      o: { actions: ["create"], before: null, after: 1, after_unknown: false },
      later: { actions: ["create"], before: null, after_unknown: true },
    },
  });
});

test("drift is told beside what is planned", async () => {
  const engine = new TestEngine("");
  await engine.given(small('value = "x"'));
  engine.provider.world.store(engine.provider.world.all()[0]!.id, { value: "drifted" });
  expect(await jsonOf(engine)).toMatchObject({
    resource_drift: [{ change: { actions: ["update"], before: { value: "x" }, after: { value: "drifted" } } }],
    resource_changes: [{ change: { actions: ["update"], before: { value: "drifted" }, after: { value: "x" } } }],
  });
});

test("checks are by what is declared, each with its instances, their keys and their modules", async () => {
  const rule = (kind: string, condition: string) => `${kind} {\n condition = ${condition}\n error_message = "no"\n }\n`;
  const engine = new TestEngine({
    "main.tf": `module "m" {\n source = "./m"\n for_each = { x = 1 }\n v = "x"\n}\n${small(`count = 2\n lifecycle {\n ${rule("precondition", "count.index == 0")} }`)}`,
    "m/main.tf": `${required}variable "v" {\n ${rule("validation", 'var.v == "x"')}}\n${small(`lifecycle {\n ${rule("precondition", 'var.v == "x"')} }`)}output "o" {\n value = 1\n ${rule("precondition", 'var.v == "x"')}}\n`,
  });
  const { checks } = (await jsonOf(engine)) as { readonly checks: { readonly address: { to_display: string } }[] };
  const module = 'module.m["x"]';
  const within = (own: string) => [{ address: { module, to_display: `${module}.${own}` }, status: "pass" }];
  expect([...checks].sort((a, b) => (a.address.to_display < b.address.to_display ? -1 : 1))).toEqual([
    {
      address: { kind: "output_value", module: "module.m", name: "o", to_display: "module.m.output.o" },
      status: "pass",
      instances: within("output.o"),
    },
    {
      address: {
        kind: "resource",
        mode: "managed",
        module: "module.m",
        name: "a",
        type: "test_small",
        to_display: "module.m.test_small.a",
      },
      status: "pass",
      instances: within("test_small.a"),
    },
    {
      address: { kind: "var", module: "module.m", name: "v", to_display: "module.m.var.v" },
      status: "pass",
      instances: within("var.v"),
    },
    {
      address: { kind: "resource", mode: "managed", name: "a", type: "test_small", to_display: "test_small.a" },
      status: "fail",
      instances: [
        { address: { instance_key: 0, to_display: "test_small.a[0]" }, status: "pass" },
        { address: { instance_key: 1, to_display: "test_small.a[1]" }, status: "fail", problems: [{ message: "no" }] },
      ],
    },
  ]);
});
