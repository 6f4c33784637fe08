import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { damagedConfiguration, uglyConfiguration } from "../test/ugly-layouts.ts";
import { formatFile } from "../src/format-file.ts";

/** How many generated files are compared, and the first of their seeds; a failing seed can be given alone. */
const count = Number(process.env.FORMAT_COUNT ?? 3000);
const firstSeed = Number(process.env.FORMAT_SEED ?? 1);
const batchSize = 500;

const folder = mkdtempSync(join(tmpdir(), "millwright-format-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const version = spawnSync("terraform", ["version", "-json"], { encoding: "utf8" });
const isFound = version.status === 0;
if (!isFound) console.warn("terraform was not found on the PATH: the comparison with terraform fmt is left out");

/** What the real one makes of each source; undefined for those that it refuses. One process for all. */
function realFormat(sources: readonly Uint8Array[]): (Buffer | undefined)[] {
  const directory = mkdtempSync(join(folder, "batch-"));
  sources.forEach((source, i) => writeFileSync(join(directory, `f${i}.tf`), source));
  const settings = join(folder, "empty.tfrc");
  writeFileSync(settings, "");
  const run = spawnSync("terraform", ["fmt", "-no-color", "-list=false", "."], {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, TF_CLI_CONFIG_FILE: settings },
    maxBuffer: 1 << 28,
  });
  const refused = new Set([...run.stderr.matchAll(/on f(\d+)\.tf line/g)].map((found) => Number(found[1])));
  const formatted = sources.map((_, i) => (refused.has(i) ? undefined : readFileSync(join(directory, `f${i}.tf`))));
  rmSync(directory, { recursive: true });
  return formatted;
}

/** What the reference is known to lose (see `formatTree`): such sources are not compared. */
const lost = /\[\s*(?:null|true|false)\s*\]/;

describe.skipIf(!isFound)("formatFile and terraform fmt", () => {
  const check = (label: string, source: Uint8Array, want: Buffer | undefined) => {
    const { value, diagnostics } = formatFile("x.tf", source);
    const got = diagnostics.some((d) => d.severity === "error") ? undefined : Buffer.from(value).toString("latin1");
    expect(`${label}\n${got}`).toBe(`${label}\n${want?.toString("latin1")}`);
  };

  test("agree on the files of the tests", () => {
    const inputs = new URL("../testdata/format/", import.meta.url);
    const names = readdirSync(inputs).filter((name) => name.endsWith(".in"));
    const sources = names.map((name) => readFileSync(new URL(name, inputs)));
    const wants = realFormat(sources);
    names.forEach((name, i) => check(name, sources[i]!, wants[i]));
  });

  const generated = [
    { name: "generated files", make: uglyConfiguration },
    { name: "damaged files, on which of them are refused too", make: damagedConfiguration },
  ];
  test.each(generated)(`agree on ${count} $name`, { timeout: 600_000 }, ({ make }) => {
    for (let start = firstSeed; start < firstSeed + count; start += batchSize) {
      const seeds = Array.from({ length: Math.min(batchSize, firstSeed + count - start) }, (_, i) => start + i);
      const sources = seeds.map((seed) => new TextEncoder().encode(make(seed)));
      const wants = realFormat(sources);
      seeds.forEach((seed, i) => {
        if (!lost.test(make(seed))) check(`seed ${seed}`, sources[i]!, wants[i]);
      });
    }
  });
});
