import { describe, expect, test } from "vitest";
import { fieldsOf, secondsOf } from "./request-fields.ts";

describe("a length of time", () => {
  const cases = [
    { input: 90, want: 90 },
    { input: "90", want: 90 },
    { input: "1h30m", want: 5400 },
    { input: "2d", want: 172_800 },
    { input: "1500ms", want: 2 },
    { input: "", want: 0 },
    { input: "-1", want: -1 },
    { input: 1.5, want: undefined },
    { input: "soon", want: undefined },
    { input: true, want: undefined },
  ];
  test.each(cases)("$input is $want seconds", ({ input, want }) => {
    expect(secondsOf(input)).toBe(want);
  });
});

describe("a field", () => {
  const cases = [
    { name: "a text", read: "text", input: 5, want: "5" },
    { name: "a list with commas", read: "texts", input: "a, b,,c", want: ["a", "b", "c"] },
    { name: "a list", read: "texts", input: ["a", 1], want: ["a", "1"] },
    { name: "an empty list", read: "texts", input: "", want: [] },
    { name: "a flag as text", read: "boolean", input: "true", want: true },
    { name: "a flag that is empty", read: "boolean", input: "", want: false },
    { name: "a number as text", read: "integer", input: "12", want: 12 },
    { name: "a map of pairs", read: "textMap", input: ["a=1", "b=x=y"], want: { a: "1", b: "x=y" } },
    { name: "a map as JSON", read: "textMap", input: '{"a": "x", "b": 2}', want: { a: "x", b: "2" } },
    { name: "a map", read: "map", input: { a: [1] }, want: { a: [1] } },
  ] as const;
  test.each(cases)("can be $name", ({ read, input, want }) => {
    expect(fieldsOf({ it: input })[read]("it")).toEqual(want);
  });

  test("that is not there or null is undefined, also under a name that all objects have", () => {
    const fields = fieldsOf({ nothing: null });
    expect([fields.text("nothing"), fields.texts("other"), fields.map("constructor")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([fields.has("nothing"), fields.has("toString")]).toEqual([false, false]);
  });

  const faults = [
    { read: "text", input: {}, want: "it: a text is expected" },
    { read: "boolean", input: "yes", want: "it: true or false is expected" },
    { read: "integer", input: "1.5", want: "it: a whole number is expected" },
    { read: "seconds", input: "soon", want: 'it: a length of time such as "90s" or "1h" is expected' },
    { read: "textMap", input: "no pair", want: "it: an object of texts is expected" },
    { read: "map", input: "{broken", want: "it: an object is expected" },
  ] as const;
  test.each(faults)("of another form is refused: $want", ({ read, input, want }) => {
    expect(() => fieldsOf({ it: input })[read]("it")).toThrow(want);
  });
});
