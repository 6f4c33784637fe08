import { describe, expect, test } from "vitest";
import { library } from "../test/library.ts";
import { Layout } from "./layout.ts";
import { decodeMeta, encodeMeta } from "./meta.ts";

const layout = new Layout(library);

describe("a store key says what it is about", () => {
  const cases = [
    { key: layout.meta, want: { kind: "meta" } },
    { key: layout.low, want: { kind: "low" } },
    { key: layout.restoring, want: { kind: "restoring" } },
    { key: layout.record(3, "book", "a/b"), want: { kind: "record", table: "book", generation: 3, name: "a/b" } },
    { key: layout.record(2, "visit", "n1"), want: { kind: "leased", table: "visit", name: "n1" } },
    { key: layout.dead(12, "l/x"), want: { kind: "dead", generation: 12, name: "l/x" } },
    { key: layout.leader("cleaning"), want: { kind: "other" } },
    { key: "library/g/1/visit/n1", want: { kind: "other" } },
    { key: "library/l/book/n1", want: { kind: "other" } },
    { key: "library/g/1/later/x", want: { kind: "other" } },
    { key: "library/g/1/constructor/x", want: { kind: "other" } },
    { key: "library/g/1", want: { kind: "other" } },
  ];
  test.each(cases)("$key", ({ key, want }) => expect(layout.placeOf(key)).toEqual(want));
});

test("a meta record of a later version, or a damaged one, is not misread", () => {
  const encoded = Buffer.from(encodeMeta({ generation: 2, base: 10 })).toString();
  expect(decodeMeta(Buffer.from(encoded))).toEqual({ generation: 2, base: 10 });
  const later = Buffer.from(encoded.replace('"format":1', '"format":2'));
  expect(() => decodeMeta(later)).toThrow(/format 2; this version knows format 1/);
  expect(() => decodeMeta(Buffer.from('{"format":1,"generation":"x"}'))).toThrow(/damaged/);
});
