import { expect, test } from "vitest";
import type { Expression } from "./ast.ts";
import { parseJsonValue } from "./parse-json.ts";
import { parseExpression } from "./parse.ts";
import { referencesIn } from "./references.ts";
import { sourceFile } from "./source-file.ts";

test.for([
  { expression: '1 + length("x")', want: [] },
  { expression: "a.b[0] + c", want: ["a", "c"] },
  { expression: "a + a", want: ["a", "a"] },
  { expression: '"${a} %{ if b }${c}%{ else }${d}%{ endif }"', want: ["a", "b", "c", "d"] },
  { expression: '{ a = b, (c) = d, "e${f}" = 1 }', want: ["b", "c", "d", "f"] },
  { expression: "[for k, v in v : k == v ? a : v.x if b[k]]", want: ["v", "a", "b"] },
  { expression: "{for x in a : x => [for y in x : z]...}", want: ["a", "z"] },
  { expression: "a[b][*].c[d]", want: ["a", "b", "d"] },
  { expression: "f(a, -b, !c, (d)...)", want: ["a", "b", "c", "d"] },
  { expression: "f(a).b[c]", want: ["a", "c"] },
  { expression: "a && b || c ? d : e", want: ["a", "b", "c", "d", "e"] },
  { expression: '"%{ for x in a }${x}${b}%{ endfor }"', want: ["a", "b"] },
])("$expression refers to $want", ({ expression, want }) => {
  const names = referencesIn(parseExpression(sourceFile("case", expression)).value).map(({ root }) => root.name);
  expect(names.toSorted()).toEqual(want.toSorted());
});

test("in JSON, names of properties and strings refer to what their templates do", () => {
  const { value } = parseJsonValue(sourceFile("case", '{"${a}": ["${b.c}", 1, null], "d": {"e": "${f}"}}'));
  const { file, start, end } = value;
  const expression: Expression = { kind: "json", value, file, start, end };
  expect(referencesIn(expression).map(({ root }) => root.name)).toEqual(["a", "b", "f"]);
});
