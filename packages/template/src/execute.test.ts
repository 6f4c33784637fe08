import { describe, expect, test } from "vitest";
import { execute } from "./execute.ts";
import type { ExecuteOptions, Execution } from "./execute.ts";
import type { FunctionTable } from "./function.ts";
import { answerFrom, defineFunction, notYet } from "./function.ts";
import { helperFunctions } from "./helpers/helpers.ts";
import { parseTemplate } from "./parse.ts";

function run(text: string, options: ExecuteOptions = {}): Execution {
  const parsed = parseTemplate(text, { name: "t", functions: options.functions?.keys() ?? [] });
  if (!parsed.ok) throw new Error(parsed.error);
  return execute(parsed.template, options);
}

const helpers = helperFunctions({ environment: (name) => ({ HOME: "/h" })[name], clock: { now: () => 0 } });

/** A key-value store of which only `known` has arrived. */
function store(known: Readonly<Record<string, string>>): FunctionTable {
  const key = defineFunction({
    parameters: ["string"],
    call: ([name]) => {
      const dependency = { id: `key(${String(name)})` };
      const value = known[String(name)];
      return value === undefined ? notYet(dependency, "") : answerFrom(dependency, value);
    },
  });
  return new Map([...helpers, ["key", key]]);
}

describe("Dependencies", () => {
  const text = `{{if key "a"}}{{key "c"}}{{end}}{{key "b"}}{{key "a"}}`;

  test("what is missing is reported together, each once, and there is no text", () => {
    const missing = [{ id: "key(a)" }, { id: "key(b)" }];
    expect(run(text, { functions: store({}) })).toEqual({ kind: "missing", missing, used: missing });
  });

  test("what arrived leads to what was not asked for before", () => {
    const result = run(text, { functions: store({ a: "1", b: "2" }) });
    expect(result).toMatchObject({ kind: "missing", missing: [{ id: "key(c)" }] });
  });

  test("with all there, the text comes with what it was made of", () => {
    const used = ["a", "c", "b"].map((name) => ({ id: `key(${name})` }));
    expect(run(text, { functions: store({ a: "1", b: "2", c: "3" }) })).toEqual({ kind: "text", text: "321", used });
  });

  test("an error beside a missing dependency may come from its placeholder, and does not hide it", () => {
    const result = run(`{{index (key "a" | split ",") 3}}`, { functions: store({}) });
    expect(result).toMatchObject({ kind: "missing", missing: [{ id: "key(a)" }] });
    expect(result.kind === "missing" && result.error?.message).toMatch(/index out of range: 3/);
  });
});

describe("Limits", () => {
  test.each([
    { name: "templates in each other", text: `{{define "r"}}{{template "r"}}{{end}}{{template "r"}}` },
    {
      name: "templates in ranges in each other",
      text: `{{define "r"}}{{range .}}{{with 1}}{{template "r" $}}{{end}}{{end}}{{end}}{{template "r" 3}}`,
    },
    {
      name: "templates that functions execute",
      text: `{{define "r"}}{{if (print (executeTemplate "r"))}}{{end}}{{end}}{{template "r"}}`,
    },
    { name: "a range without end", text: `{{range 1000000000000000}}{{end}}` },
    { name: "a loop without end", text: `{{range loop 1000000000000000}}{{end}}` },
    { name: "a text without end", text: `{{range 1000000000000000}}{{printf "%1000000d" 1}}{{end}}` },
    { name: "a variable that doubles", text: `{{$x := "xxxxxxxx"}}{{range 100}}{{$x = print $x $x}}{{end}}` },
    {
      name: "a map that holds itself",
      text: `{{scratch.MapSet "a" "a" 1}}{{scratch.MapSet "a" "b" (scratch.Get "a")}}{{scratch.Get "a"}}`,
    },
    {
      name: "a map that holds itself, as JSON",
      text: `{{scratch.MapSet "a" "b" 1}}{{scratch.MapSet "a" "b" (scratch.Get "a")}}{{scratch.Get "a" | toJSON}}`,
    },
    { name: "a large indent", text: `{{$x := printf "%1000000d" 1 | replaceAll " " "\\n1"}}{{indent 1000000 $x}}` },
    { name: "a large replacement", text: `{{$x := printf "%1000000d" 1}}{{replaceAll " " $x $x}}` },
    { name: "a large replacement by expression", text: `{{$x := printf "%1000000d" 1}}{{regexReplaceAll " " $x $x}}` },
  ])("$name end with an error", ({ text }) => {
    const functions = helperFunctions({ environment: () => undefined, clock: { now: () => 0 } });
    const result = run(text, { functions, limits: { steps: 1_000_000 } });
    expect(result.kind).toBe("error");
    expect(result.kind === "error" && result.error.message).toMatch(/limit|exceeded|too large|is not printed/);
  });

  test("a template takes all its depth without the stack's end", () => {
    const text = `{{define "r"}}{{if .}}{{with slice . 1}}{{template "r" .}}{{end}}{{end}}{{end}}{{template "r" .}}`;
    expect(run(text, { data: "x".repeat(150) })).toMatchObject({ kind: "text" });
  });
});

test("An error has the place of what is wrong", () => {
  const result = run("é\n {{len .x.y}}", { data: { x: 1n } });
  expect(result).toMatchObject({
    kind: "error",
    error: {
      message: `template: t:2:9: executing "t" at <.x.y>: can't evaluate field y in type interface {}`,
      diagnostic: { subject: { filename: "t", start: { line: 2, column: 10, byte: 12 }, end: { column: 14 } } },
    },
  });
});

test("The same template and data give the same text", () => {
  const data = { b: 1, a: 2, "10": 3, "9": 4 };
  const text = "{{range $k, $v := .}}{{$k}}{{$v}} {{end}}{{.}}";
  expect(run(text, { data })).toEqual(run(text, { data }));
  expect(run(text, { data })).toMatchObject({ text: "103 94 a2 b1 map[10:3 9:4 a:2 b:1]" });
});
