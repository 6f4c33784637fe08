import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { ConsoleCase } from "../test/console-cases.ts";
import { answersAs, caseFilesIn, casesOf, writeCases } from "../test/console-cases.ts";
import { ourConsole } from "../test/our-console.ts";

const cases = (folder: string) => caseFilesIn(fileURLToPath(new URL(folder, import.meta.url)));
const terraform = ourConsole("terraform");
const opentofu = ourConsole("opentofu");

/** Compared: values to the character, errors with their line breaks made blanks. */
function check(answer: readonly string[], { answer: wanted, ours = wanted }: ConsoleCase): void {
  if (!answersAs(answer, ours)) expect(answer).toEqual(ours);
}

/** The functions' own cases, and those of the language itself, whose module has nothing that this one's scope has not. */
const terraformFiles = [...cases("../testdata/console"), ...cases("../../hcl/testdata/console")];

describe.each(terraformFiles)("the console answers as Terraform's: $name", (file) => {
  test.each(casesOf(file))("$expression", (each) => check(terraform(each.expression), each));
});

describe.each(cases("../testdata/opentofu"))("OpenTofu's functions: $name", (file) => {
  // Of 1.13 there is none to ask: what UPDATE=1 writes is to be read, against its documentation. The others are asked for in
  // the conformance tests.
  const items = file.items.map((item) =>
    "expression" in item ? { ...item, answer: opentofu(item.expression) } : item,
  );
  if (process.env.UPDATE && file.name.endsWith("1.13")) writeCases({ ...file, items });

  test.each(casesOf(file))("$expression", (each) => check(opentofu(each.expression), each));
});

test("each function of the documentation has five cases at least, an error among them", () => {
  const page = readFileSync(
    fileURLToPath(new URL("../../../docs/compatibility/functions.md", import.meta.url)),
    "utf8",
  );
  const all = [...terraformFiles, ...cases("../testdata/opentofu")].flatMap(casesOf);
  const poor = [...page.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, name]) => {
    const calls = all.filter(({ expression }) => new RegExp(`(?<![\\w:])(?:core::)?${name}\\(`).test(expression));
    const errors = calls.filter(({ answer }) => answer[0]?.startsWith("! "));
    // The console, which is asked, does not have it.
    const enough = name === "plantimestamp" ? 1 : 5;
    return calls.length >= enough && errors.length >= 1
      ? []
      : [`${name}: ${calls.length} cases, ${errors.length} errors`];
  });
  expect(poor).toEqual([]);
});
