import { readFileSync } from "node:fs";
import { helperFunctions } from "@millwright/template/helpers";
import { expect, test } from "vitest";
import { absentSourceFunctions, sourceFunctions } from "./source-functions.ts";

/* docs/compatibility/template-functions.md names just the functions that there are. */

const page = readFileSync(new URL("../../../docs/compatibility/template-functions.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `([\w*]+)` \| (\w+) \|/gm)].map(([, name = "", there = ""]) => ({ name, there }));
const refused = [...absentSourceFunctions, "plugin", "sockaddr", "writeToFile"];

function names(there: string): readonly string[] {
  return rows.filter((row) => row.there === there).map(({ name }) => name);
}

test("the page has every function that is there, and no other", () => {
  const helpers = helperFunctions({ environment: () => undefined, clock: { now: () => 0 } });
  const sources = sourceFunctions({ known: new Map(), asked: () => undefined, folder: "/" });
  const all = [...helpers.keys(), ...sources.keys()];
  expect(names("yes")).toEqual(all.filter((name) => !refused.includes(name)).sort());
  expect(names("refused")).toEqual(refused.toSorted());
  expect(names("no")).toEqual(["spew_*", "sprig_*"]);
});
