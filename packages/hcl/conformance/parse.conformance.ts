import { parse as parseReference } from "@cdktf/hcl2json";
import { messageOf } from "@millwright/core/errors";
import { describe, expect, test } from "vitest";
import { Chance } from "../test/chance.ts";
import { referenceJson } from "../test/reference-json.ts";
import { grammaticalSource, keptSources, mutatedSource } from "../test/sources.ts";
import { parseFile } from "../src/parse.ts";
import { sourceFile } from "../src/source-file.ts";

/*
 * The reference's own parser, as the npm package @cdktf/hcl2json has it in WebAssembly, reads what ours reads: both accept a
 * text or both refuse it, and what they make of it is the same.
 */

/** How many generated files are compared, and the first of their seeds; a failing seed can be given alone. */
const count = Number(process.env.PARSE_COUNT ?? 3000);
const firstSeed = Number(process.env.PARSE_SEED ?? 1);

interface Reading {
  readonly isAccepted: boolean;
  /** What was made of it; absent where it is accepted as HCL, but the package has no JSON for it. */
  readonly json?: unknown;
}

async function referenceOf(source: string): Promise<Reading> {
  try {
    return { isAccepted: true, json: await parseReference("f.tf", source) };
  } catch (error) {
    return { isAccepted: messageOf(error).includes("convert to HCL") };
  }
}

async function check(label: string, source: string): Promise<void> {
  const { value, diagnostics } = parseFile(sourceFile("f.tf", source), { quotedNames: "warn" });
  const reference = await referenceOf(source);
  const isAccepted = diagnostics.length === 0;
  expect(isAccepted, `${label}: ${JSON.stringify(source)}`).toBe(reference.isAccepted);
  if ("json" in reference) expect(referenceJson(value), `${label}: ${JSON.stringify(source)}`).toEqual(reference.json);
}

describe("parseFile and the reference's parser", () => {
  const configurations = [...keptSources].filter(([name]) => !name.endsWith(".json"));
  test.each(configurations)("read %s alike", (name, source) => check(name, source));

  test(`read ${count} generated configurations alike`, { timeout: 600_000 }, async () => {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      await check(`PARSE_SEED=${seed} PARSE_COUNT=1`, grammaticalSource(new Chance(seed)));
    }
  });

  test(`accept and refuse the same of ${count} mutated configurations`, { timeout: 600_000 }, async () => {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      await check(`PARSE_SEED=${seed} PARSE_COUNT=1`, mutatedSource(new Chance(seed)));
    }
  });
});
