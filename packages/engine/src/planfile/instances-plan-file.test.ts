import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringValue } from "@millwright/value/value";
import { afterAll, expect, test } from "vitest";
import { readInstancesPlanFile, variablesBytes, variablesOf, writeInstancesPlanFile } from "./instances-plan-file.ts";

const folder = mkdtempSync(join(tmpdir(), "millwright-plans-"));
afterAll(() => rmSync(folder, { recursive: true }));

const plans = {
  files: new Map([["all.instances.hcl", new Uint8Array([104, 105])]]),
  contribution: "{}",
  variables: variablesBytes(new Map([["region", stringValue("eu")]])),
  instances: [],
  later: [{ name: "many", why: "it has to wait" }],
};

test("plans of instances come back as they were saved, for their owner's eyes only", () => {
  const path = join(folder, "a.plan");
  writeInstancesPlanFile(path, plans);
  const read = readInstancesPlanFile(path);
  expect(read).toEqual(plans);
  expect(variablesOf(read.variables)).toEqual(new Map([["region", stringValue("eu")]]));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("what is no plan of instances is refused, with what to do", () => {
  const path = join(folder, "b.plan");
  writeFileSync(path, "text");
  expect(() => readInstancesPlanFile(path)).toThrow("it is no plan file");
  writeFileSync(path, Buffer.from([0x1f, 0x8b, 0, 0]));
  expect(() => readInstancesPlanFile(path)).toThrow("Make a new plan.");
});
