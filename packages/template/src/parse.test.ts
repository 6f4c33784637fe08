import { expect, test } from "vitest";
import { execute } from "./execute.ts";
import { parseTemplate } from "./parse.ts";

test("Every function and variable that is not there is reported, in its place", () => {
  const parsed = parseTemplate("{{nope}} {{$x}}\n{{other .a}}", { name: "t", filename: "f.tpl" });
  if (parsed.ok) throw new Error("it is malformed");
  expect(parsed.error).toBe(`template: t:1: function "nope" not defined`);
  const places = parsed.diagnostics.map(({ subject }) => [
    subject?.start.line,
    subject?.start.column,
    subject?.end.column,
  ]);
  expect(places).toEqual([
    [1, 3, 7],
    [1, 12, 14],
    [2, 3, 8],
  ]);
});

test("What is open at the end is said, beside what else is wrong", () => {
  const parsed = parseTemplate("{{if nope}}", { name: "t" });
  if (parsed.ok) throw new Error("it is malformed");
  expect(parsed.diagnostics.map(({ detail }) => detail)).toEqual([
    `Function "nope" not defined. Look at its spelling: no function has that name.`,
    "Unexpected EOF. An action is still open here: close it with an end.",
  ]);
});

test("A complex constant is refused", () => {
  const parsed = parseTemplate("{{1+2i}}", { name: "t" });
  expect(parsed).toMatchObject({ ok: false, error: `template: t:1: complex constants are not supported: "1+2i"` });
});

test("A text may use and replace what another one defines", () => {
  const base = parseTemplate(`{{define "a"}}1{{end}}{{define "b"}}2{{end}}`, { name: "base" });
  if (!base.ok) throw new Error(base.error);
  const parsed = parseTemplate(`{{define "b"}}3{{end}}{{template "a"}}{{template "b"}}`, {
    name: "t",
    base: base.template,
  });
  if (!parsed.ok) throw new Error(parsed.error);
  expect(execute(parsed.template)).toMatchObject({ text: "13" });
});

test.each([
  { name: "parentheses", text: `{{${"(".repeat(100_000)}` },
  { name: "actions", text: "{{if 1}}".repeat(100_000) },
  { name: "elses", text: `{{if 1}}${"{{else if 1}}".repeat(100_000)}{{end}}` },
  { name: "blocks", text: `{{block "a" .}}`.repeat(100_000) },
])("Too many $name in each other are refused", ({ text }) => {
  expect(parseTemplate(text, { name: "t" })).toMatchObject({ ok: false, error: /max expression depth exceeded/ });
});
