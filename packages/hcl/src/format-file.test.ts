import { leastTime } from "../test/least-time.ts";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Chance } from "../test/chance.ts";
import { uglyConfiguration } from "../test/ugly-layouts.ts";
import { formatFile, formatText } from "./format-file.ts";
import { printLossless } from "./lossless.ts";
import { readLossless } from "./read-lossless.ts";
import { scan } from "./scanner.ts";
import { sourceFile } from "./source-file.ts";

const folder = new URL("../testdata/format/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".in"))
  .map((name) => name.slice(0, -3));

describe("formatFile", () => {
  test.each(names)("writes %s as terraform fmt wrote it", (name) => {
    const read = (extension: string) => readFileSync(new URL(`${name}.${extension}`, folder));
    const { value, diagnostics } = formatFile(`${name}.tf`, read("in"));
    expect(diagnostics).toEqual([]);
    expect(Buffer.from(value).toString("latin1")).toBe(read("out").toString("latin1"));
    expect(formatFile(`${name}.tf`, value).value).toEqual(value);
  });

  test("refuses a file with syntax errors and leaves it as it is", () => {
    const source = "a   = \nb {\n";
    const { value, diagnostics } = formatText("main.tf", source);
    expect(value).toBe(source);
    expect(diagnostics[0]).toMatchObject({ severity: "error", summary: "Invalid expression" });
    expect(diagnostics[0]?.subject?.start.line).toBe(1);
  });

  const kept = [
    {
      name: "keeps a label with a lone dollar or percent sign",
      input: 'x "a$b" "50%" {\n}\n',
      want: 'x "a$b" "50%" {\n}\n',
    },
    { name: "keeps an escaped sequence in a label", input: 'x "$${a}" {\n}\n', want: 'x "$${a}" {\n}\n' },
    {
      name: "keeps an index of null or a truth value",
      input: "a = b[null].c[ true ]\n",
      want: "a = b[null].c[true]\n",
    },
    { name: "encloses a comment line that comes out of quotes", input: 'a="${\n# c\nb}"\n', want: "a = ( # c\nb)\n" },
    { name: "leaves a comment line at the end behind the value", input: 'a="${b # c\n}"\n', want: "a = b # c\n\n" },
    { name: "takes nested quotes away at once", input: 'a="${"${b}"}"\n', want: "a = b\n" },
  ];
  test.each(kept)("$name", ({ input, want }) => {
    expect(formatText("main.tf", input)).toEqual({ value: want, diagnostics: [] });
    expect(formatText("main.tf", want).value).toBe(want);
  });
});

describe("a .tfvars file", () => {
  test("is formatted like any other", () => {
    expect(formatText("x.tfvars", "a=1\nlong=[1,\n2]\n").value).toBe("a = 1\nlong = [1,\n2]\n");
  });

  test("is left as it is where names stand in quotes, with a warning at each", () => {
    const source = '# c\n"address"="1"\n  "data.center" = {a=1}\nplain=2\n';
    const { value, diagnostics } = formatText("yow.tfvars", source);
    expect(value).toBe(source);
    expect(
      diagnostics.map((d) => [d.severity, d.subject?.start.line, d.subject?.start.column, d.subject?.end.column]),
    ).toEqual([
      ["warning", 2, 1, 10],
      ["warning", 3, 3, 16],
    ]);
  });

  test("is refused for other errors, also beside names in quotes", () => {
    const source = '"a"=1\nb=[\n';
    const { value, diagnostics } = formatText("yow.tfvars", source);
    expect(value).toBe(source);
    expect(diagnostics.some((d) => d.severity === "error")).toBe(true);
  });

  test("only may have them: elsewhere they are an error", () => {
    expect(formatText("main.tf", '"a" = 1\n').diagnostics[0]).toMatchObject({
      severity: "error",
      summary: "Invalid argument name",
    });
  });
});

describe("ugly layouts by chance", () => {
  const seeds = Array.from({ length: 400 }, (_, i) => i + 1);

  test("are printed from the lossless tree character for character", () => {
    for (const seed of seeds) {
      const file = sourceFile("x.tf", uglyConfiguration(seed));
      expect(printLossless(readLossless(scan(file)))).toBe(file.text);
    }
  });

  test("are formatted to what formatting leaves as it is", () => {
    let formatted = 0;
    for (const seed of seeds) {
      const once = formatText("x.tf", uglyConfiguration(seed));
      if (once.diagnostics.length > 0) continue;
      formatted++;
      expect([seed, formatText("x.tf", once.value)]).toEqual([seed, { value: once.value, diagnostics: [] }]);
    }
    expect(formatted).toBeGreaterThan(300);
  });
});

describe("any text", () => {
  const pieces = [
    "a",
    "b ",
    "=",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    '"',
    "\n",
    "\r\n",
    "${",
    "%{",
    "~}",
    "<<E\n",
    "E\n",
    "# c",
    "/*",
    "*/",
    ",",
    " ",
    "\t",
    "1",
    ".",
    "é",
    "\0",
    "\\",
    ":",
    "?",
    "...",
  ];

  test("has a lossless tree, and is formatted or refused", () => {
    const chance = new Chance(11);
    let formatted = 0;
    for (let round = 0; round < 3000; round++) {
      const source = Array.from({ length: chance.below(30) }, () => chance.pick(pieces)).join("");
      const file = sourceFile("x.tf", source);
      expect(printLossless(readLossless(scan(file)))).toBe(file.text);
      const { value, diagnostics } = formatText("x.tf", source);
      if (diagnostics.length > 0) expect(value).toBe(source);
      else {
        formatted++;
        expect(formatText("x.tf", value).value, source).toBe(value);
      }
    }
    expect(formatted).toBeGreaterThan(50);
  });

  test("has its lossless tree in linear time", () => {
    for (const piece of [
      "a {",
      "a ",
      '"',
      "${",
      '"${',
      "{",
      "[",
      "(",
      "}",
      "a = [\n",
      "/*",
      "# c\n",
      "a = 1\n",
      "<<E\n",
      "a = \n\n",
    ]) {
      const file = sourceFile("x.tf", piece.repeat(40_000));
      const took = leastTime(2000, () => expect(printLossless(readLossless(scan(file)))).toBe(file.text));
      expect(took, piece).toBeLessThan(2000);
    }
  });

  test("may hold bytes in comments that are not UTF-8", () => {
    const source = Buffer.concat([
      Buffer.from("# 😀 "),
      Buffer.from([0xff, 0xe9]),
      Buffer.from("\na=1 # 💩"),
      Buffer.from([0x80, 0x0a]),
    ]);
    const { value, diagnostics } = formatFile("x.tf", source);
    expect(diagnostics).toEqual([]);
    expect(Buffer.from(value).toString("latin1")).toBe(source.toString("latin1").replace("a=1", "a = 1"));
  });
});
