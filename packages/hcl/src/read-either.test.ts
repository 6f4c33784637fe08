import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { plainBody } from "../test/plain-body.ts";
import { contentOf, justAttributes, partialContentOf } from "./body-content.ts";
import { evaluate } from "./evaluate.ts";
import { parseHcl1File } from "./hcl1.ts";
import { parseHcl1JsonFile } from "./hcl1-json.ts";
import { readEither } from "./read-either.ts";
import { sourceFile } from "./source-file.ts";

function either(source: string) {
  return readEither(sourceFile("test.hcl", source));
}

describe("readEither", () => {
  test("takes HCL 2 as it is", () => {
    const { value, diagnostics } = either('a = "${b}"\n');
    expect(diagnostics).toEqual([]);
    expect(value.attributes.get("a")?.expression.kind).toBe("templateWrap");
    expect(value.interchangeable).toBeUndefined();
  });

  const old = [
    { name: "several arguments on one line", input: "update { a = 1 b = 2 }", line: 1 },
    { name: "quoted keys", input: 'a = 1\n"b" = 2', line: 2 },
    { name: "a directive in a heredoc that is text", input: "a = <<E\n%{ x }\nE\n", line: 2 },
  ];
  test.each(old)("takes HCL 1 with a warning where HCL 2 goes wrong: $name", ({ input, line }) => {
    const { value, diagnostics } = either(input);
    expect(diagnostics.map((d) => [d.severity, d.summary, d.subject?.start.line])).toEqual([
      ["warning", "File in HCL 1", line],
    ]);
    expect(value.interchangeable).toBe(true);
  });

  test("says the faults of HCL 2 where it is neither", () => {
    const { value, diagnostics } = either("a = \nb {\n");
    expect(diagnostics[0]).toMatchObject({ severity: "error", summary: "Invalid expression" });
    expect(value.interchangeable).toBeUndefined();
  });

  test("takes a file that begins with a brace as JSON with plain strings", () => {
    const { value, diagnostics } = either(' \n{"path": {"secret/*": {"policy": "${read}"}}}');
    expect(diagnostics).toEqual([]);
    const content = contentOf(value, { attributes: [], blocks: [{ type: "path", labelNames: ["path"] }] });
    expect(content.value.blocks[0]?.labels).toEqual(["secret/*"]);
  });

  test("reads the jobs of 2016 as HCL 2", () => {
    const job = readFileSync(new URL("../testdata/incrementalism/myapp-vault.job", import.meta.url), "utf8");
    expect(either(job).diagnostics).toEqual([]);
  });
});

test("strings and names in the JSON of HCL 1 are no templates", () => {
  const { value, diagnostics } = parseHcl1JsonFile(
    sourceFile("x.json", '{"a": ["${x}", {"${k}": "%{ y"}], "b": null}'),
  );
  expect(diagnostics).toEqual([]);
  const { attributes } = contentOf(value, {
    attributes: [
      { name: "a", required: true },
      { name: "b", required: true },
    ],
    blocks: [],
  }).value;
  const { value: a, diagnostics: said } = evaluate(attributes.get("a")!.expression, {
    variables: new Map(),
    functions: new Map(),
  });
  expect(said).toEqual([]);
  expect(JSON.stringify(a.data, (_, item) => (item instanceof Map ? [...item] : item))).toContain("%{ y");
});

describe("an HCL 1 body read by a schema", () => {
  const body = (source: string) => parseHcl1File(sourceFile("test.hcl", source)).value;
  const block = (type: string, ...labelNames: string[]) => ({ attributes: [], blocks: [{ type, labelNames }] });

  const cases = [
    {
      name: "gives an object behind an equals sign as a block",
      source: 'config = { image = "x" }',
      schema: block("config"),
      want: [["config"]],
    },
    {
      name: "gives a list of objects as several blocks",
      source: "x = [{ a = 1 }, { a = 2 }]",
      schema: block("x"),
      want: [["x"], ["x"]],
    },
    {
      name: "takes labels from an object's names",
      source: "port = { http = {}, db = { static = 1 } }",
      schema: block("port", "name"),
      want: [
        ["port", "http"],
        ["port", "db"],
      ],
    },
    {
      name: "takes labels from the blocks inside",
      source: 'path { "secret/*" { policy = "read" } }',
      schema: block("path", "path"),
      want: [["path", "secret/*"]],
    },
    {
      name: "keeps blocks in order, however they are written",
      source: "x { a = 1 }\nx = { a = 2 }\nx { a = 3 }",
      schema: block("x"),
      want: [["x"], ["x"], ["x"]],
    },
  ];
  test.each(cases)("$name", ({ source, schema, want }) => {
    const { value, diagnostics } = contentOf(body(source), schema);
    expect(diagnostics).toEqual([]);
    expect(value.blocks.map(({ type, labels }) => [type, ...labels])).toEqual(want);
  });

  test("gives a block where an attribute is wanted", () => {
    const schema = { attributes: [{ name: "meta", required: true }], blocks: [] };
    const { value, diagnostics } = contentOf(body('meta { "a.b" = 1 c "d" { e = 2 } }'), schema);
    expect(diagnostics).toEqual([]);
    expect(plainBody({ ...body(""), attributes: value.attributes })).toEqual({
      attributes: { meta: { "a.b": 1, c: { d: { e: 2 } } } },
      blocks: [],
    });
  });

  test("gives everything as attributes where it is read in free form, blocks of one type together", () => {
    const { value, diagnostics } = justAttributes(body("a = 1\nb { c = 2 }\nb { c = 3 }"));
    expect(diagnostics).toEqual([]);
    expect(plainBody({ ...body(""), attributes: value }).attributes).toEqual({ a: 1, b: [{ c: 2 }, { c: 3 }] });
  });

  test("says what the schema does not know, in the form it has", () => {
    const said = contentOf(body("a = 1\nb {}\nx = 5"), block("x")).diagnostics;
    expect(said.map(({ summary }) => summary)).toEqual([
      "Unsupported argument",
      "Unsupported argument",
      "Unsupported block type",
    ]);
  });

  test("keeps the rest for another schema", () => {
    const { content, rest } = partialContentOf(body("x = { a = 1 }\ny = { b = 2 }"), block("x")).value;
    expect(content.blocks.length).toBe(1);
    expect(contentOf(rest, block("y")).value.blocks.map((found) => plainBody(found.body).attributes)).toEqual([
      { b: 2 },
    ]);
  });
});
