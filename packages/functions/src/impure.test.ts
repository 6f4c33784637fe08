import { gunzipSync } from "node:zlib";
import { systemChance } from "@millwright/core/ports";
import { callFunction } from "@millwright/hcl/function-spec";
import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, isKnown, numberValue, stringValue } from "@millwright/value/value";
import { compareSync } from "bcryptjs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Environment } from "./environment.ts";
import { functionsFor } from "./library.ts";
import { memoryFiles } from "./memory-files.ts";

const environment: Environment = {
  dialect: "terraform",
  files: memoryFiles({}),
  baseDir: ".",
  clock: { now: () => Date.UTC(2026, 10, 21, 5, 4, 3, 999) },
  chance: systemChance,
  planTimestamp: Date.UTC(2026, 0, 2, 3, 4, 5),
  impure: "now",
  use: "configuration",
};

function call(name: string, args: readonly Value[] = [], changes: Partial<Environment> = {}): Value {
  const result = callFunction(functionsFor({ ...environment, ...changes }).get(name)!, args);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

test("timestamp is the clock's time in whole seconds of UTC", () => {
  expect(asString(call("timestamp"))).toBe("2026-11-21T05:04:03Z");
});

test("plantimestamp is the plan's, whatever the clock says, and unknown before there is a plan", () => {
  expect(asString(call("plantimestamp"))).toBe("2026-01-02T03:04:05Z");
  const { planTimestamp: _, ...planless } = environment;
  const result = callFunction(functionsFor(planless).get("plantimestamp")!, []);
  expect(result.ok && isKnown(result.value)).toBe(false);
});

test.each(["timestamp", "uuid", "bcrypt"])("%s is unknown, but not null, until it is called at the apply", (name) => {
  const value = call(name, name === "bcrypt" ? [stringValue("x")] : [], { impure: "later" });
  expect(isKnown(value)).toBe(false);
  expect(value.data).toEqual({ refinements: { notNull: true } });
  expect(value.type).toEqual(stringType);
});

test("uuid gives random UUIDs of version 4, another at each call", () => {
  const uuids = Array.from({ length: 100 }, () => asString(call("uuid")));
  expect(new Set(uuids).size).toBe(100);
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

describe("bcrypt", () => {
  test("gives hashes that verify, with another salt at each call", () => {
    const property = fc.property(fc.string({ unit: "grapheme", maxLength: 12 }), (password) => {
      const text = password.normalize("NFC");
      const [first, second] = [0, 1].map(() => asString(call("bcrypt", [stringValue(text), numberValue(4)])));
      expect(first).not.toBe(second);
      expect(first).toMatch(/^\$2a\$04\$[./A-Za-z0-9]{53}$/);
      expect(compareSync(text, first!) && compareSync(text, second!)).toBe(true);
      expect(compareSync(`${text}x`, first!)).toBe(false);
    });
    fc.assert(property, { seed: 20_261_121, numRuns: 20 });
  });

  test.each([
    { name: "without a cost has the default one", args: [], want: "$2a$10$" },
    { name: "takes a cost that is too low for the default one", args: [numberValue(3)], want: "$2a$10$" },
  ])("$name", ({ args, want }) => {
    expect(asString(call("bcrypt", [stringValue("x"), ...args])).slice(0, 7)).toBe(want);
  });
});

test("base64gzip holds the text compressed", () => {
  const property = fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const packed = Buffer.from(asString(call("base64gzip", [stringValue(text)])), "base64");
    expect(gunzipSync(packed).toString("utf8")).toBe(text.normalize("NFC"));
  });
  fc.assert(property, { seed: 20_261_121, numRuns: 100 });
});
