import { hasErrors } from "@millwright/core/diagnostics";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { filesOf } from "../node-files.ts";
import { messages, plainOf } from "../testing/test-engine.ts";
import type { VariableSource } from "../variables.ts";
import { loadConfiguration } from "./load.ts";
import { noStaticOptions, StaticEvaluator } from "./static.ts";

const root = `
variable "region" {}
variable "tier" {
  type    = object({ name = string, size = optional(number, 3) })
  default = { name = "small" }
}
variable "secret" {
  default   = "s"
  sensitive = true
}
variable "later" {
  default = "x"
  const   = false
}
variable "count" {
  type    = number
  default = 1
}
locals {
  base = "./modules"
  app  = "\${local.base}/\${var.region}"
  a    = local.b
  b    = local.a
  late = terraform_data.one.output
}
resource "terraform_data" "one" {}
module "app" {
  source = local.app
  name   = "n-\${var.region}"
}
`;
const child = `
variable "name" {}
locals {
  long = "\${var.name}-\${path.module}"
}
`;
const from = (text: string): VariableSource[] => [
  { kind: "command-line", name: "region", text },
  { kind: "command-line", name: "number", text: "many" },
];

function load(variables: readonly VariableSource[]) {
  const encode = (text: string) => new TextEncoder().encode(text);
  const files = new Map([
    ["main.tf", encode(root.replace('variable "count"', 'variable "number"'))],
    ["modules/west/main.tf", encode(child)],
  ]);
  const options = { ...noStaticOptions, variables, workspace: "blue" };
  const loaded = loadConfiguration(filesOf(files), { tofuFiles: true, static: options });
  return { ...loaded, evaluator: new StaticEvaluator(loaded.value.modules, options) };
}

test("the source of a module follows from variables and locals", () => {
  const { value, diagnostics } = load(from("west"));
  expect(messages(diagnostics)).toEqual([]);
  expect(value.root.calls.get("app")?.source).toBe("./modules/west");
  expect(value.modules.has("module.app")).toBe(true);
});

describe("a value that is needed before anything is planned", () => {
  const cases: readonly { name: string; module?: string; expression: string; want: unknown }[] = [
    { name: "is of a variable with a given value", expression: "var.region", want: "west" },
    { name: "is of a variable with a default, that its type completes", expression: "var.tier.size", want: 3 },
    { name: "is of the workspace", expression: "terraform.workspace", want: "blue" },
    {
      name: "is of a child's variable, as its caller sets it",
      module: "module.app",
      expression: "var.name",
      want: "n-west",
    },
    {
      name: "is of a child's local value",
      module: "module.app",
      expression: "local.long",
      want: "n-west-modules/west",
    },
  ];
  for (const { name, module = "", expression, want } of cases) {
    test(name, () => {
      const { value, evaluator } = load(from("west"));
      const parsed = parseExpression(sourceFile("x.tf", expression)).value;
      const result = evaluator.evaluate(value.modules.get(module)!, parsed, "the test");
      expect(messages(result.diagnostics)).toEqual([]);
      expect(plainOf(result.value)).toEqual(want);
    });
  }
});

describe("what cannot be known before anything is planned is refused, saying who needs it", () => {
  const cases: readonly { name: string; expression: string; want: RegExp }[] = [
    {
      name: "a resource",
      expression: "terraform_data.one.id",
      want: /Dynamic value in static context: Unable to use terraform_data\.one in static context, which is required by the test/,
    },
    {
      name: "a resource behind a local",
      expression: "local.late",
      want: /Unable to use terraform_data\.one .*required by local\.late[\s\S]*the test depends on local\.late/,
    },
    {
      name: "a module's output",
      expression: "module.app.x",
      want: /Module output not supported in static context: Unable to use module\.app\.x/,
    },
    { name: "each", expression: "each.key", want: /Unable to use each\.key/ },
    { name: "terraform.applying", expression: "terraform.applying", want: /Unable to use terraform\.applying/ },
    {
      name: "a circle",
      expression: "local.a",
      want: /Circular reference: local\.a depends on itself: local\.a → local\.b → local\.a/,
    },
    { name: "a variable that says so itself", expression: "var.later", want: /declared with "const = false"/ },
    {
      name: "a variable that is not there",
      expression: "var.none",
      want: /Reference to undeclared input variable: var\.none/,
    },
    {
      name: "a variable of an unfit value",
      expression: "var.number",
      want: /Invalid value for input variable: The value from the -var="number=\.\.\." argument is not suitable/,
    },
  ];
  for (const { name, expression, want } of cases) {
    test(name, () => {
      const { value, evaluator } = load(from("west"));
      const parsed = parseExpression(sourceFile("x.tf", expression)).value;
      const { diagnostics } = evaluator.evaluate(value.root, parsed, "the test");
      expect(hasErrors(diagnostics)).toBe(true);
      expect(messages(diagnostics).join("\n")).toMatch(want);
    });
  }

  test("a variable without a value", () => {
    expect(messages(load([]).diagnostics).join("\n")).toMatch(
      /Variable "region" is required during init[\s\S]*module\.app\.source depends on local\.app/,
    );
  });

  test("a sensitive value, where it would be shown", () => {
    const { value, evaluator } = load(from("west"));
    const parsed = parseExpression(sourceFile("x.tf", "var.secret")).value;
    expect(messages(evaluator.evaluatePlain(value.root, parsed, "module.app.source").diagnostics).join()).toMatch(
      /Sensitive value not allowed: .*cannot be used as module\.app\.source/,
    );
  });
});
