import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "vitest";

/** Holds a text to a file under `testdata`; with UPDATE=1 in the environment the file is written instead. */
export function expectGolden(name: string, text: string): void {
  const path = new URL(`../testdata/${name}`, import.meta.url).pathname;
  if (process.env.UPDATE === "1" || !existsSync(path)) {
    if (process.env.UPDATE !== "1") throw new Error(`There is no ${path}: write it with UPDATE=1.`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, "utf8"));
}
