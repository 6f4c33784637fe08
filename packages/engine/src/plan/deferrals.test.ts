import type { PlanAnswer, PlanCall } from "@millwright/provider/protocol";
import { asMap, asString, isKnown, isNull } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import type { TestFiles } from "../testing/test-engine.ts";
import { actionsOf, plainOf, summaries, TestEngine } from "../testing/test-engine.ts";
import type { Plan } from "./plan.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const lookup = (name: string, rest = "") => `data "test_lookup" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const madeFirst = "lifecycle {\n create_before_destroy = true\n}";
const later = { allowDeferral: true } as const;

const deferred = ({ deferrals }: Plan) =>
  deferrals.map(({ change: { action, address }, reason }) => `${action} ${address.text}: ${reason}`);

const ofA = '{ for id in [test_small.a.id] : (id == "" ? "" : "a") => id }';

describe("what cannot be planned yet is put off, where that is allowed", () => {
  const cases: readonly {
    name: string;
    before?: TestFiles;
    after: TestFiles;
    now: readonly string[];
    later: readonly string[];
    end: readonly string[];
  }[] = [
    {
      name: "instances whose keys are not known",
      after: small("a") + small("b", `for_each = ${ofA}`),
      now: ["create test_small.a"],
      later: ["create test_small.b[*]: instance_count_unknown"],
      end: ["test_small.a", 'test_small.b["a"]'],
    },
    {
      name: "what comes after them, also by depends_on, but nothing else",
      after:
        small("a") +
        small("b", 'count = test_small.a.id == "" ? 0 : 1') +
        small("c", "depends_on = [test_small.b]") +
        small("d", "value = test_small.c.id") +
        small("e", "value = test_small.a.id"),
      now: ["create test_small.a", "create test_small.e"],
      later: [
        "create test_small.b[*]: instance_count_unknown",
        "create test_small.c: deferred_prereq",
        "create test_small.d: deferred_prereq",
      ],
      end: ["test_small.a", "test_small.b[0]", "test_small.c", "test_small.d", "test_small.e"],
    },
    {
      name: "modules whose number is not known, with all that is in them",
      after: {
        "main.tf": `${small("a")}module "m" {\n source = "./m"\n count = test_small.a.id == "" ? 0 : 1\n}\n`,
        "m/main.tf": `${small("x")}module "n" {\n source = "./n"\n}\n`,
        "m/n/main.tf": small("y", "count = 2"),
      },
      now: ["create test_small.a"],
      later: [
        "create module.m[*].test_small.x: instance_count_unknown",
        "create module.m[*].module.n.test_small.y[*]: instance_count_unknown",
      ],
      end: [
        "test_small.a",
        "module.m[0].test_small.x",
        "module.m[0].module.n.test_small.y[0]",
        "module.m[0].module.n.test_small.y[1]",
      ],
    },
    {
      name: "data sources that come after them",
      after: small("a") + small("b", `for_each = ${ofA}`) + lookup("l", "depends_on = [test_small.b]"),
      now: ["create test_small.a"],
      later: ["read data.test_lookup.l: deferred_prereq", "create test_small.b[*]: instance_count_unknown"],
      end: ["data.test_lookup.l", "test_small.a", 'test_small.b["a"]'],
    },
    {
      name: "whether a resource is enabled",
      after: small("a") + small("b", 'lifecycle {\n enabled = test_small.a.id != ""\n}'),
      now: ["create test_small.a"],
      later: ["create test_small.b[*]: instance_count_unknown"],
      end: ["test_small.a", "test_small.b"],
    },
    {
      name: "instances that are there already are kept until it is known",
      before: small("a") + small("b", `for_each = ${ofA}`),
      after: small("a", 'force = "2"') + small("b", `for_each = ${ofA}`),
      now: ["delete-create test_small.a because cannot_update"],
      later: ["create test_small.b[*]: instance_count_unknown"],
      end: ["test_small.a", 'test_small.b["a"]'],
    },
    {
      name: "modules that are there already are kept until it is known",
      before: {
        "main.tf": `${small("a")}module "m" {\n source = "./m"\n count = test_small.a.id == "" ? 0 : 1\n}\n`,
        "m/main.tf": small("x"),
      },
      after: {
        "main.tf": `${small("a", 'force = "2"')}module "m" {\n source = "./m"\n count = test_small.a.id == "" ? 0 : 1\n}\n`,
        "m/main.tf": small("x"),
      },
      now: ["delete-create test_small.a because cannot_update"],
      later: ["create module.m[*].test_small.x: instance_count_unknown"],
      end: ["test_small.a", "module.m[0].test_small.x"],
    },
    {
      name: "what was made of something that is to go is needed as long as it is put off",
      before: small("old") + small("a") + small("b", "depends_on = [test_small.old]\n value = test_small.a.id"),
      after:
        small("a", 'force = "2"') +
        small("c", `for_each = ${ofA}`) +
        small("b", "depends_on = [test_small.c]\n value = test_small.a.id"),
      now: ["delete-create test_small.a because cannot_update"],
      later: [
        "update test_small.b: deferred_prereq",
        "create test_small.c[*]: instance_count_unknown",
        "delete test_small.old: deferred_prereq",
      ],
      end: ["test_small.a", "test_small.b", 'test_small.c["a"]'],
    },
    {
      name: "what is replaced with the new one first keeps the old one for what is put off",
      before: {
        "main.tf":
          small("base") +
          small("a") +
          small("t", `value = test_small.base.id\n ${madeFirst}`) +
          small("b", `for_each = ${ofA}\n value = test_small.t.id`),
      },
      after:
        small("a", 'force = "2"') +
        small("t", `force = "2"\n ${madeFirst}`) +
        small("b", `for_each = ${ofA}\n value = test_small.t.id`),
      now: [
        "delete-create test_small.a because cannot_update",
        "create-delete test_small.t because cannot_update, keeps the old one",
      ],
      later: ["create test_small.b[*]: instance_count_unknown", "delete test_small.base: deferred_prereq"],
      end: ["test_small.a", 'test_small.b["a"]', "test_small.t"],
    },
    {
      name: "what stays as it is is not put off, though it comes after what is",
      before: small("a") + small("b", `for_each = ${ofA}`) + small("c", "depends_on = [test_small.b]"),
      after: small("a", 'force = "2"') + small("b", `for_each = ${ofA}`) + small("c", "depends_on = [test_small.b]"),
      now: ["delete-create test_small.a because cannot_update"],
      later: ["create test_small.b[*]: instance_count_unknown"],
      end: ["test_small.a", 'test_small.b["a"]', "test_small.c"],
    },
  ];

  test.each(cases)("$name", async ({ before, after, now, later: wanted, end }) => {
    const engine = new TestEngine("");
    if (before !== undefined) await rounds(engine, before);
    engine.configure(after);
    const { plan, diagnostics } = await engine.plan(later);
    expect(summaries(diagnostics)).toEqual([]);
    expect(actionsOf(plan.changes)).toEqual(now);
    expect(deferred(plan)).toEqual(wanted);
    await rounds(engine, after);
    expect(engine.objects()).toEqual(end);
  });

  // Plans and applies until nothing is put off, and then nothing is left to do.
  async function rounds(engine: TestEngine, files: TestFiles): Promise<void> {
    engine.configure(files);
    for (let round = 0; ; round++) {
      const { plan, diagnostics } = await engine.plan(later);
      expect(summaries(diagnostics)).toEqual([]);
      const result = await engine.apply(plan);
      expect(summaries(result.diagnostics)).toEqual([]);
      if (plan.deferrals.length === 0) break;
      expect(round).toBeLessThan(5);
    }
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([]);
  }
});

test("where it is not allowed, what is not known is an error", async () => {
  const engine = new TestEngine(small("a") + small("b", `for_each = ${ofA}`));
  const { plan, diagnostics } = await engine.plan();
  expect(summaries(diagnostics)).toEqual(["error: Invalid for_each argument"]);
  expect(plan.deferrals).toEqual([]);
});

test("what is wrong whatever is known later is an error all the same", async () => {
  const engine = new TestEngine(small("a") + small("b", "count = -1") + small("c", 'for_each = ["x"]'));
  const { diagnostics } = await engine.plan(later);
  expect(summaries(diagnostics)).toEqual(["error: Invalid count argument", "error: Invalid for_each argument"]);
});

test("what cannot be put off is not said to be", async () => {
  const ticket = 'ephemeral "test_ticket" "t" {\n name = "t"\n count = test_small.a.id == "" ? 0 : 1\n}\n';
  const engine = new TestEngine(small("a") + ticket);
  const { diagnostics } = await engine.plan(later);
  expect(diagnostics.map(({ summary }) => summary)).toEqual(["Invalid count argument"]);
  expect(diagnostics[0]?.detail).not.toContain("-allow-deferral");
  engine.configure(small("a") + small("b", 'count = test_small.a.id == "" ? 0 : 1'));
  expect((await engine.plan()).diagnostics[0]?.detail).toContain("With -allow-deferral it is put off");
});

test("what an ephemeral resource comes after is there when it is opened, also where that is put off first", async () => {
  const ticket = 'ephemeral "test_ticket" "t" {\n name = "t"\n depends_on = [test_small.b]\n}\n';
  const thing = 'resource "test_thing" "w" {\n name = "w"\n password_wo = ephemeral.test_ticket.t.ticket\n}\n';
  const engine = new TestEngine(small("a") + small("b", `for_each = ${ofA}`) + ticket + thing);
  const calls: string[][] = [];
  for (const _ of [1, 2]) {
    engine.provider.log.clear();
    await engine.apply((await engine.plan(later)).plan);
    const told = engine.provider.log.calls.map(({ method }) => method);
    calls.push(told.filter((method) => /^(open|apply)/.test(method)));
  }
  const [open, apply] = ["openEphemeralResource", "applyResourceChange"];
  expect(calls).toEqual([[apply], [apply, open, apply]]);
});

test("outputs of what is put off keep what they were", async () => {
  const output = 'output "ids" {\n value = [for b in test_small.b : b.id]\n}\n';
  const engine = new TestEngine("");
  const configured = (a: string) => small("a", a) + small("b", `for_each = ${ofA}`) + output;
  engine.configure(configured(""));
  for (const _ of [1, 2]) await engine.apply((await engine.plan(later)).plan);
  const before = plainOf(engine.state.outputs.get("ids")!.value);
  expect(before).toEqual([expect.stringMatching(/^test_small-/)]);
  engine.configure(configured('force = "2"'));
  const { plan } = await engine.plan(later);
  expect(plan.outputs.get("ids")!.action).toBe("update");
  await engine.apply(plan);
  expect(plainOf(engine.state.outputs.get("ids")!.value)).toEqual(before);
});

describe("a provider may put its answer off", () => {
  const named = ({ config }: PlanCall) => (isNull(config) ? "" : asString(asMap(config).get("name")!));
  const unlessKnown = (answer: PlanAnswer, call: PlanCall): PlanAnswer => {
    if (named(call) !== "b" || isKnown(asMap(call.config).get("value")!)) return answer;
    expect(call.deferralAllowed).toBe(true);
    return { ...answer, deferral: "resource-config-unknown" };
  };

  test("what comes after that is put off with it, and done by the next plan", async () => {
    const engine = new TestEngine(
      small("a") + small("b", "value = test_small.a.id") + small("c", "value = test_small.b.id"),
    );
    engine.provider.alter.plan = unlessKnown;
    const { plan } = await engine.plan(later);
    expect(actionsOf(plan.changes)).toEqual(["create test_small.a"]);
    expect(deferred(plan)).toEqual([
      "create test_small.b: resource_config_unknown",
      "create test_small.c: deferred_prereq",
    ]);
    await engine.apply(plan);
    const next = await engine.plan(later);
    expect(deferred(next.plan)).toEqual([]);
    expect(actionsOf(next.plan.changes)).toEqual(["create test_small.b", "create test_small.c"]);
  });

  test("what is there is left as it is where reading it is put off", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a"));
    engine.configure(small("a", 'value = "2"'));
    engine.provider.alter.read = (answer) => ({ ...answer, deferral: "provider-config-unknown" });
    const { plan } = await engine.plan(later);
    expect(actionsOf(plan.changes)).toEqual([]);
    expect(deferred(plan)).toEqual(["update test_small.a: provider_config_unknown"]);
    await engine.apply(plan);
    expect(engine.objects()).toEqual(["test_small.a"]);
  });
});

test("a create of a killed run that is put off is settled when its turn comes", async () => {
  const engine = new TestEngine(small("a") + small("b", 'count = test_small.a.id == "" ? 0 : 1'));
  const interrupted = [
    {
      address: "test_small.b[0]",
      type: "test_small",
      schemaVersion: 0,
      provider: 'provider["registry.terraform.io/millwright/test"]',
      sent: "{}",
      at: "2026-01-02T03:04:05Z",
    },
  ];
  const { plan, diagnostics } = await engine.plan({ ...later, interrupted });
  expect(summaries(diagnostics)).toEqual([]);
  expect(plan.settled).toEqual([]);
});
