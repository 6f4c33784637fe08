import { describe, expect, test } from "vitest";
import { WireFields, WireMistake } from "./wire-fields.ts";

describe("a field is found under every spelling of its name", () => {
  for (const name of ["TaggedAddresses", "tagged_addresses", "taggedaddresses", "TAGGED_ADDRESSES"]) {
    test(name, () =>
      expect(new WireFields({ [name]: { lan: "a" } }, "it").map("TaggedAddresses")).toEqual({ lan: "a" }),
    );
  }
});

test("null and absent read alike", () => {
  for (const fields of [new WireFields({ A: null }, "it"), new WireFields({}, "it")]) {
    expect(fields.has("A")).toBe(false);
    expect([
      fields.text("A"),
      fields.flag("A"),
      fields.whole("A", 7),
      fields.uint64("A"),
      fields.milliseconds("A"),
    ]).toEqual(["", false, 7, 0n, 0]);
    expect([fields.texts("A"), fields.list("A"), fields.map("A")]).toEqual([[], [], {}]);
  }
});

describe("durations are texts or nanoseconds", () => {
  const cases = [
    { value: "10s", want: 10_000 },
    { value: "1m30s", want: 90_000 },
    { value: 5_000_000_000, want: 5_000 },
    { value: "", want: 0 },
  ];
  test.each(cases)("$value", ({ value, want }) =>
    expect(new WireFields({ T: value }, "it").milliseconds("T")).toBe(want),
  );
});

describe("a value of another type is refused with the object and the field", () => {
  const cases: { name: string; read: (fields: WireFields) => unknown; value: unknown; why: string }[] = [
    { name: "text", read: (f) => f.text("F"), value: 1, why: "the body: F is no text" },
    { name: "flag", read: (f) => f.flag("F"), value: "true", why: "the body: F is neither true nor false" },
    { name: "whole", read: (f) => f.whole("F"), value: 1.5, why: "the body: F is no whole number" },
    { name: "uint64", read: (f) => f.uint64("F"), value: -1, why: "the body: F is no whole number from 0" },
    { name: "duration", read: (f) => f.milliseconds("F"), value: "5", why: "the body: Invalid F: time: missing unit" },
    { name: "texts", read: (f) => f.texts("F"), value: [1], why: "the body: F is no list of texts" },
    { name: "map", read: (f) => f.map("F"), value: { a: 1 }, why: "the body: F is no map of texts" },
    { name: "list", read: (f) => f.list("F"), value: {}, why: "the body: F is no list" },
  ];
  test.each(cases)("$name", ({ read, value, why }) => {
    expect(() => read(new WireFields({ F: value }, "the body"))).toThrow(why);
  });
  test("no object at all", () => expect(() => new WireFields([], "the body")).toThrow(WireMistake));
});

test("a field that nobody knows is told as it was spelt", () => {
  const fields = new WireFields({ node_meta: {}, Adress: "x", Nothing: null }, "it");
  expect(fields.unknownOf(["NodeMeta", "Address", "Nothing"])).toBe("Adress");
  expect(fields.unknownOf(["NodeMeta", "Adress"])).toBe("Nothing");
  expect(fields.unknownOf(["NodeMeta", "Adress", "nothing"])).toBeUndefined();
});
