import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { openConsole } from "./console.ts";
import { plainOf, summaries, TestEngine } from "./testing/test-engine.ts";

const configuration = {
  "main.tf": `
variable "v" {
  default = "x"
}
locals {
  twice = "\${var.v}\${var.v}"
}
resource "test_small" "one" {
  name = "one"
}
resource "test_small" "counted" {
  count = 2
  name  = "counted \${count.index}"
}
resource "test_small" "keyed" {
  for_each = { k = "keyed" }
  name     = each.value
}
module "m" {
  source = "./m"
  in     = local.twice
}
`,
  "m/main.tf": `
terraform {
  required_providers {
    test = { source = "millwright/test" }
  }
}
variable "in" {
}
resource "test_small" "inner" {
  name = "inner"
}
output "out" {
  value = "\${var.in} \${test_small.inner.name}"
}
`,
};

async function ask(engine: TestEngine, ...questions: readonly string[]) {
  const { value: opened, diagnostics } = await openConsole(engine.context(false, []), engine.state, engine.pool());
  expect(summaries(diagnostics)).toEqual([]);
  const answers = questions.map(async (text) => {
    const result = await opened.evaluate(parseExpression(sourceFile("<test>", text)).value);
    return result.diagnostics.length > 0 ? summaries(result.diagnostics) : plainOf(result.value);
  });
  return Promise.all(answers);
}

describe("a console answers with", () => {
  const cases: readonly { name: string; question: string; want: unknown }[] = [
    { name: "arithmetic", question: "1 + 2", want: 3 },
    { name: "variables", question: "var.v", want: "x" },
    { name: "locals", question: "local.twice", want: "xx" },
    { name: "a resource of the state", question: "test_small.one.name", want: "one" },
    { name: "all of a counted one", question: "test_small.counted[*].name", want: ["counted 0", "counted 1"] },
    { name: "one by its key", question: 'test_small.keyed["k"].name', want: "keyed" },
    { name: "outputs of a module, with resources behind them", question: "module.m.out", want: "xx inner" },
  ];
  for (const { name, question, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine("");
      await engine.given(configuration);
      expect(await ask(engine, question)).toEqual([want]);
    });
  }

  test("unknown, where the state has nothing", async () => {
    const engine = new TestEngine(configuration);
    expect(await ask(engine, "test_small.one.name", "test_small.counted", "var.v")).toEqual([
      "(unknown)",
      "(unknown)",
      "x",
    ]);
  });
});

describe("a console refuses a reference that leads nowhere", () => {
  const cases: readonly { name: string; question: string; want: string }[] = [
    { name: "to a variable", question: "var.w", want: "Reference to undeclared input variable" },
    { name: "to a local", question: "local.w", want: "Reference to undeclared local value" },
    { name: "to a resource", question: "test_small.two", want: "Reference to undeclared resource" },
    { name: "to a module", question: "module.n", want: "Reference to undeclared module" },
    { name: "to an attribute", question: "test_small.one.nmae", want: "Unsupported attribute" },
    { name: "to all of a counted one", question: "test_small.counted.name", want: "Missing resource instance key" },
    { name: "to what only a block has", question: "each.key", want: 'Reference to "each" in context without for_each' },
  ];
  for (const { name, question, want } of cases) {
    test(`${name}, and goes on`, async () => {
      expect(await ask(new TestEngine(configuration), question, "var.v")).toEqual([[`error: ${want}`], "x"]);
    });
  }
});

test("a console asks nothing of the world, and configures no provider", async () => {
  const engine = new TestEngine("");
  await engine.given(configuration);
  await ask(engine, "test_small.one");
  for (const method of ["configure", "readResource", "planResourceChange"] as const)
    expect(engine.provider.log.count(method)).toBe(0);
});

test("a console does not open on a configuration that goes in a circle", async () => {
  const engine = new TestEngine("locals {\n a = local.b\n b = local.a\n}\n");
  const { diagnostics } = await openConsole(engine.context(false, []), engine.state, engine.pool());
  expect(summaries(diagnostics)).toEqual(["error: Cycle"]);
});
