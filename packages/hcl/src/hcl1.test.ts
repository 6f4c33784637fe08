import { leastTime } from "../test/least-time.ts";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Chance } from "../test/chance.ts";
import { plainBody } from "../test/plain-body.ts";
import { parseHcl1File } from "./hcl1.ts";
import { rangeOf, sourceFile } from "./source-file.ts";

function read(source: string) {
  return parseHcl1File(sourceFile("test.hcl", source));
}

/** The attributes of a text without faults. */
function attributes(source: string): Readonly<Record<string, unknown>> {
  const { value, diagnostics } = read(source);
  expect(diagnostics).toEqual([]);
  return plainBody(value).attributes;
}

describe("parseHcl1File", () => {
  const folder = new URL("../testdata/incrementalism/", import.meta.url);
  const jobs = readdirSync(folder).filter((name) => name.endsWith(".job"));
  test.each(jobs)("reads %s as the reference read it", (name) => {
    const { value, diagnostics } = read(readFileSync(new URL(name, folder), "utf8"));
    expect(diagnostics).toEqual([]);
    expect(plainBody(value)).toEqual(JSON.parse(readFileSync(new URL(name.replace(".job", ".json"), folder), "utf8")));
  });

  const structure = [
    {
      name: "takes several arguments on one line",
      input: 'update { stagger = "10s" max_parallel = 1 }',
      want: {
        attributes: {},
        blocks: [{ header: ["update"], attributes: { stagger: "10s", max_parallel: 1 }, blocks: [] }],
      },
    },
    {
      name: "takes commas between items, or none",
      input: "a = 1, b = 2 c = 3,\nd = 4",
      want: { attributes: { a: 1, b: 2, c: 3, d: 4 }, blocks: [] },
    },
    {
      name: "takes quoted keys",
      input: 'meta { "foo.bar" = "x" }',
      want: { attributes: {}, blocks: [{ header: ["meta"], attributes: { "foo.bar": "x" }, blocks: [] }] },
    },
    {
      name: "takes an object behind an equals sign",
      input: 'config = { image = "x" port_map { http = 80 } y "z" {} }',
      want: { attributes: { config: { image: "x", port_map: { http: 80 }, y: { z: {} } } }, blocks: [] },
    },
    {
      name: "takes further keys as labels, quoted or not",
      input: 'path "secret/*" x.y {\n}',
      want: { attributes: {}, blocks: [{ header: ["path", "secret/*", "x.y"], attributes: {}, blocks: [] }] },
    },
    {
      name: "lets a header and its brace stand on several lines",
      input: 'job\n"a"\n{\n}\nb\n=\n1',
      want: { attributes: { b: 1 }, blocks: [{ header: ["job", "a"], attributes: {}, blocks: [] }] },
    },
    {
      name: "takes all kinds of comments",
      input: "# a\n// b\n/* c\n */ a /* d */ = 1 # e",
      want: { attributes: { a: 1 }, blocks: [] },
    },
  ];
  test.each(structure)("$name", ({ input, want }) => {
    const { value, diagnostics } = read(input);
    expect(diagnostics).toEqual([]);
    expect(plainBody(value)).toEqual(want);
  });

  const values = [
    { name: "integers of all bases", input: "[0, 42, -7, 0x1F, -0X10, 017, 00]", want: [0, 42, -7, 31, -16, 15, 0] },
    { name: "integers of any size", input: "123456789012345678901234567890", want: "123456789012345678901234567890" },
    { name: "fractions", input: "[1.5, -2e3, .5, 1., 25e-1, 1E+2]", want: ["1.5", -2000, "0.5", 1, "2.5", 100] },
    { name: "truth", input: "[true, false]", want: [true, false] },
    {
      name: "Go's escapes",
      input: '"\\a\\t\\n\\"\\\\\\x41\\101\\u00e9\\U0001F600\\xc3\\xa9"',
      want: '\x07\t\n"\\AAé😀é',
    },
    {
      name: "interpolations as text, with quotes and newlines in them",
      input: '"a${f("x", "\\n")\n}b"',
      want: 'a${f("x", "\\n")\n}b',
    },
    { name: "template directives as text", input: '"%{ if x }"', want: "%{ if x }" },
    { name: "lists with needless commas and comments", input: "[1, # one\n 2,,\n]", want: [1, 2] },
    {
      name: "lists and objects in lists",
      input: "[{a = 1}, [2], {b {c = 3}}]",
      want: [{ a: 1 }, [2], { b: { c: 3 } }],
    },
    { name: "a heredoc", input: "<<EOF\n  a ${b}\n%{ c }\nEOF\n", want: "  a ${b}\n%{ c }\n" },
    { name: "an indented heredoc", input: "<<-EOF\n    a\n      b\n    EOF\n", want: "a\n  b\n" },
    {
      name: "an indented heredoc with a line further out",
      input: "<<-EOF\n  a\n    b\n    EOF\n",
      want: "  a\n    b\n",
    },
    { name: "a heredoc with carriage returns", input: "<<EOF\r\na\r\nEOF\r\n", want: "a\n" },
    { name: "an empty heredoc", input: "<<EOF\nEOF\n", want: "" },
  ];
  test.each(values)("reads $name", ({ input, want }) => {
    expect(attributes(`x = ${input}\ny = 1`)).toEqual({ x: want, y: 1 });
  });

  test("lets the last of two arguments hold, with a warning", () => {
    const { value, diagnostics } = read("a = 1\na = 2\n");
    expect(plainBody(value).attributes).toEqual({ a: 2 });
    expect(diagnostics.map((d) => [d.severity, d.summary, d.subject?.start.line])).toEqual([
      ["warning", "Argument set twice", 2],
    ]);
  });

  test("knows where everything stands", () => {
    const { value } = read('a = "é"\njob "x" {\n  b = [1]\n}\n');
    const [job] = value.blocks;
    const lines = [
      value.attributes.get("a")!,
      job!,
      job!.labelNodes[0]!,
      job!.closeBrace,
      job!.body.attributes.get("b")!.expression,
    ];
    expect(
      lines.map(rangeOf).map(({ start, end }) => [start.line, start.column, start.byte, end.line, end.column]),
    ).toEqual([
      [1, 1, 0, 1, 8],
      [2, 1, 9, 4, 2],
      [2, 5, 13, 2, 8],
      [4, 1, 29, 4, 2],
      [3, 7, 25, 3, 10],
    ]);
  });
});

describe("a fault in HCL 1", () => {
  const cases = [
    { name: "no value", input: "a =\n", want: ["Missing value", 2, 1] },
    { name: "a name alone", input: "a\nb = 1", want: ["Several names before an equals sign", 1, 1] },
    { name: "a name before a brace", input: "x { a }", want: ["Missing value", 1, 7] },
    { name: "a reference", input: "a = var.x", want: ["Missing quotes", 1, 5] },
    {
      name: "several names before an equals sign",
      input: "a b = 1",
      want: ["Several names before an equals sign", 1, 1],
    },
    { name: "an open string", input: 'a = "x\nb = 1', want: ["Unclosed string", 1, 5] },
    { name: "an unknown escape", input: 'a = "x\\z"', want: ["Invalid escape sequence", 1, 7] },
    { name: "a heredoc without an end", input: "a = <<EOF\nx\nEOF", want: ["Unclosed heredoc", 1, 5] },
    { name: "a heredoc without a name", input: "a = <<\nx", want: ["Invalid heredoc", 1, 5] },
    { name: "an open list", input: "a = [1\nb = 2", want: ["Missing comma", 2, 1] },
    { name: "an open brace", input: "a {\nb = 1\n", want: ["Unclosed brace", 1, 3] },
    { name: "a closing brace too many", input: "a = 1\n}\nb = 2", want: ["Unexpected closing brace", 2, 1] },
    { name: "an open comment", input: "a = 1 /* x", want: ["Unclosed comment", 1, 7] },
    { name: "a wrong number", input: "a = 10MB", want: ["Invalid number", 1, 5] },
    { name: "a wrong octal number", input: "a = 089", want: ["Invalid number", 1, 5] },
    { name: "a character of no meaning", input: "a = *", want: ["Invalid character", 1, 5] },
    { name: "a missing comma", input: "a = [1 2]", want: ["Missing comma", 1, 8] },
    { name: "a brace without a name", input: "{ a = 1 }", want: ["Missing name", 1, 1] },
  ];
  test.each(cases)("is told at its place: $name", ({ input, want }) => {
    const [first] = read(input).diagnostics;
    expect([first?.summary, first?.subject?.start.line, first?.subject?.start.column]).toEqual(want);
  });

  test("leaves the other items", () => {
    const { value, diagnostics } = read('a = var.x\nb = 1\nblock {\n  c = \n  d = 2\n}\ne = [*]\nf = 3\n}\ng = "4"\n');
    expect(plainBody(value)).toEqual({
      attributes: { b: 1, e: [], f: 3, g: "4" },
      blocks: [{ header: ["block"], attributes: {}, blocks: [] }],
    });
    expect(diagnostics.length).toBe(4);
  });

  test("is told for bytes that are not UTF-8", () => {
    const { diagnostics } = parseHcl1File(sourceFile("x", Buffer.from([0x61, 0x3d, 0xff])));
    expect(diagnostics[0]?.summary).toBe("Invalid character");
    expect(diagnostics[0]?.detail).toContain("UTF-8");
  });

  const deep = [
    { name: "blocks", source: `${"a {".repeat(100_000)}${"}".repeat(100_000)}` },
    { name: "objects", source: `${"a = {".repeat(100_000)}${"}".repeat(100_000)}` },
    { name: "lists", source: `a = ${"[".repeat(100_000)}${"]".repeat(100_000)}` },
  ];
  test.each(deep)("is told once for $name that are nested too deep", ({ source }) => {
    const { diagnostics } = read(`${source}\nb = 1\n`);
    expect(diagnostics.map(({ summary }) => summary)).toEqual(["Nesting too deep"]);
  });
});

describe("any text", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    "=",
    ",",
    '"',
    "\n",
    "<<E\n",
    "E\n",
    "<<-",
    "${",
    "}",
    "\\",
    "#",
    "//",
    "/*",
    "*/",
    "a",
    "1",
    "0x",
    "-",
    ".",
    "true",
    " ",
    "é",
    "\0",
    "\ud800",
    "<",
  ];

  test("is read without an exception, in time", () => {
    const chance = new Chance(7);
    for (let round = 0; round < 3000; round++) {
      const source = Array.from({ length: chance.below(40) }, () => chance.pick(pieces)).join("");
      expect(
        leastTime(200, () => read(source)),
        source,
      ).toBeLessThan(200);
    }
  });

  test("is read in linear time where much is left open", () => {
    for (const piece of [
      '"${\n',
      '"${',
      "<<E\n",
      "<<",
      "/*",
      "{",
      "[",
      "a {",
      "x = [",
      '"',
      "a ",
      "\\",
      "a = \n",
      "1",
      "}",
      "${{",
    ]) {
      expect(
        leastTime(2000, () => read(piece.repeat(50_000))),
        piece,
      ).toBeLessThan(2000);
    }
  });
});
