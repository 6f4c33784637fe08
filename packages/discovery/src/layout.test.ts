import { decodeMeta, encodeMeta } from "@millwright/records/meta";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeRecord, encodeRecord } from "./kv-record.ts";
import { layout } from "./layout.ts";

describe("a store key says what it is about", () => {
  const cases = [
    { key: layout.meta, want: { kind: "meta" } },
    { key: layout.low, want: { kind: "low" } },
    { key: layout.restoring, want: { kind: "restoring" } },
    { key: layout.record(3, "kv", "a/b"), want: { kind: "record", table: "kv", generation: 3, name: "a/b" } },
    {
      key: layout.record(1, "kv", "/lead//x/"),
      want: { kind: "record", table: "kv", generation: 1, name: "/lead//x/" },
    },
    { key: layout.dead(12, "t/"), want: { kind: "dead", generation: 12, name: "t/" } },
    { key: layout.record(2, "node", "n1"), want: { kind: "record", table: "node", generation: 2, name: "n1" } },
    { key: layout.record(2, "live", "n1"), want: { kind: "leased", table: "live", name: "n1" } },
    { key: "discovery/g/1/live/n1", want: { kind: "other" } },
    { key: "discovery/l/node/n1", want: { kind: "other" } },
    { key: "discovery/g/1/sessions/x", want: { kind: "other" } },
    { key: "discovery/g/1", want: { kind: "other" } },
    { key: "discovery/later", want: { kind: "other" } },
  ];
  test.each(cases)("$key", ({ key, want }) => expect(layout.placeOf(key)).toEqual(want));
});

test("a record comes back as it was written", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value, flags) => {
      const decoded = decodeRecord(encodeRecord({ value, flags }));
      expect(decoded.flags).toBe(flags);
      expect(Buffer.compare(decoded.value, value)).toBe(0);
    }),
    { seed: 9 },
  );
});

test("what a later version wrote is not misread", () => {
  expect(() => decodeRecord(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0))).toThrow(
    /record format 2; this version knows format 1/,
  );
  const later = Buffer.from(
    Buffer.from(encodeMeta({ generation: 1, base: 10 }))
      .toString()
      .replace('"format":1', '"format":2'),
  );
  expect(() => decodeMeta(later)).toThrow(/format 2; this version knows format 1/);
  expect(() => decodeMeta(Buffer.from('{"format":1,"generation":"x"}'))).toThrow(/damaged/);
});
