import { describe, expect, test } from "vitest";
import { messages, TestEngine, type TestFiles } from "../testing/test-engine.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const base = `variable "region" {\n default = "x"\n}\nlocals {\n suffix = "y"\n}\n${small("main")}${small("many", "count = 2")}${small("each", "for_each = { k = 1 }")}data "test_lookup" "found" {\n name = "n"\n}\n`;
const of = (expression: string) => `${base}${small("a", `value = ${expression}`)}`;

describe("a reference that leads nowhere is refused", () => {
  const cases: readonly { name: string; files: TestFiles; want: RegExp }[] = [
    {
      name: "a misspelt variable",
      files: of("var.regoin"),
      want: /Reference to undeclared input variable: .*Did you mean "region"\?/,
    },
    {
      name: "a variable that is nothing like any",
      files: of("var.other_thing"),
      want: /can be declared with a variable "other_thing" \{\} block/,
    },
    {
      name: "a misspelt local",
      files: of("local.sufix"),
      want: /Reference to undeclared local value: .*Did you mean "suffix"\?/,
    },
    {
      name: "a misspelt resource",
      files: of("test_small.mian.id"),
      want: /Reference to undeclared resource: .*in the root module. Did you mean test_small.main\?/,
    },
    {
      name: "a data source without its data",
      files: of("test_lookup.found.id"),
      want: /Did you mean the data resource data.test_lookup.found\?/,
    },
    {
      name: "a misspelt attribute",
      files: of("test_small.main.echoo"),
      want: /Unsupported attribute: .*Did you mean "echo"\?/,
    },
    {
      name: "an attribute of all of count",
      files: of("test_small.many.id"),
      want: /Missing resource instance key: .*test_small.many\[count.index\]/s,
    },
    {
      name: "an index into a single one",
      files: of("test_small.main[0].id"),
      want: /Unexpected resource instance key/,
    },
    {
      name: "a module nobody calls",
      files: of("module.m.o"),
      want: /Reference to undeclared module: No module call named "m"/,
    },
    {
      name: "an output a module does not have",
      files: {
        "main.tf": `module "m" {\n source = "./m"\n}\n${small("a", "value = module.m.ouput")}`,
        "m/main.tf": 'output "output" {\n value = 1\n}',
      },
      want: /module "m" has no such output. Did you mean "output"\?/,
    },
    { name: "each without for_each", files: of("each.key"), want: /Reference to "each" in context without for_each/ },
    { name: "count without count", files: of("count.index"), want: /Reference to "count" in non-counted context/ },
    { name: "self outside of a postcondition", files: of("self.id"), want: /Invalid "self" reference/ },
    {
      name: "itself",
      files: base + small("a", "value = test_small.a.id"),
      want: /Self-referential block: Configuration for test_small.a may not refer to itself/,
    },
    { name: "a misspelt path", files: of("path.modul"), want: /Invalid "path" attribute: .*Did you mean "module"\?/ },
    {
      name: "all variables at once",
      files: of("var"),
      want: /Invalid reference: The "var" object cannot be accessed directly/,
    },
    {
      name: "a type without a name",
      files: of("test_small"),
      want: /Invalid reference: A reference to a resource type must be followed by at least one attribute access/,
    },
    {
      name: "depends_on an attribute",
      files: base + small("a", "depends_on = [each.key]"),
      want: /Invalid depends_on reference/,
    },
    {
      name: "in an output of a module",
      files: { "main.tf": 'module "m" {\n source = "./m"\n}', "m/main.tf": 'output "o" {\n value = var.x\n}' },
      want: /Reference to undeclared input variable/,
    },
    {
      name: "in a nested block",
      files: 'resource "test_thing" "a" {\n name = "a"\n row {\n label = var.none\n }\n}',
      want: /Reference to undeclared input variable/,
    },
    {
      name: "in a dynamic block, but not its iterator",
      files:
        'resource "test_thing" "a" {\n name = "a"\n dynamic "row" {\n for_each = [1]\n iterator = r\n content {\n label = "${r.value}${row.value}"\n }\n }\n}',
      want: /Reference to undeclared resource|Invalid reference/,
    },
  ];
  for (const { name, files, want } of cases) {
    test(name, async () => {
      const found = messages((await new TestEngine(files).validate()).filter(({ severity }) => severity === "error"));
      expect(found.join("\n")).toMatch(want);
      expect(found).toHaveLength(1);
    });
  }
});

describe("a configuration that is not as its provider has it is refused", () => {
  const cases: readonly { name: string; files: TestFiles; want: RegExp }[] = [
    {
      name: "a misspelt argument",
      files: 'resource "test_small" "a" {\n name = "a"\n vlaue = 1\n}',
      want: /Unsupported argument: .*"vlaue".*Did you mean "value"\?/,
    },
    {
      name: "a missing argument",
      files: 'resource "test_small" "a" {\n}',
      want: /Missing required argument: .*"name"/,
    },
    {
      name: "an argument of the wrong type",
      files: 'resource "test_small" "a" {\n name = ["a"]\n}',
      want: /Incorrect attribute value type: .*string required/i,
    },
    {
      name: "an unknown block",
      files: 'resource "test_small" "a" {\n name = "a"\n row {\n }\n}',
      want: /Unsupported block type/,
    },
    { name: "an unknown resource type", files: 'resource "test_tiny" "a" {\n}', want: /Invalid resource type/ },
    {
      name: "an unknown argument of a provider",
      files: `provider "test" {\n prefx = 1\n}\n${small("a")}`,
      want: /Unsupported argument: .*Did you mean "prefix"\?/,
    },
    {
      name: "things in a circle",
      files: small("a", "value = local.x") + "locals {\n x = test_small.a.id\n}\n",
      want: /Cycle: .*local.x\n {2}→ test_small.a\n {2}→ local.x/s,
    },
  ];
  for (const { name, files, want } of cases) {
    test(name, async () => {
      expect(messages(await new TestEngine(files).validate()).join("\n")).toMatch(want);
    });
  }
});

test("what only a run can know is let pass", async () => {
  const files = `variable "v" {\n}\n${small("a", "count = var.v")}${small("b", "for_each = toset(var.v)".replace("toset(var.v)", "var.v"))}${small("c", "value = test_small.a[0].echo")}`;
  expect(messages(await new TestEngine(files).validate())).toEqual([]);
});

test("everything that is wrong is said at once, and nothing is asked of the world", async () => {
  const engine = new TestEngine(small("a", "value = var.x") + small("b", "value = var.y"));
  expect(await engine.validate()).toHaveLength(2);
  expect(engine.provider.log.count("configure")).toBe(0);
  expect(engine.provider.log.count("readDataSource")).toBe(0);
});
