import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { countGraphemes } from "@millwright/text/graphemes";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { diagnosticPlain } from "./diagnostic-json.ts";
import { headerAround, renderDiagnostic, renderDiagnostics, sourcesIn } from "./diagnostics.ts";

const view = { width: 60, colour: false };

/** The range of `piece` in `text`, counted as a parser counts. */
function rangeOf(text: string, piece: string): SourceRange {
  const at = text.indexOf(piece);
  return { filename: "main.tf", start: positionAt(text, at), end: positionAt(text, at + piece.length) };
}

function positionAt(text: string, offset: number): SourceRange["start"] {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: countGraphemes(before.split("\n").at(-1)!) + 1, byte: Buffer.byteLength(before) };
}

function shown(text: string, piece: string, more: Partial<Diagnostic> = {}): string[] {
  const diagnostic: Diagnostic = {
    severity: "error",
    summary: "Wrong",
    detail: "",
    subject: rangeOf(text, piece),
    ...more,
  };
  return renderDiagnostic(diagnostic, view, () => text)
    .split("\n")
    .slice(3, -2);
}

describe("a diagnostic shows its place", () => {
  const cases = [
    { name: "with marks under it", text: "a = foo\n", piece: "foo", want: ["│    1: a = foo", "│           ^^^"] },
    {
      name: "behind tabs, which are kept",
      text: "\ta =\tfoo\n",
      piece: "foo",
      want: ["│    1: \ta =\tfoo", "│       \t   \t^^^"],
    },
    {
      name: "behind wide characters, which count twice",
      text: 'a = "世界" + foo\n',
      piece: "foo",
      want: ['│    1: a = "世界" + foo', "│                    ^^^"],
    },
    { name: "of wide characters", text: "a = 世界\n", piece: "世界", want: ["│    1: a = 世界", "│           ^^^^"] },
    {
      name: "behind letters with marks on them, which count once",
      text: "e\u0301 = foo\n",
      piece: "foo",
      want: ["│    1: e\u0301 = foo", "│           ^^^"],
    },
    {
      name: "behind a family of emoji",
      text: '"👩‍👧" = foo\n',
      piece: "foo",
      want: ['│    1: "👩‍👧" = foo', "│              ^^^"],
    },
    {
      name: "of several lines",
      text: "a = [\n  1,\n]\n",
      piece: "[\n  1,\n]",
      want: ["│    1: a = [", "│           ^", "│    2:   1,", "│    3: ]"],
    },
    {
      name: "of many lines, cut off",
      text: `a = [\n${"1,\n".repeat(9)}]\n`,
      piece: `[\n${"1,\n".repeat(9)}]`,
      want: [
        "│    1: a = [",
        "│           ^",
        "│    2: 1,",
        "│    3: 1,",
        "│    4: 1,",
        "│    5: 1,",
        "│       ... up to line 11",
      ],
    },
    { name: "that is empty, with one mark", text: "a = \n", piece: "\n", want: ["│    1: a = ", "│           ^"] },
    {
      name: "in a file with carriage returns",
      text: "a = foo\r\nb = 1\r\n",
      piece: "foo",
      want: ["│    1: a = foo", "│           ^^^"],
    },
    {
      name: "with nothing that a terminal obeys",
      text: 'a = "\u001b[2J" + foo\n',
      piece: "\u001b",
      want: ['│    1: a = "\\u001b[2J" + foo', "│            ^"],
    },
  ];
  test.each(cases)("$name", ({ text, piece, want }) => expect(shown(text, piece).slice(1)).toEqual(want));

  test("and the block it is in", () => {
    const text = 'resource "a" "b" {\n  c {\n    d = 1\n  }\n}\n\ne = 1\n';
    expect(shown(text, "d = 1")[0]).toBe('│   on main.tf line 3, in resource "a" "b":');
    expect(headerAround(text, rangeOf(text, "e = 1"))).toBeUndefined();
    expect(headerAround('a "b" {}\ne = 1\n', rangeOf('a "b" {}\ne = 1\n', "e = 1"))).toBeUndefined();
    expect(headerAround(text, rangeOf(text, '"a"'))).toBe('resource "a" "b"');
    expect(headerAround(text, rangeOf(text, 'resource "a" "b"'))).toBeUndefined();
  });

  test("and in JSON the way to it", () => {
    const text = '{"é": 1, "resource": {"a": {"b": [{"c": 1}, {"d": "${x}"}]}}}';
    const around = (piece: string) => headerAround(text, { ...rangeOf(text, piece), filename: "main.tf.json" });
    expect(around('"d"')).toBe("resource.a.b[1]");
    expect(around("${x}")).toBe("resource.a.b[1]");
    expect(around('"b"')).toBe("resource.a");
    expect(around('"resource"')).toBeUndefined();
  });

  test("and the object it belongs to, and what values were", () => {
    const lines = shown("a = foo\n", "foo", { address: "demo.a[0]", expressionValues: ["var.x is a string"] });
    expect(lines).toEqual([
      "│   with demo.a[0],",
      "│   on main.tf line 1:",
      "│    1: a = foo",
      "│           ^^^",
      "│     ├ var.x is a string",
    ]);
  });

  test("and its sentences broken where the width ends", () => {
    const text = renderDiagnostic({ severity: "warning", summary: "Long", detail: "word ".repeat(40).trim() }, view);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(text).toMatch(/^╷\n│ Warning: Long\n│\n│ word/);
  });

  test("without the source, by name and line alone", () => {
    const diagnostic: Diagnostic = {
      severity: "error",
      summary: "Wrong",
      detail: "So.",
      subject: rangeOf("a = b", "b"),
    };
    expect(renderDiagnostic(diagnostic, view)).toBe("╷\n│ Error: Wrong\n│\n│   on main.tf line 1:\n│\n│ So.\n╵\n");
  });
});

test("compact warnings are a line each, with all their places", () => {
  const text = "a = 1\nb = 2\n";
  const warn = (piece: string): Diagnostic => ({
    severity: "warning",
    summary: "Old",
    detail: "Do not.",
    subject: rangeOf(text, piece),
  });
  const compact = renderDiagnostics([warn("a"), warn("b")], view, () => text, true);
  expect(compact).toBe(
    "Warnings:\n\n- Old\n  on main.tf line 1\n  on main.tf line 2\n\nTo see the full warnings, run this again without -compact-warnings.\n",
  );
});

describe("a diagnostic as JSON", () => {
  test("has its place in bytes within the piece of source", () => {
    const text = 'x {\n  a = "世" + foo\n}\n';
    const diagnostic: Diagnostic = {
      severity: "error",
      summary: "Wrong",
      detail: "So.",
      address: "demo.a",
      subject: rangeOf(text, "foo"),
      expressionValues: ["foo is a string", "while calling provider::a::b(x)"],
    };
    expect(diagnosticPlain(diagnostic, () => text)).toEqual({
      severity: "error",
      summary: "Wrong",
      detail: "So.",
      address: "demo.a",
      range: {
        filename: "main.tf",
        start: { line: 2, column: 13, byte: 18 },
        end: { line: 2, column: 16, byte: 21 },
      },
      snippet: {
        context: "x",
        code: '  a = "世" + foo',
        start_line: 2,
        highlight_start_offset: 14,
        highlight_end_offset: 17,
        values: [{ traversal: "foo", statement: "is a string" }],
        function_call: { called_as: "provider::a::b" },
      },
    });
  });

  test("has no snippet where there is no source, and no range where there is no place", () => {
    const bare: Diagnostic = { severity: "warning", summary: "Wrong", detail: "So." };
    expect(diagnosticPlain(bare, () => undefined)).toEqual({ severity: "warning", summary: "Wrong", detail: "So." });
    const placed = { ...bare, subject: rangeOf("a", "a") };
    expect(diagnosticPlain(placed, () => undefined)).toMatchObject({ snippet: null, range: { filename: "main.tf" } });
  });
});

test("the keys in a module's address are starred out of the source, and nothing moves by that", () => {
  const text = 'module "a" {\n  source = "s3::https://me:secret@h/k.zip?region=x&key=secret"\n  x = "?a=b"\n}\n';
  const folder = mkdtempSync(join(tmpdir(), "sources-"));
  try {
    writeFileSync(join(folder, "main.tf"), text);
    const want = text.replace("me:secret", "*********").replace("key=secret", "key=******");
    expect(sourcesIn(folder)("main.tf")).toBe(want);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what a server has said commands no terminal", () => {
  const said = { severity: "error", summary: "Wrong", detail: "said \u001b[2Jno\r\nand more" } as const;
  expect(renderDiagnostic(said, view)).toContain("│ said \\u001b[2Jno\n│ and more\n");
});
