import type { Attribute } from "@millwright/hcl/ast";
import { sensitive } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { loadConfiguration } from "./load/load.ts";
import { filesOf } from "./node-files.ts";
import { messages, plainOf } from "./testing/test-engine.ts";
import type { VariableSource } from "./variables.ts";
import { collectVariables } from "./variables.ts";
import { readVariablesFile } from "./variables-file.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const one = (path: string, text: string) => filesOf(new Map([[path, bytes(text)]]));

const environment = (name: string, text: string): VariableSource => ({ kind: "environment", name, text });
const commandLine = (name: string, text: string): VariableSource => ({ kind: "command-line", name, text });
function file(text: string, filename = "terraform.tfvars"): VariableSource {
  const attributes: ReadonlyMap<string, Attribute> =
    readVariablesFile(one(filename, text), filename).value ?? new Map();
  return { kind: "file", filename, attributes };
}

function collect(configuration: string, ...sources: readonly VariableSource[]) {
  const { root } = loadConfiguration(one("main.tf", configuration), { tofuFiles: true }).value;
  const { value, diagnostics } = collectVariables(root, sources);
  return { final: value.final, given: value.given, diagnostics, said: messages(diagnostics) };
}

describe("a variable has the value", () => {
  const cases: readonly { name: string; declared: string; sources: readonly VariableSource[]; want: unknown }[] = [
    { name: "of its default", declared: "default = 1", sources: [], want: 1 },
    {
      name: "given, before its default",
      declared: "default = 1\n type = number",
      sources: [environment("v", "2")],
      want: 2,
    },
    {
      name: "that was given last",
      declared: "",
      sources: [environment("v", "1"), file('v = "2"'), commandLine("v", "3")],
      want: "3",
    },
    {
      name: "of a file given after another",
      declared: "",
      sources: [file('v = "1"'), file('v = "2"', "b.auto.tfvars")],
      want: "2",
    },
    {
      name: "of JSON",
      declared: "",
      sources: [file('{"v": ["${1 + 1}", 2]}', "terraform.tfvars.json")],
      want: ["${1 + 1}", 2],
    },
    { name: "of text as it stands, without a type", declared: "", sources: [commandLine("v", "[1]")], want: "[1]" },
    {
      name: "of text as an expression, where the type is a list",
      declared: "type = list(number)",
      sources: [commandLine("v", '[1, "2"]')],
      want: [1, 2],
    },
    {
      name: "of text as an expression, where the default is a map",
      declared: "default = {}",
      sources: [environment("v", "{ a = 1 }")],
      want: { a: 1 },
    },
    {
      name: "of text as text, where the type is a string",
      declared: "type = string",
      sources: [commandLine("v", '"a"')],
      want: '"a"',
    },
    { name: "converted to its type", declared: "type = string\n default = 5", sources: [], want: "5" },
    {
      name: "with optional attributes filled in",
      declared: 'type = object({ a = optional(string, "x"), b = optional(number) })',
      sources: [file("v = {}")],
      want: { a: "x", b: null },
    },
    { name: "null, where it may be", declared: "default = 1", sources: [file("v = null")], want: null },
    {
      name: "of its default, where null is no value",
      declared: "default = 1\n nullable = false",
      sources: [file("v = null")],
      want: 1,
    },
    { name: "of a quoted type of old", declared: 'type = "map"', sources: [file('v = { a = "b" }')], want: { a: "b" } },
  ];
  for (const { name, declared, sources, want } of cases) {
    test(name, () => {
      const { final, said } = collect(`variable "v" {\n ${declared}\n}`, ...sources);
      expect(said.filter((text) => text.startsWith("error"))).toEqual([]);
      expect(plainOf(final.get("v")!)).toEqual(want);
    });
  }
});

describe("a variable is refused", () => {
  const cases: readonly { name: string; declared: string; sources: readonly VariableSource[]; want: RegExp }[] = [
    { name: "without a value", declared: "", sources: [], want: /No value for required variable: .*"v" is not set/ },
    {
      name: "with a value of the wrong type",
      declared: "type = number",
      sources: [commandLine("v", "x")],
      want: /Invalid value for input variable: .*-var="v=\.\.\.".*a number is required/,
    },
    {
      name: "with a wrong value inside",
      declared: "type = list(number)",
      sources: [file('v = [1, "x"]')],
      want: /\[1\]: a number is required/,
    },
    {
      name: "with text that is no expression",
      declared: "type = list(string)",
      sources: [commandLine("v", "[")],
      want: /./,
    },
    {
      name: "with null, where it must not be",
      declared: "type = string\n nullable = false",
      sources: [file("v = null")],
      want: /Required variable not set/,
    },
    {
      name: "with a default of the wrong type",
      declared: 'type = number\n default = "x"',
      sources: [],
      want: /Invalid default value for variable: This default value/,
    },
    {
      name: "that is not declared, on the command line",
      declared: "default = 1",
      sources: [commandLine("w", "x")],
      want: /Value for undeclared variable: .*on the command line/,
    },
  ];
  for (const { name, declared, sources, want } of cases) {
    test(name, () => {
      expect(collect(`variable "v" {\n ${declared}\n}`, ...sources).said.join("\n")).toMatch(want);
    });
  }
});

test("a misspelt name gets a suggestion", () => {
  const { said } = collect('variable "region" {\n default = 1\n}', commandLine("regoin", "x"));
  expect(said[0]).toMatch(/Did you mean "region"\?/);
});

test("undeclared names in files warn, two by name and the rest by number", () => {
  const { diagnostics } = collect("", file("a = 1\nb = 2\nc = 3\nd = 4"));
  expect(diagnostics.map(({ severity, summary }) => `${severity}: ${summary}`)).toEqual([
    "warning: Value for undeclared variable",
    "warning: Value for undeclared variable",
    "warning: Values for undeclared variables",
  ]);
  expect(diagnostics[2]!.detail).toMatch(/2 other variable/);
});

test("undeclared names in the environment are nobody's business", () => {
  expect(collect("", environment("other", "x")).said).toEqual([]);
});

test("a sensitive variable's value is marked, and no message shows it", () => {
  const { final } = collect('variable "v" {\n sensitive = true\n default = "s3cret"\n}');
  expect(final.get("v")!.marks.has(sensitive)).toBe(true);
  const wrong = collect('variable "v" {\n sensitive = true\n type = number\n}', commandLine("v", "s3cret"));
  expect(wrong.said.join("\n")).toMatch(/Invalid value for input variable/);
  expect(wrong.said.join("\n")).not.toMatch(/s3cret/);
});

test("a saved plan keeps what was given, and no defaults", () => {
  const { given } = collect('variable "a" {\n default = 1\n}\nvariable "b" {\n}', commandLine("b", "2"));
  expect([...given.keys()]).toEqual(["b"]);
});

describe("a variables file", () => {
  test("of 2016 has its names quoted, which is read with a warning", () => {
    const { value, diagnostics } = readVariablesFile(one("x.tfvars", '"a" = "1"\nb = "2"\n'), "x.tfvars");
    expect([...value!.keys()]).toEqual(["a", "b"]);
    expect(messages(diagnostics)).toEqual([expect.stringMatching(/^warning: Quoted variable names are deprecated/)]);
  });

  const wrong: readonly [string, string, RegExp][] = [
    ["that is not there", "", /does not exist/],
    ["with a variable block", 'variable "a" {\n}\n', /place this block in one of your .tf files/],
    ["with a syntax error", "a = [", /./],
  ];
  for (const [name, text, want] of wrong) {
    test(`${name} is an error`, () => {
      const files = text === "" ? filesOf(new Map()) : one("x.tfvars", text);
      const { diagnostics } = readVariablesFile(files, "x.tfvars");
      expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
      expect(messages(diagnostics).join("\n")).toMatch(want);
    });
  }
});
