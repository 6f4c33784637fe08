import { describe, expect, test } from "vitest";
import { Chance } from "../test/chance.ts";
import { mutatedSource } from "../test/sources.ts";
import type { ScanMode } from "./scanner.ts";
import { scan } from "./scanner.ts";
import { sourceFile } from "./source-file.ts";
import { TokenKind, tokenText } from "./tokens.ts";

const names = new Map(Object.entries(TokenKind).map(([name, kind]) => [kind as number, name]));

/** The tokens as `kind text`, without the end; a symbol of the language as its text alone. */
function tokensOf(source: string | Uint8Array, mode?: ScanMode): string[] {
  const tokens = scan(sourceFile("f", source), mode);
  return Array.from({ length: tokens.count - 1 }, (_, i) => `${names.get(tokens.kinds[i]!)} ${tokenText(tokens, i)}`);
}

interface Row {
  readonly name: string;
  readonly input: string;
  readonly want: readonly string[];
  readonly mode?: ScanMode;
}

function check({ input, want, mode }: Row): void {
  expect(tokensOf(input, mode)).toEqual(want);
}

describe("code", () => {
  const rows: Row[] = [
    { name: "spaces and tabs are between tokens", input: "a \t b", want: ["identifier a", "identifier b"] },
    { name: "identifiers hold dashes, digits, underscores", input: "_a-b-1", want: ["identifier _a-b-1"] },
    {
      name: "identifiers are of any script",
      input: "größe 日本 x́",
      want: ["identifier größe", "identifier 日本", "identifier x́"],
    },
    { name: "a dash first is a minus", input: "-a", want: ["minus -", "identifier a"] },
    { name: "a number takes its exponent", input: "1.5e+3", want: ["number 1.5e+3"] },
    { name: "an exponent needs a digit", input: "1e", want: ["number 1", "identifier e"] },
    { name: "a number takes no dot at its end", input: "1.", want: ["number 1", "dot ."] },
    { name: "a number leaves an ellipsis alone", input: "1...", want: ["number 1", "ellipsis ..."] },
    { name: "a number with two fractions is one token", input: "1.2.3", want: ["number 1.2.3"] },
    { name: "an attribute of a number", input: "0.foo", want: ["number 0", "dot .", "identifier foo"] },
    { name: "two dots are two dots", input: "a..b", want: ["identifier a", "dot .", "dot .", "identifier b"] },
    {
      name: "operators of two characters",
      input: "== != <= >= && || => ::",
      want: [
        "equal ==",
        "notEqual !=",
        "lessOrEqual <=",
        "greaterOrEqual >=",
        "and &&",
        "or ||",
        "arrow =>",
        "doubleColon ::",
      ],
    },
    {
      name: "operators of one character",
      input: "=!<>+-*/%?:.,",
      want: [
        "assign =",
        "not !",
        "less <",
        "greater >",
        "plus +",
        "minus -",
        "star *",
        "slash /",
        "percent %",
        "question ?",
        "colon :",
        "dot .",
        "comma ,",
      ],
    },
    {
      name: "brackets",
      input: "()[]{}",
      want: ["openParen (", "closeParen )", "openBracket [", "closeBracket ]", "openBrace {", "closeBrace }"],
    },
    { name: "newlines of both sorts", input: "\n\r\n", want: ["newline \n", "newline \r\n"] },
    { name: "a carriage return alone is invalid", input: "a\rb", want: ["identifier a", "invalid \r", "identifier b"] },
    { name: "a comment holds its newline", input: "# a\n// b", want: ["comment # a\n", "comment // b"] },
    {
      name: "a comment over lines ends at its first end",
      input: "/* a\n */ */",
      want: ["comment /* a\n */", "star *", "slash /"],
    },
    { name: "a comment without an end is none", input: "/* a", want: ["slash /", "star *", "identifier a"] },
    {
      name: "what other languages have",
      input: "& | ~ ^ ' ` ;",
      want: ["ampersand &", "pipe |", "tilde ~", "caret ^", "apostrophe '", "backtick `", "semicolon ;"],
    },
    { name: "a character of no use is invalid", input: "$ 👍", want: ["invalid $", "invalid 👍"] },
  ];
  test.each(rows)("$name", check);
});

describe("quoted strings", () => {
  const rows: Row[] = [
    { name: "empty", input: '""', want: ['openQuote "', 'closeQuote "'] },
    { name: "escapes stay", input: '"a\\"b\\\\"', want: ['openQuote "', 'quotedText a\\"b\\\\', 'closeQuote "'] },
    {
      name: "an interpolation is code",
      input: '"a${b}c"',
      want: [
        'openQuote "',
        "quotedText a",
        "openInterpolation ${",
        "identifier b",
        "closeSequence }",
        "quotedText c",
        'closeQuote "',
      ],
    },
    {
      name: "braces within an interpolation do not end it",
      input: '"${{}}"',
      want: ['openQuote "', "openInterpolation ${", "openBrace {", "closeBrace }", "closeSequence }", 'closeQuote "'],
    },
    {
      name: "strings within interpolations of strings",
      input: '"${"${a}"}"',
      want: [
        'openQuote "',
        "openInterpolation ${",
        'openQuote "',
        "openInterpolation ${",
        "identifier a",
        "closeSequence }",
        'closeQuote "',
        "closeSequence }",
        'closeQuote "',
      ],
    },
    {
      name: "strip markers belong to the sequence",
      input: '"${~a~}%{~if b~}"',
      want: [
        'openQuote "',
        "openInterpolation ${~",
        "identifier a",
        "closeSequence ~}",
        "openDirective %{~",
        "identifier if",
        "identifier b",
        "closeSequence ~}",
        'closeQuote "',
      ],
    },
    {
      name: "an escaped opening is text",
      input: '"$${a}%%{b}"',
      want: ['openQuote "', "quotedText $${", "quotedText a}", "quotedText %%{", "quotedText b}", 'closeQuote "'],
    },
    {
      name: "the last of three signs is the escape",
      input: '"$$${a}"',
      want: ['openQuote "', "quotedText $", "quotedText $${", "quotedText a}", 'closeQuote "'],
    },
    {
      name: "a sign before anything else is text",
      input: '"a$b%"',
      want: ['openQuote "', "quotedText a", "quotedText $", "quotedText b", "quotedText %", 'closeQuote "'],
    },
    {
      name: "newlines are told from text",
      input: '"a\r\n\nb"',
      want: ['openQuote "', "quotedText a", "quotedNewline \r\n\n", "quotedText b", 'closeQuote "'],
    },
    {
      name: "a backslash before a newline is invalid",
      input: '"a\\\n"',
      want: ['openQuote "', "quotedText a", "invalid \\", "quotedNewline \n", 'closeQuote "'],
    },
    { name: "a string that does not end", input: '"a', want: ['openQuote "', "quotedText a"] },
    {
      name: "a string ends with its line, when repairing",
      input: '"a ${b\nc = "d"',
      mode: "repair",
      want: [
        'openQuote "',
        "quotedText a ",
        "openInterpolation ${",
        "identifier b",
        "closeSequence ",
        "closeQuote ",
        "newline \n",
        "identifier c",
        "assign =",
        'openQuote "',
        "quotedText d",
        'closeQuote "',
      ],
    },
  ];
  test.each(rows)("$name", check);
});

describe("heredocs and bare templates", () => {
  const rows: Row[] = [
    {
      name: "a line is a token",
      input: "<<A\nb\nc\nA\n",
      want: ["openHeredoc <<A\n", "templateText b\n", "templateText c\n", "closeHeredoc A", "newline \n"],
    },
    {
      name: "the closing name may be indented",
      input: "<<-A\n  A \r\n",
      want: ["openHeredoc <<-A\n", "closeHeredoc   A ", "newline \r\n"],
    },
    {
      name: "a longer line is not the closing one",
      input: "<<A\nA b\nA\n",
      want: ["openHeredoc <<A\n", "templateText A b\n", "closeHeredoc A", "newline \n"],
    },
    {
      name: "the name behind an interpolation does not close",
      input: "<<A\n${b}A\nA\n",
      want: [
        "openHeredoc <<A\n",
        "openInterpolation ${",
        "identifier b",
        "closeSequence }",
        "templateText A\n",
        "closeHeredoc A",
        "newline \n",
      ],
    },
    {
      name: "without a newline the closing name is text",
      input: "<<A\nA",
      want: ["openHeredoc <<A\n", "templateText A"],
    },
    {
      name: "a name and a newline are needed",
      input: "<<A b",
      want: ["less <", "less <", "identifier A", "identifier b"],
    },
    {
      name: "a backslash is text",
      input: "<<A\n\\n\nA\n",
      want: ["openHeredoc <<A\n", "templateText \\n\n", "closeHeredoc A", "newline \n"],
    },
    {
      name: "a heredoc in an interpolation in a heredoc",
      input: "<<A\n${<<B\nA\nB\n}\nA\n",
      want: [
        "openHeredoc <<A\n",
        "openInterpolation ${",
        "openHeredoc <<B\n",
        "templateText A\n",
        "closeHeredoc B",
        "newline \n",
        "closeSequence }",
        "templateText \n",
        "closeHeredoc A",
        "newline \n",
      ],
    },
    {
      name: "a bare template is text by lines",
      mode: "template",
      input: "a\nb",
      want: ["templateText a\n", "templateText b"],
    },
    { name: "quotes in a bare template are text", mode: "template", input: '"a" # b', want: ['templateText "a" # b'] },
    {
      name: "a sign at the end of a bare template is text",
      mode: "template",
      input: "a$",
      want: ["templateText a", "templateText $"],
    },
    {
      name: "a lone carriage return in a bare template is text",
      mode: "template",
      input: "a\r${b}",
      want: ["templateText a\r", "openInterpolation ${", "identifier b", "closeSequence }"],
    },
    {
      name: "a name of white space of Unicode closes too",
      input: "<<A\n\u00a0A\u0085\n",
      want: ["openHeredoc <<A\n", "closeHeredoc \u00a0A\u0085", "newline \n"],
    },
  ];
  test.each(rows)("$name", check);
});

test("bytes that are not UTF-8 are tokens in code and in strings, and nothing in comments", () => {
  const bytes = Uint8Array.from([...'a\xff"b\xff"#\xff'].map((c) => c.charCodeAt(0)));
  expect(tokensOf(bytes)).toEqual([
    "identifier a",
    "brokenUtf8 \ufffd",
    'openQuote "',
    "quotedText b",
    "brokenUtf8 \ufffd",
    'closeQuote "',
    "comment #\ufffd",
  ]);
});

/** The first place where a scan loses or repeats a part of its text, or makes more tokens than there can be. */
function lossOf(source: string, mode: ScanMode): string | undefined {
  const tokens = scan(sourceFile("f", source), mode);
  const { text } = tokens.file;
  let at = 0;
  for (let i = 0; i < tokens.count; i++) {
    const start = tokens.starts[i]!;
    if (start < at || !/^[ \t]*$/.test(text.slice(at, start))) return `before token ${i} of ${JSON.stringify(text)}`;
    if (tokens.ends[i]! < start) return `in token ${i} of ${JSON.stringify(text)}`;
    at = tokens.ends[i]!;
  }
  if (at !== text.length) return `at the end of ${JSON.stringify(text)}`;
  // Only repairing makes empty tokens, at most two for each opening one.
  const most = mode === "repair" ? 3 * text.length + 1 : text.length + 1;
  return tokens.count > most ? `${tokens.count} tokens of ${text.length} characters` : undefined;
}

test("every character is in a token or is a space between two, whatever the text", () => {
  const chance = new Chance(3);
  for (let i = 0; i < 3000; i++) {
    const source = mutatedSource(chance);
    for (const mode of ["configuration", "template", "repair"] as const) expect(lossOf(source, mode)).toBeUndefined();
  }
});
