import { describe, expect, test } from "vitest";
import { placeText } from "../test/golden.ts";
import { treeText } from "../test/tree-text.ts";
import { valueText } from "../test/value-text.ts";
import type { JsonNode, JsonStringNode } from "./ast.ts";
import { maximumNesting } from "./cursor.ts";
import { evaluate } from "./evaluate.ts";
import { parseJsonFile, parseJsonValue } from "./parse-json.ts";
import { emptyScope } from "./scope.ts";
import { rangeOf, sourceFile } from "./source-file.ts";

/** A JSON tree in a line. */
function text(node: JsonNode): string {
  switch (node.kind) {
    case "jsonObject":
      return `{${node.properties.map(({ name, value }) => `${name}: ${text(value)}`).join(", ")}}`;
    case "jsonArray":
      return `[${node.elements.map(text).join(", ")}]`;
    case "jsonString":
      return JSON.stringify(node.text);
    case "jsonNumber":
      return valueText(node.value);
    case "jsonBool":
      return String(node.value);
    case "jsonNull":
      return "null";
  }
}

describe("values", () => {
  const rows: { input: string; want: string }[] = [
    { input: "{}", want: "{}" },
    { input: ' { "a" : 1 , "b" : [ true , false , null ] } ', want: "{a: 1, b: [true, false, null]}" },
    { input: '{"a": {"b": {"c": []}}}', want: "{a: {b: {c: []}}}" },
    { input: '{"a": 1, "a": 2}', want: "{a: 1, a: 2}" },
    { input: '[{"a": 1}, {"b": 2}]', want: "[{a: 1}, {b: 2}]" },
    { input: '{"a": "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"}', want: '{a: "\\"\\\\/\\b\\f\\n\\r\\té"}' },
    { input: '{"\\u0061\\ud83d\\ude00": 1}', want: "{a😀: 1}" },
    { input: '{"a": "\\ud83d"}', want: '{a: "\ufffd"}' },
    {
      input: '{"a": [0, -0.5, 1e3, 1E-2, 12345678901234567890.5]}',
      want: "{a: [0, -0.5, 1000, 0.01, 12345678901234567890.5]}",
    },
    { input: '\ufeff{"a": 1}', want: "{a: 1}" },
  ];
  test.each(rows)("$input", ({ input, want }) => {
    const { value, diagnostics } = parseJsonFile(sourceFile("f", input));
    expect(diagnostics).toEqual([]);
    expect(value.json && text(value.json)).toBe(want);
  });
});

describe("faults are said at their place, and what is around them stays", () => {
  const rows: { input: string; want: readonly string[]; tree?: string }[] = [
    { input: "", want: ["Missing value (1,1-1,1)"], tree: "{}" },
    { input: "1", want: ["Root value must be object (1,1-1,2)"], tree: "{}" },
    { input: '{"a": 1} 2', want: ["Extraneous data after value (1,10-1,11)"], tree: "{a: 1}" },
    { input: '{"a": 1', want: ["Unclosed object (1,1-1,2)"], tree: "{a: 1}" },
    { input: '{"a": [1', want: ["Unclosed array (1,7-1,8)"], tree: "{a: [1]}" },
    { input: '{"a": [1, 2}, "b": 3}', want: ["Mismatched brackets (1,12-1,13)"], tree: "{a: [1, 2]}" },
    { input: '{"a": {"b": 1], "c": 2}, "d": 3}', want: ["Mismatched braces (1,14-1,15)"], tree: "{a: {b: 1}, d: 3}" },
    { input: '{"a": 1,}', want: ["Trailing comma in object (1,8-1,9)"], tree: "{a: 1}" },
    { input: '{"a": [1, 2, ], "b": 3}', want: ["Trailing comma in array (1,12-1,13)"], tree: "{a: [1, 2], b: 3}" },
    { input: '{"a" 1}', want: ["Missing property value colon (1,6-1,7)"], tree: "{}" },
    { input: '{"a" = 1}', want: ["Missing property value colon (1,6-1,7)"], tree: "{}" },
    { input: '{"a", "b"}', want: ["Missing object value (1,5-1,6)"], tree: "{}" },
    { input: '{"a": }', want: ["Missing JSON value (1,7-1,8)"], tree: "{}" },
    { input: '{"a": [,]}', want: ["Invalid start of value (1,8-1,9)"], tree: "{a: []}" },
    { input: '{"a": ["b": 1]}', want: ["Invalid array value (1,11-1,12)"] },
    { input: '{"a": 1 "b": 2}', want: ["Missing attribute separator comma (1,9-1,12)"], tree: "{a: 1}" },
    { input: "{a: 1}", want: ["Invalid object property name (1,2-1,3)"], tree: "{}" },
    { input: "{'a': 1}", want: ["Invalid object property name (1,2-1,3)"], tree: "{}" },
    { input: '{"a": True, "b": 1}', want: ["Invalid JSON keyword (1,7-1,11)"], tree: "{a: null, b: 1}" },
    { input: '{"a": NaN}', want: ["Invalid JSON keyword (1,7-1,10)"] },
    { input: '{"a": 01, "b": 1}', want: ["Invalid JSON number (1,7-1,9)"], tree: "{a: null, b: 1}" },
    { input: '{"a": +1}', want: ["Invalid JSON number (1,7-1,9)"] },
    { input: '{"a": 1.}', want: ["Invalid JSON number (1,7-1,9)"] },
    { input: '{"a": "b\\q", "c": 1}', want: ["Invalid JSON string (1,9-1,11 in 1,7-1,12)"], tree: '{a: "bq", c: 1}' },
    { input: '{"a": "\\u12"}', want: ["Invalid JSON string (1,8-1,12 in 1,7-1,13)"] },
    { input: '{"a": "b\nc"}', want: ["Invalid JSON string (1,7-1,9)"] },
    {
      input: '{"a": [1, 2 3], "b": [4 5], "c": 6}',
      want: ["Missing attribute separator comma (1,13-1,14)", "Missing attribute separator comma (1,25-1,26)"],
      tree: "{a: [1, 2], b: [4], c: 6}",
    },
  ];
  test.each(rows)("$input", ({ input, want, tree }) => {
    const { value, diagnostics } = parseJsonFile(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual(want);
    if (tree !== undefined) expect(value.json && text(value.json)).toBe(tree);
  });

  test("a byte that is not UTF-8 is replaced, with a warning", () => {
    const { value, diagnostics } = parseJsonFile(sourceFile("f", Buffer.from('{"a": "\xff"}', "latin1")));
    expect(diagnostics.map((d) => `${d.severity}: ${placeText(d)}`)).toEqual([
      "warning: Invalid character encoding (1,8-1,9)",
    ]);
    expect(value.json && text(value.json)).toBe('{a: "\ufffd"}');
  });
});

test("nodes have byte-exact ranges, and what is missing is missed at the closing brace", () => {
  const { value } = parseJsonFile(sourceFile("f", '{\n  "é": ["x", 1.5]\n}\n'));
  const { json } = value;
  if (json?.kind !== "jsonObject") throw new Error("no object");
  const property = json.properties[0]!;
  const bytes = (node: Parameters<typeof rangeOf>[0]) => [rangeOf(node).start.byte, rangeOf(node).end.byte];
  expect(bytes(json)).toEqual([0, 22]);
  expect(bytes(property)).toEqual([4, 20]);
  expect(bytes(property.nameNode)).toEqual([4, 8]);
  expect(property.value.kind === "jsonArray" && property.value.elements.map(bytes)).toEqual([
    [11, 14],
    [16, 19],
  ]);
  expect(bytes(value.missingItem)).toEqual([21, 22]);
});

describe("strings are templates when they are used", () => {
  function stringOf(source: string): JsonStringNode {
    const { value } = parseJsonValue(sourceFile("f", source));
    if (value.kind !== "jsonString") throw new Error(value.kind);
    return value;
  }

  test("read once", () => {
    const node = stringOf('"a ${b} %{if c}d%{endif}"');
    expect(treeText(node.template())).toBe('(template "a " b " " (? c (template "d") (template)))');
    expect(node.template()).toBe(node.template());
  });

  test("with places in the file, through escapes", () => {
    const template = stringOf(' "\\u00e9\\n\\"${b + c}"').template();
    if (template.kind !== "template") throw new Error(template.kind);
    const sum = template.parts[1]!;
    expect([rangeOf(sum).start, rangeOf(sum).end]).toEqual([
      { line: 1, column: 15, byte: 14 },
      { line: 1, column: 20, byte: 19 },
    ]);
  });

  test("with faults that are said when they are evaluated", () => {
    const node = stringOf('"a ${b +}"');
    const { file, start, end } = node;
    const { diagnostics } = evaluate({ kind: "json", value: node, file, start, end }, emptyScope);
    expect(diagnostics.map(placeText)).toEqual(["Invalid expression (1,9-1,10)"]);
  });
});

test("JSON nested too deep gets a diagnostic, and the rest is read", () => {
  const deep = maximumNesting + 50;
  const { value, diagnostics } = parseJsonFile(
    sourceFile("f", `{"a": ${"[".repeat(deep)}${"]".repeat(deep)}, "b": 1}`),
  );
  expect(diagnostics.map(({ summary }) => summary)).toEqual(["Nesting too deep"]);
  expect(value.json?.kind === "jsonObject" && value.json.properties.map(({ name }) => name)).toEqual(["a", "b"]);
});
