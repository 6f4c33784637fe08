import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rawEquals } from "@millwright/value/operations";
import { listValue, mark, objectValue, sensitive, stringValue } from "@millwright/value/value";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forgetInstance, instanceFolder, readRecord, rememberedInstances, writeRecord } from "./record.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-record-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = {
  template: "../app",
  place: "./x.tfstate",
  lineage: "l-1",
  dependencies: ["network"],
  outputs: ["url", "none"],
  inputs: new Map([
    ["tags", objectValue({ a: stringValue("b") })],
    ["token", mark(stringValue("hunter2"), sensitive)],
    ["ports", listValue([stringValue("1")])],
  ]),
  withheld: ["secret"],
  files: new Map([["main.tf", new Uint8Array([1, 2, 255])]]),
};

test("what an instance was made by comes back as it was, for its owner's eyes only", () => {
  writeRecord(folder, "app", record);
  const read = readRecord(folder, "app");
  expect({ ...read, inputs: undefined }).toEqual({ ...record, inputs: undefined });
  for (const [name, value] of record.inputs) expect(rawEquals(read!.inputs.get(name)!, value), name).toBe(true);
  expect(read!.inputs.get("token")!.marks).toEqual(new Set([sensitive]));
  expect(statSync(join(instanceFolder(folder, "app"), "made-by.json")).mode & 0o777).toBe(0o600);
  expect(rememberedInstances(folder)).toEqual(["app"]);
});

test("nothing is remembered of what was forgotten, or never made", () => {
  writeRecord(folder, "app", record);
  forgetInstance(folder, "app");
  expect([readRecord(folder, "app"), readRecord(folder, "other")]).toEqual([undefined, undefined]);
});

test("a damaged record is an error that names its file", () => {
  writeRecord(folder, "app", record);
  const path = join(instanceFolder(folder, "app"), "made-by.json");
  writeFileSync(path, readFileSync(path, "utf8").slice(0, 40));
  expect(() => readRecord(folder, "app")).toThrow(path);
});
