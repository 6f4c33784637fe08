import { describe, expect, test } from "vitest";
import { placeText } from "../test/golden.ts";
import { lexicalFaults } from "./lexical-faults.ts";
import { scan } from "./scanner.ts";
import { sourceFile } from "./source-file.ts";

describe("what is wrong with tokens is said as often as it helps", () => {
  const rows: { name: string; input: string; want: readonly string[] }[] = [
    { name: "nothing is wrong", input: 'a = "b" # \'', want: [] },
    {
      name: "operators on bits, four times",
      input: "a & b | c ^ d ~ e & f",
      want: [3, 7, 11, 15].map((column) => `Unsupported operator (1,${column}-1,${column + 1})`),
    },
    {
      name: "the opening one of two quotes",
      input: "'a' 'b'",
      want: ["Invalid character (1,1-1,2)", "Invalid character (1,5-1,6)"],
    },
    { name: "the opening one of two backticks", input: "`a`", want: ["Invalid character (1,1-1,2)"] },
    { name: "semicolons, once", input: "a;\nb;", want: ["Invalid character (1,2-1,3)"] },
    {
      name: "each string over lines, once",
      input: '"a\nb\nc" "d\ne"',
      want: ["Invalid multi-line string (1,3-2,1)", "Invalid multi-line string (3,6-4,1)"],
    },
    {
      name: "each other character",
      input: "§ §",
      want: ["Invalid character (1,1-1,2)", "Invalid character (1,3-1,4)"],
    },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    expect(lexicalFaults(scan(sourceFile("f", input))).map(placeText)).toEqual(want);
  });

  test("a file of nothing else gets a hundred", () => {
    expect(lexicalFaults(scan(sourceFile("f", "§ ".repeat(5000))))).toHaveLength(100);
  });

  test("what to write instead is said", () => {
    const details = lexicalFaults(scan(sourceFile("f", "a & b; `c`"))).map(({ detail }) => detail);
    expect(details[0]).toContain("&&");
    expect(details[2]).toContain("<<EOT");
  });
});
