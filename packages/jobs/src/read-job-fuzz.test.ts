import { readdirSync, readFileSync } from "node:fs";
import { hasErrors } from "@millwright/core/diagnostics";
import { sourceFile } from "@millwright/hcl/source-file";
import { expect, test } from "vitest";
import { jobFromApi, toApi } from "./api.ts";
import { canonical } from "./canonical.ts";
import { readJob } from "./read-job.ts";
import { validate } from "./validate.ts";

const folder = new URL("../testdata/incrementalism/", import.meta.url);
const texts = readdirSync(folder)
  .filter((name) => name.endsWith(".job"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"));

/** From 0 to below `bound`, the same for the same place in the sequence. */
function chance(place: number, bound: number): number {
  return Math.abs(Math.imul(place ^ 0x9e37_79b9, 0x85eb_ca6b) ^ (place << 7)) % bound;
}

const pieces = [
  "{",
  "}",
  '"',
  "=",
  "[",
  "]",
  "${",
  "\n",
  "task",
  "1",
  'job "x" {',
  "null",
  "é",
  "dynamic",
  "var.a",
  ",",
];

/** A job file with some pieces cut out, doubled or put in. */
function damaged(seed: number): string {
  let text = texts[seed % texts.length]!;
  for (let i = 0; i < 1 + (seed % 3); i++) {
    const at = chance(seed * 31 + i, text.length);
    const length = chance(seed * 17 + i, 30);
    const piece = pieces[chance(seed * 13 + i, pieces.length)]!;
    text = text.slice(0, at) + piece + text.slice(at + (seed % 2) * length);
  }
  return text;
}

test("whatever is done to a job file, reading it gives a job or says what is wrong, and what was read holds together", () => {
  let read = 0;
  for (let seed = 0; seed < 600; seed++) {
    const { value, diagnostics } = readJob(sourceFile("j.nomad", damaged(seed)));
    if (!value) {
      expect(hasErrors(diagnostics), `seed ${seed}`).toBe(true);
      continue;
    }
    const job = canonical(value.draft);
    validate(job, value.places);
    expect(jobFromApi(JSON.parse(JSON.stringify(toApi(job)))).value, `seed ${seed}`).toEqual(job);
    read++;
  }
  // Else nothing was checked but the reader of the syntax.
  expect(read).toBeGreaterThan(50);
});
