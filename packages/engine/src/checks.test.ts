import { describe, expect, test } from "vitest";
import type { CheckResult } from "./plan/plan.ts";
import { messages, summaries, TestEngine, type TestFiles } from "./testing/test-engine.ts";

const rule = (kind: string, condition: string, message = '"the message"') =>
  `${kind} {\n condition = ${condition}\n error_message = ${message}\n}\n`;
const variable = (condition: string, message?: string, rest = 'default = "x"') =>
  `variable "v" {\n ${rest}\n ${rule("validation", condition, message)}}\n`;

async function check(files: TestFiles) {
  const { plan, diagnostics } = await new TestEngine(files).plan();
  return { checks: plan.checks, said: messages(diagnostics), errored: plan.errored };
}

describe("a condition", () => {
  const small = 'resource "test_small" "r" {\n name = "r"\n}\n';
  const cases: readonly { name: string; condition: string; status: CheckResult["status"]; said?: RegExp }[] = [
    { name: "that is true passes", condition: 'var.v == "x"', status: "pass" },
    { name: 'that is "true" passes too', condition: 'var.v == "x" ? "true" : "false"', status: "pass" },
    {
      name: "that is false fails with its message and its place",
      condition: 'var.v == "y"',
      status: "fail",
      said: /^error: Invalid value for variable: the message\n\nThis was checked by the rule at main\.tf:\d+,\d+-\d+\.$/,
    },
    {
      name: "that is null is an error",
      condition: 'var.v == "x" ? null : true',
      status: "error",
      said: /Invalid condition result: .*not null/,
    },
    {
      name: "that is no bool is an error",
      condition: "[var.v]",
      status: "error",
      said: /Invalid condition result: Invalid condition result value: .*bool/,
    },
    { name: "that cannot be evaluated is an error", condition: "[var.v][1]", status: "error", said: /^error: / },
  ];
  for (const { name, condition, status, said } of cases) {
    test(name, async () => {
      const result = await check(variable(condition));
      expect(result.checks).toMatchObject([{ kind: "var", configAddress: "var.v", instanceAddress: "var.v", status }]);
      expect(result.said).toEqual(said ? [expect.stringMatching(said)] : []);
      expect(result.errored).toBe(said !== undefined);
    });
  }

  test("that waits for the apply is unknown, and no error", async () => {
    const output = `output "o" {\n value = 1\n ${rule("precondition", 'test_small.r.id != ""')}}\n`;
    const { checks, said } = await check(small + output);
    expect(checks).toMatchObject([
      { kind: "output_value", configAddress: "output.o", instanceAddress: "output.o", status: "unknown", problems: [] },
    ]);
    expect(said).toEqual([]);
  });

  test("of an instance is told by the instance's address", async () => {
    const { checks, said } = await check(
      `resource "test_small" "r" {\n count = 2\n name = "r"\n lifecycle {\n ${rule("precondition", "count.index == 0", '"no ${count.index}"')}}\n}\n`,
    );
    expect(checks.map(({ instanceAddress, status, problems }) => [instanceAddress, status, problems])).toEqual([
      ["test_small.r[0]", "pass", []],
      ["test_small.r[1]", "fail", ["no 1"]],
    ]);
    expect(new Set(checks.map(({ configAddress }) => configAddress))).toEqual(new Set(["test_small.r"]));
    expect(said).toEqual([expect.stringMatching(/^error: Resource precondition failed: no 1/)]);
  });

  test("in a module is told by the module's address, with its key", async () => {
    const { checks } = await check({
      "main.tf": 'module "m" {\n source = "./m"\n for_each = { k = 1 }\n v = "x"\n}\n',
      "m/main.tf": `${variable('var.v == "x"', undefined, "")}output "o" {\n value = 1\n ${rule("precondition", 'var.v == "x"')}}\n`,
    });
    expect(checks.map(({ configAddress, instanceAddress }) => [configAddress, instanceAddress]).sort()).toEqual([
      ["module.m.output.o", 'module.m["k"].output.o'],
      ["module.m.var.v", 'module.m["k"].var.v'],
    ]);
  });
});

test("of several conditions all are told, and the worst counts", async () => {
  const two = `variable "v" {\n default = "x"\n ${rule("validation", 'var.v == "y"', '"one"')}${rule("validation", 'var.v == "x"', '"two"')}${rule("validation", 'var.v == "z"', '"three"')}}\n`;
  const { checks, said } = await check(two);
  expect(checks).toMatchObject([{ status: "fail", problems: ["one", "three"] }]);
  expect(said).toHaveLength(2);
});

describe("the message of a failed condition", () => {
  const cases: readonly { name: string; message: string; want: string; rest?: string }[] = [
    { name: "may speak of the value", message: '"not ${var.v}"', want: "not x" },
    { name: "is trimmed", message: '"  no\\n"', want: "no" },
    {
      name: "is not shown where it holds a secret",
      message: '"not ${var.v}"',
      rest: 'default = "s3cret"\n sensitive = true',
      want: "The error message of this rule is not shown, as it holds sensitive values.",
    },
    {
      name: "that is no text is said to be none",
      message: "[var.v]",
      want: "The error message of this rule is not a known text.",
    },
    {
      name: "that cannot be evaluated is said to be so",
      message: '"${[var.v][1]}"',
      want: "The error message of this rule could not be evaluated.",
    },
  ];
  for (const { name, message, want, rest } of cases) {
    test(name, async () => {
      const { checks, said } = await check(variable('var.v == "other"', message, rest));
      expect(checks).toMatchObject([{ status: "fail", problems: [want] }]);
      expect(said.join("\n")).toContain(want);
      expect(said.join("\n")).not.toContain("s3cret");
    });
  }
});

test("what has no conditions has no result", async () => {
  expect((await check('variable "v" {\n default = 1\n}\noutput "o" {\n value = 1\n}\n')).checks).toEqual([]);
});

test("a postcondition looks at the object that was made", async () => {
  const engine = new TestEngine(
    `resource "test_small" "r" {\n name = "r"\n lifecycle {\n ${rule("postcondition", 'self.id == ""')}}\n}\n`,
  );
  const { plan, diagnostics } = await engine.plan();
  expect(plan.checks).toMatchObject([{ status: "unknown" }]);
  expect(summaries(diagnostics)).toEqual([]);
  const result = await engine.apply(plan);
  expect(summaries(result.diagnostics)).toEqual(["error: Resource postcondition failed"]);
  expect(engine.objects()).toEqual(["test_small.r"]);
});
