import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringValue } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { State } from "../state.ts";
import { emptyState } from "../state.ts";
import { KeptState } from "./kept-state.ts";
import { LocalSlot } from "./local-storage.ts";
import { inClear } from "./sealing.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "state-"));
  path = join(folder, "terraform.tfstate");
});
afterEach(() => rmSync(folder, { recursive: true }));

const opened = (at = path, newLineage = "new-lineage", backup = `${at}.backup`) => {
  const slot = new LocalSlot(at);
  const places = { from: slot, to: slot, backup: new LocalSlot(backup), runPath: at, folder: dirname(at) };
  const { signal } = new AbortController();
  return KeptState.open(places, { sealing: inClear, newLineage: () => newLineage, signal });
};
const open = async (...how: Parameters<typeof opened>) => (await opened(...how)).value;
const withOutput = (text: string): State => ({
  ...emptyState,
  outputs: new Map([["o", { value: stringValue(text), sensitive: false }]]),
});
const written = (file = path) =>
  JSON.parse(readFileSync(file, "utf8")) as { serial: number; lineage: string; outputs: { o: { value: string } } };

describe("a state in a file", () => {
  test("that is not there is empty, and gets a lineage", async () => {
    const state = await open();
    expect(state.current.state).toEqual(emptyState);
    await state.write(withOutput("1"));
    expect(written()).toMatchObject({ serial: 1, lineage: "new-lineage", outputs: { o: { value: "1" } } });
  });

  test("that is empty is as if it were not there", async () => {
    writeFileSync(path, "\n");
    expect((await open()).current.serial).toBe(0);
  });

  test("is for its owner's eyes only, and so is its backup", async () => {
    await (await open()).write(withOutput("1"));
    chmodSync(path, 0o644);
    await (await open()).write(withOutput("2"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}.backup`).mode & 0o777).toBe(0o600);
  });

  test("keeps its lineage and counts its versions", async () => {
    await (await open()).write(withOutput("1"));
    const state = await open();
    await state.write(withOutput("2"));
    await state.write(withOutput("3"));
    expect(written()).toMatchObject({ serial: 3, lineage: "new-lineage" });
  });

  test("has what was there before the run as its backup", async () => {
    await (await open()).write(withOutput("1"));
    expect(existsSync(`${path}.backup`)).toBe(false);
    const state = await open();
    await state.write(withOutput("2"));
    await state.write(withOutput("3"));
    expect(written(`${path}.backup`)).toMatchObject({ serial: 1, outputs: { o: { value: "1" } } });
  });

  test("is not written again where nothing has changed, except on demand", async () => {
    await (await open()).write(withOutput("1"));
    const before = statSync(path).mtimeMs;
    const state = await open();
    await state.write(withOutput("1"));
    expect(statSync(path).mtimeMs).toBe(before);
    expect(existsSync(`${path}.backup`)).toBe(false);
    await state.write(withOutput("1"), "always");
    expect(written().serial).toBe(2);
  });

  test("that cannot be written is left as it was, without leavings", async () => {
    const state = await open(join(folder, "none", "terraform.tfstate"));
    await expect(state.write(withOutput("1"))).rejects.toThrow(/cannot be written/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("whose backup cannot be written is not written either", async () => {
    await (await open()).write(withOutput("1"));
    const state = await open(path, "l", join(folder, "none", "backup"));
    await expect(state.write(withOutput("2"))).rejects.toThrow(/cannot be written/);
    expect(written().outputs.o.value).toBe("1");
  });

  test("that is damaged is refused", async () => {
    writeFileSync(path, '{"version": 4, "serial"');
    const { diagnostics } = await opened();
    expect(diagnostics.map((d) => d.summary)).toEqual(["Invalid JSON in state file"]);
  });

  test("that is a folder is an error that says so", async () => {
    await expect(opened(folder)).rejects.toThrow(/cannot be read/);
  });

  test("may be put aside under the next serial, where it cannot be written", async () => {
    await (await open()).write(withOutput("1"));
    const aside = await (await open()).writeErrored(withOutput("2"));
    expect(aside).toBe(join(folder, "errored.tfstate"));
    expect(written(aside)).toMatchObject({ serial: 2, lineage: "new-lineage", outputs: { o: { value: "2" } } });
    expect(statSync(aside).mode & 0o777).toBe(0o600);
  });

  test("put aside takes the place of an older one, and leaves the state as it was", async () => {
    await (await open()).write(withOutput("1"));
    const before = readFileSync(path, "utf8");
    await (await open()).writeErrored(withOutput("2"));
    const aside = await (await open()).writeErrored(withOutput("3"));
    expect(written(aside)).toMatchObject({ serial: 2, outputs: { o: { value: "3" } } });
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(folder).sort()).toEqual(["errored.tfstate", "terraform.tfstate"]);
  });

  test("put aside before anything was written has the lineage that the state would have had", async () => {
    const state = await open();
    const aside = await state.writeErrored(withOutput("1"));
    expect(written(aside)).toMatchObject({ serial: 1, lineage: state.lineage });
    expect((await open(aside, "other")).current).toMatchObject({ serial: 1, lineage: "new-lineage" });
  });

  test("that cannot be put aside either is thrown, for the caller to print", async () => {
    const state = await open(join(folder, "none", "terraform.tfstate"));
    writeFileSync(join(folder, "none"), "a file where the folder would be");
    await expect(state.writeErrored(withOutput("1"))).rejects.toThrow();
    await expect(state.write(withOutput("1"))).rejects.toThrow(/cannot be written/);
  });
});
