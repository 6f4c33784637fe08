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
import { join } from "node:path";
import { stringValue } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { State } from "../state.ts";
import { emptyState } from "../state.ts";
import { LocalState } from "./local-state.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "state-"));
  path = join(folder, "terraform.tfstate");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => LocalState.open(path, () => "new-lineage").value;
const withOutput = (text: string): State => ({
  ...emptyState,
  outputs: new Map([["o", { value: stringValue(text), sensitive: false }]]),
});
const written = (file = path) =>
  JSON.parse(readFileSync(file, "utf8")) as { serial: number; lineage: string; outputs: { o: { value: string } } };

describe("a state in a file", () => {
  test("that is not there is empty, and gets a lineage", () => {
    const state = open();
    expect(state.current.state).toEqual(emptyState);
    state.write(withOutput("1"));
    expect(written()).toMatchObject({ serial: 1, lineage: "new-lineage", outputs: { o: { value: "1" } } });
  });

  test("that is empty is as if it were not there", () => {
    writeFileSync(path, "\n");
    expect(open().current.serial).toBe(0);
  });

  test("is for its owner's eyes only, and so is its backup", () => {
    open().write(withOutput("1"));
    chmodSync(path, 0o644);
    open().write(withOutput("2"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}.backup`).mode & 0o777).toBe(0o600);
  });

  test("keeps its lineage and counts its versions", () => {
    open().write(withOutput("1"));
    const state = open();
    state.write(withOutput("2"));
    state.write(withOutput("3"));
    expect(written()).toMatchObject({ serial: 3, lineage: "new-lineage" });
  });

  test("has what was there before the run as its backup", () => {
    open().write(withOutput("1"));
    expect(existsSync(`${path}.backup`)).toBe(false);
    const state = open();
    state.write(withOutput("2"));
    state.write(withOutput("3"));
    expect(written(`${path}.backup`)).toMatchObject({ serial: 1, outputs: { o: { value: "1" } } });
  });

  test("is not written again where nothing has changed, except on demand", () => {
    open().write(withOutput("1"));
    const before = statSync(path).mtimeMs;
    const state = open();
    state.write(withOutput("1"));
    expect(statSync(path).mtimeMs).toBe(before);
    expect(existsSync(`${path}.backup`)).toBe(false);
    state.write(withOutput("1"), "always");
    expect(written().serial).toBe(2);
  });

  test("that cannot be written is left as it was, without leavings", () => {
    const state = LocalState.open(join(folder, "none", "terraform.tfstate"), () => "l").value;
    expect(() => state.write(withOutput("1"))).toThrow(/cannot be written/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("whose backup cannot be written is not written either", () => {
    open().write(withOutput("1"));
    const state = LocalState.open(path, () => "l", { backup: join(folder, "none", "backup") }).value;
    expect(() => state.write(withOutput("2"))).toThrow(/cannot be written/);
    expect(written().outputs.o.value).toBe("1");
  });

  test("that is damaged is refused", () => {
    writeFileSync(path, '{"version": 4, "serial"');
    const { diagnostics } = LocalState.open(path, () => "l");
    expect(diagnostics.map((d) => d.summary)).toEqual(["Invalid JSON in state file"]);
  });

  test("that is a folder is an error that says so", () => {
    expect(() => LocalState.open(folder, () => "l")).toThrow(/cannot be read/);
  });

  test("may be put aside under the next serial, where it cannot be written", () => {
    open().write(withOutput("1"));
    const aside = open().writeErrored(withOutput("2"));
    expect(aside).toBe(join(folder, "errored.tfstate"));
    expect(written(aside)).toMatchObject({ serial: 2, lineage: "new-lineage", outputs: { o: { value: "2" } } });
    expect(statSync(aside).mode & 0o777).toBe(0o600);
  });

  test("put aside takes the place of an older one, and leaves the state as it was", () => {
    open().write(withOutput("1"));
    const before = readFileSync(path, "utf8");
    open().writeErrored(withOutput("2"));
    const aside = open().writeErrored(withOutput("3"));
    expect(written(aside)).toMatchObject({ serial: 2, outputs: { o: { value: "3" } } });
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(folder).sort()).toEqual(["errored.tfstate", "terraform.tfstate"]);
  });

  test("put aside before anything was written has the lineage that the state would have had", () => {
    const state = open();
    const aside = state.writeErrored(withOutput("1"));
    expect(written(aside)).toMatchObject({ serial: 1, lineage: state.lineage });
    expect(LocalState.open(aside, () => "other").value.current).toMatchObject({ serial: 1, lineage: "new-lineage" });
  });

  test("that cannot be put aside either is thrown, for the caller to print", () => {
    const state = LocalState.open(join(folder, "none", "terraform.tfstate"), () => "l").value;
    writeFileSync(join(folder, "none"), "a file where the folder would be");
    expect(() => state.writeErrored(withOutput("1"))).toThrow();
    expect(() => state.write(withOutput("1"))).toThrow(/cannot be written/);
  });
});
