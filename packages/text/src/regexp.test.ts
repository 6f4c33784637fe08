import { describe, expect, test } from "vitest";
import type { Regexp } from "./regexp.ts";
import { compileRegexp, quoteRegexp } from "./regexp.ts";

function regexp(pattern: string): Regexp {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.regexp;
}

describe("compileRegexp", () => {
  const refused = [
    { name: "an open group", input: "(", want: "error parsing regexp: missing closing ): `(`" },
    { name: "a group that was never open", input: "a)", want: "error parsing regexp: unexpected ): `a)`" },
    { name: "an open class", input: "[a", want: "error parsing regexp: missing closing ]: `[a`" },
    {
      name: "nothing to repeat",
      input: "*a",
      want: "error parsing regexp: missing argument to repetition operator: `*`",
    },
    {
      name: "a doubled repetition",
      input: "a**",
      want: "error parsing regexp: invalid nested repetition operator: `**`",
    },
    { name: "a repeat over 1000", input: "a{1001}", want: "error parsing regexp: invalid repeat count: `{1001}`" },
    { name: "a lookahead", input: "(?=a)", want: "error parsing regexp: invalid or unsupported Perl syntax: `(?=`" },
    { name: "a lookbehind", input: "(?<=a)", want: "error parsing regexp: invalid named capture: `(?<=a)`" },
    { name: "a back reference", input: "(a)\\1", want: "error parsing regexp: invalid escape sequence: `\\1`" },
    {
      name: "an unknown class",
      input: "\\p{Foo}",
      want: "error parsing regexp: invalid character class range: `\\p{Foo}`",
    },
    { name: "a range backwards", input: "[z-a]", want: "error parsing regexp: invalid character class range: `z-a`" },
    {
      name: "a lone backslash",
      input: "a\\",
      want: "error parsing regexp: trailing backslash at end of expression: ``",
    },
  ];
  test.each(refused)("refuses $name in Go's words", ({ input, want }) => {
    expect(compileRegexp(input)).toEqual({ ok: false, error: want });
  });

  test("lets several groups have one name", () => {
    const twice = regexp("(?P<n>a)|(?P<n>b)|\\Q(?P<n>\\E[(?P<n>]");
    expect(twice.groupNames).toEqual([undefined, "n", "n"]);
    expect(twice.find("b")?.groups).toEqual(["b", undefined, "b"]);
    expect(twice.replaceAll("ab", "<$n>")).toBe("<a><b>");
    const error = "error parsing regexp: missing closing ): `(?P<n>a)(?P<n>b`";
    expect(compileRegexp("(?P<n>a)(?P<n>b")).toEqual({ ok: false, error });
  });

  test("gives the same compiled expression for the same pattern", () => {
    expect(compileRegexp("a+b")).toBe(compileRegexp("a+b"));
  });

  test("names its groups, the whole match without a name", () => {
    expect(regexp("(?P<year>\\d+)-(\\d+)-(?<constructor>\\d+)").groupNames).toEqual([
      undefined,
      "year",
      undefined,
      "constructor",
    ]);
  });
});

describe("find and findAll", () => {
  const found = [
    { name: "take the first alternative, not the longest", pattern: "a|ab", input: "ab", want: [["a"]] },
    {
      name: "leave a group undefined that took no part",
      pattern: "(a)|(b)",
      input: "b",
      want: [["b", undefined, "b"]],
    },
    { name: "ignore an empty match right behind another", pattern: "a*", input: "baac", want: [[""], ["aa"], [""]] },
    { name: "count a character outside the basic plane once", pattern: ".", input: "😀a", want: [["😀"], ["a"]] },
    { name: "know Unicode classes and scripts", pattern: "\\p{Greek}+|\\p{Lu}", input: "aαβÉ", want: [["αβ"], ["É"]] },
    { name: "fold case over all of Unicode", pattern: "(?i)k", input: "\u212a", want: [["\u212a"]] },
    { name: "let \\w and \\d be ASCII only", pattern: "[\\w\\d]+", input: "é٣a1", want: [["a1"]] },
    { name: "keep ^ and $ to the text without (?m)", pattern: "^.$", input: "a\nb", want: [] },
    { name: "let ^ and $ be at lines with (?m)", pattern: "(?m)^.$", input: "a\nb", want: [["a"], ["b"]] },
    { name: "take \\Q..\\E literally", pattern: "\\Qa.b\\E", input: "axb a.b", want: [["a.b"]] },
  ];
  test.each(found)("$name", ({ pattern, input, want }) => {
    expect(
      regexp(pattern)
        .findAll(input)
        .map((m) => m.groups),
    ).toEqual(want);
  });

  test("give offsets in UTF-16 units and stop at the limit", () => {
    const matches = regexp("b").findAll("😀bb", 1);
    expect(matches).toEqual([{ start: 2, end: 3, text: "b", groups: ["b"] }]);
    expect(regexp("z").find("abc")).toBeUndefined();
    expect(regexp("b").test("abc")).toBe(true);
  });

  const pathological = ["(a*)*$", "(a|a)*b", "^(a|aa)+$", "(.*)(.*)(.*)[0-9]", `${"a?".repeat(40)}${"a".repeat(40)}`];
  test.each(pathological)("take linear time for %s", (pattern) => {
    const before = performance.now();
    regexp(pattern).find("a".repeat(100_000));
    expect(performance.now() - before).toBeLessThan(3000);
  });
});

describe("replaceAll", () => {
  const replaced = [
    { name: "expands numbered groups", pattern: "(a)(b)", template: "$2$1", want: "ba-ba" },
    { name: "expands named groups", pattern: "(?P<x>a)b", template: "[${x}]", want: "[a]-[a]" },
    { name: "takes a bare name as long as it can be", pattern: "(a)b", template: "$1x", want: "-" },
    { name: "ends a braced name at its brace", pattern: "(a)b", template: "${1}x", want: "ax-ax" },
    { name: "writes $$ as a dollar", pattern: "ab", template: "$$1", want: "$1-$1" },
    { name: "leaves a dollar that begins nothing", pattern: "ab", template: "$ ${", want: "$ ${-$ ${" },
    { name: "puts nothing for an unknown group", pattern: "ab", template: "<$7>", want: "<>-<>" },
    { name: "takes $0 as the whole match", pattern: "a.", template: "<$0>", want: "<ab>-<ab>" },
    { name: "replaces empty matches between characters", pattern: "", template: ".", want: ".a.b.-.a.b." },
  ];
  test.each(replaced)("$name", ({ pattern, template, want }) => {
    expect(regexp(pattern).replaceAll("ab-ab", template)).toBe(want);
  });

  test("in its literal form takes a dollar as it is", () => {
    expect(regexp("b").replaceAllLiteral("ab", "$1")).toBe("a$1");
  });
});

test("quoteRegexp makes any text match itself alone", () => {
  const text = "a.b*c[d](e){f}^$|?+\\";
  expect(regexp(quoteRegexp(text)).find(text)?.text).toBe(text);
  expect(regexp(quoteRegexp("a.c")).test("abc")).toBe(false);
});
