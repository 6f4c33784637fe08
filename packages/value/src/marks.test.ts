import fc from "fast-check";
import { expect, test } from "vitest";
import { show, valueOf } from "../test/notation.ts";
import { anyValue } from "../test/values.ts";
import { markWithPaths, unmarkDeepWithPaths } from "./marks.ts";
import { rawEquals } from "./operations.ts";
import { formatPath } from "./path.ts";
import { isMarkedDeep, numberValue, stringValue } from "./value.ts";

const marked = valueOf([
  "obj",
  {
    name: ["mark", "sensitive", ["s", "x"]],
    tags: ["map", "string", { "a b": ["mark", "sensitive", ["s", "y"]] }],
    list: [
      "mark",
      "ephemeral",
      [
        "list",
        "number",
        [
          ["n", "1"],
          ["mark", "sensitive", ["n", "2"]],
        ],
      ],
    ],
    set: ["set", "string", [["mark", "sensitive", ["s", "z"]]]],
  },
]);

test("marks are taken off with their places, the outer before the inner", () => {
  const [bare, places] = unmarkDeepWithPaths(marked);
  expect(isMarkedDeep(bare)).toBe(false);
  expect(places.map(({ path, marks }) => `${formatPath(path)} ${[...marks]}`)).toEqual([
    ".list ephemeral",
    ".list[1] sensitive",
    ".name sensitive",
    ".set sensitive",
    '.tags["a b"] sensitive',
  ]);
});

test("what was taken off can be put on again", () => {
  fc.assert(
    fc.property(anyValue(), (value) => {
      const [bare, places] = unmarkDeepWithPaths(value);
      expect(isMarkedDeep(bare)).toBe(false);
      expect(rawEquals(markWithPaths(bare, places), value)).toBe(true);
    }),
    { seed: 31, numRuns: 300 },
  );
});

test("a value without marks comes back itself", () => {
  const [bare] = unmarkDeepWithPaths(marked);
  expect(unmarkDeepWithPaths(bare)[0]).toBe(bare);
  expect(markWithPaths(bare, [])).toBe(bare);
});

test("places that are not there are passed over", () => {
  const value = valueOf(["obj", { a: ["null", ["object", { b: "string" }]], c: ["s", "x"] }]);
  const marks = new Set(["sensitive"]);
  const places = [
    { path: [{ attribute: "a" }, { attribute: "b" }], marks },
    { path: [{ attribute: "z" }], marks },
    { path: [{ attribute: "c" }, { index: numberValue(0) }], marks },
  ];
  expect(show(markWithPaths(value, places))).toBe(show(value));
});

test("a mark on an element of a set goes to the set", () => {
  const value = valueOf(["obj", { a: ["set", "string", [["s", "x"]]] }]);
  const marks = new Set(["sensitive"]);
  const inside = markWithPaths(value, [{ path: [{ attribute: "a" }, { index: stringValue("x") }], marks }]);
  expect(show(inside)).toBe('{"a":set("string")["x"]!sensitive}');
});
