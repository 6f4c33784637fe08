import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WavesJournal } from "./waves-journal.ts";

const at = new Date("2026-01-02T03:04:05Z");
const waves = { sizes: "1,50%", count: 3, begun: 2 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-waves-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const journal = (...chosen: readonly string[]) => new WavesJournal(folder, chosen, at);

describe("what is kept of an apply over instances in waves", () => {
  test("is there for the next run until it has come to its end", async () => {
    expect(journal().killed()).toBeUndefined();
    await journal().wave(waves);
    expect(journal().killed()).toEqual({ started: at.toISOString(), waves });
    journal().end();
    expect(journal().killed()).toBeUndefined();
    journal().end();
  });

  test("is of the instances that were named, in whatever order", async () => {
    await journal("a", "b").wave(waves);
    expect(journal().killed()).toBeUndefined();
    expect(journal("a").killed()).toBeUndefined();
    expect(journal("b", "a", "b").killed()?.waves).toEqual(waves);
  });

  test("is for its owner's eyes, and named where it is damaged", async () => {
    await journal().wave(waves);
    const path = join(folder, ".millwright/waves", readdirSync(join(folder, ".millwright/waves"))[0]!);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, "{");
    expect(() => journal().killed()).toThrow("Remove it to begin anew.");
  });
});
