import { expect, test } from "vitest";
import { answersAs, errorAnswer, formatCases, parseCases } from "./console-cases.ts";

const text = `# Why this is so.

> upper("a")
"A"

> "a\\n\\nb"
<<EOT
a

b
EOT

> nope()
! Call to unknown function
! There is no function named "nope".
~ ! Call to unknown function
~ ! …
`;

test("cases are read with their lines, and written as they were", () => {
  const items = parseCases(text);
  expect(items).toEqual([
    { comment: "# Why this is so." },
    { expression: 'upper("a")', answer: ['"A"'], line: 3 },
    { expression: '"a\\n\\nb"', answer: ["<<EOT", "a", "", "b", "EOT"], line: 6 },
    {
      expression: "nope()",
      answer: ["! Call to unknown function", '! There is no function named "nope".'],
      ours: ["! Call to unknown function", "! …"],
      line: 13,
    },
  ]);
  expect(formatCases(items)).toBe(text);
});

test("an answer that would be read as something else is not written", () => {
  expect(() => formatCases([{ expression: "x", answer: ["> y"], line: 1 }])).toThrow(
    "an answer must not hold the line > y",
  );
});

test("an answer before any expression is refused", () => {
  expect(() => parseCases("1\n")).toThrow("line 1 stands before any expression");
});

test("an ellipsis stands for any end of a line", () => {
  expect(answersAs(["! a", "! bcd"], ["! a", "! b…"])).toBe(true);
  expect(answersAs(["! a", "! cd"], ["! a", "! b…"])).toBe(false);
  expect(answersAs(["! a"], ["! a", "! …"])).toBe(false);
});

test("an error is on one line for its summary and one for its detail", () => {
  expect(errorAnswer("Summary", "a detail\nwith\n\n lines")).toEqual(["! Summary", "! a detail with lines"]);
  expect(errorAnswer("Summary", "")).toEqual(["! Summary"]);
});
