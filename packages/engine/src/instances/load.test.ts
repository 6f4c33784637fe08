import { describe, expect, test } from "vitest";
import { filesOf } from "../node-files.ts";
import { isInstanceListName } from "./instance-list.ts";
import { loadInstances } from "./load.ts";

function load(text: string) {
  return loadInstances(filesOf(new Map([["all.instances.hcl", Buffer.from(text)]])));
}

test("lists are the files that are called so", () => {
  const names = ["instances.ts", "a.instances.ts", "a.b.instances.hcl", "instances.hcl"];
  expect(names.filter(isInstanceListName)).toEqual(names);
  const others = ["xinstances.ts", ".instances.ts", "instances.ts.bak", "a.instances.tf", ".#a.instances.ts"];
  expect(others.filter(isInstanceListName)).toEqual([]);
});

test("an instance depends on those whose outputs its inputs use, through local values too, and on those it names", () => {
  const { value, diagnostics } = load(`locals {
  one = instance.a.x
  two = "\${local.one}-\${var.v}"
}
variable "v" { default = 1 }
instance "a" { source = "./t/" }
instance "b" { source = "../t" }
instance "c" {
  source     = "./t"
  x          = local.two
  y          = [for k in ["k"] : k]
  depends_on = [instance.b]
}`);
  expect(diagnostics).toEqual([]);
  const all = [...value.instances.values()].map(({ name, template, inputs, dependencies }) => {
    return { name, template, inputs: [...inputs.keys()], dependencies: [...dependencies].sort() };
  });
  expect(all).toEqual([
    { name: "a", template: "t", inputs: [], dependencies: [] },
    { name: "b", template: "../t", inputs: [], dependencies: [] },
    { name: "c", template: "t", inputs: ["x", "y"], dependencies: ["a", "b"] },
  ]);
});

describe("what is wrong is told where it stands", () => {
  const cases: readonly { name: string; text: string; want: readonly [summary: string, line: number] }[] = [
    { name: "an argument outside of a block", text: "x = 1", want: ["Unsupported argument", 1] },
    { name: "a block of another type", text: 'instnce "a" {}', want: ["Unsupported block type", 1] },
    { name: "a name that is no name", text: 'instance "a/b" { source = "./t" }', want: ["Invalid instance name", 1] },
    { name: "two names", text: 'instance "a" "b" { source = "./t" }', want: ["Name of an instance", 1] },
    { name: "no source", text: 'instance "a" {}', want: ["Missing required argument", 1] },
    { name: "a template elsewhere", text: 'instance "a" {\n  source = "a/b/c"\n}', want: ["Template is no folder", 2] },
    { name: "the list as template", text: 'instance "a" { source = "./" }', want: ["Template is the list itself", 1] },
    {
      name: "a count",
      text: 'instance "a" {\n  source = "./t"\n  count = 2\n}',
      want: ["Unsupported argument", 3],
    },
    {
      name: "a reference to nothing",
      text: 'instance "a" {\n  source = "./t"\n  x = var.none\n}',
      want: ["Invalid reference", 3],
    },
    {
      name: "a reference to something else",
      text: 'instance "a" {\n  source = "./t"\n  x = module.b.y\n}',
      want: ["Invalid reference", 3],
    },
    {
      name: "a whole object",
      text: 'instance "a" {\n  source = "./t"\n  x = instance\n}',
      want: ["Invalid reference", 3],
    },
    {
      name: "its own output",
      text: 'instance "a" {\n  source = "./t"\n  x = instance.a.y\n}',
      want: ["Cycle of instances", 1],
    },
    {
      name: "local values in a circle",
      text: "locals {\n  a = local.b\n  b = local.a\n}",
      want: ["Cycle of local values", 2],
    },
    { name: "an ephemeral variable", text: 'variable "v" { ephemeral = true }', want: ["Ephemeral variable", 1] },
  ];
  test.each(cases)("$name", ({ text, want }) => {
    const [first] = load(text).diagnostics;
    expect([first?.summary, first?.subject?.start.line]).toEqual(want);
    expect(first?.subject?.filename).toBe("all.instances.hcl");
  });
});
