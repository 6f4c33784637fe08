import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { show, valueOf } from "../test/notation.ts";
import { anyValue } from "../test/values.ts";
import { rawEquals } from "./operations.ts";
import type { Path } from "./path.ts";
import { applyPath, formatPath, pathEquals, startsWith, transform, walk } from "./path.ts";
import { listType, stringType } from "./types.ts";
import type { Value } from "./value.ts";
import { asString, mark, nullValue, numberValue, objectValue, stringValue, unknownValue } from "./value.ts";

const value = valueOf([
  "mark",
  "outer",
  [
    "obj",
    {
      tags: ["map", "string", { Name: ["s", "x"] }],
      list: ["list", "number", [["n", "7"]]],
      set: ["set", "string", [["s", "a"]]],
    },
  ],
]);
const at = (attribute: string, ...indexes: Value[]): Path => [{ attribute }, ...indexes.map((index) => ({ index }))];

describe("following a path", () => {
  const cases: { name: string; path: Path; want: string | undefined }[] = [
    { name: "nowhere is the value itself", path: [], want: show(value) },
    { name: "into a map, with the marks on the way", path: at("tags", stringValue("Name")), want: '"x"!outer' },
    { name: "into a list", path: at("list", numberValue(0)), want: "7!outer" },
    { name: "into a set, by the element", path: at("set", stringValue("a")), want: '"a"!outer' },
    { name: "to a name that is not there", path: at("other"), want: undefined },
    { name: "to a key that is not there", path: at("tags", stringValue("name")), want: undefined },
    { name: "to an element that is not there", path: at("list", numberValue(1)), want: undefined },
    { name: "to an element that is not in the set", path: at("set", stringValue("b")), want: undefined },
    { name: "with a step that does not fit", path: at("tags", numberValue(0)), want: undefined },
  ];
  test.each(cases)("$name", ({ path, want }) => {
    const found = applyPath(value, path);
    expect(found && show(found)).toBe(want);
  });

  test("inside of a null there is nothing, inside of an unknown value everything is unknown", () => {
    const type = listType(stringType);
    const path = [{ index: numberValue(3) }];
    expect(applyPath(nullValue(type), path)).toBeUndefined();
    expect(show(applyPath(mark(unknownValue(type), "m"), path)!)).toBe('unk("string")!m');
  });
});

test("a path is written as HCL would", () => {
  expect(formatPath([...at("tags", stringValue('a"b')), { attribute: "c" }, { index: numberValue(2) }])).toBe(
    '.tags["a\\"b"].c[2]',
  );
  expect(formatPath(at("set", objectValue({})))).toBe(".set[…]");
});

test("paths are equal where their steps are", () => {
  expect(pathEquals(at("a", numberValue(1)), at("a", numberValue(1)))).toBe(true);
  expect(pathEquals(at("a", numberValue(1)), at("a", stringValue("1")))).toBe(false);
  expect(pathEquals(at("a"), at("a", numberValue(1)))).toBe(false);
  expect(startsWith(at("a", numberValue(1)), at("a"))).toBe(true);
  expect(startsWith(at("a"), at("a", numberValue(1)))).toBe(false);
});

test("a walk visits the outer before the inner, and every path leads to what it is told with", () => {
  fc.assert(
    fc.property(anyValue({ unknown: true, marked: false }), (any) => {
      const paths: string[] = [];
      walk(any, (path, inside) => {
        paths.push(formatPath(path));
        expect(rawEquals(applyPath(any, path)!, inside)).toBe(true);
      });
      expect(paths[0]).toBe("");
    }),
    { seed: 41 },
  );
});

test("a walk leaves out what it is told to skip", () => {
  const paths: string[] = [];
  walk(value, (path, inside) => {
    paths.push(formatPath(path));
    return inside.type.kind === "map" ? "skip" : undefined;
  });
  expect(paths).toEqual(["", ".list", ".list[0]", ".set", '.set["a"]', ".tags"]);
});

describe("transforming", () => {
  test("a value that nothing changes in is not copied", () => {
    fc.assert(
      fc.property(anyValue(), (any) => {
        expect(transform(any, (_, inside) => inside)).toBe(any);
      }),
      { seed: 42 },
    );
  });

  test("inner values are replaced before outer ones, and marks stay", () => {
    const louder = transform(value, (_, inside) =>
      inside.type.kind === "string" ? stringValue(asString(inside).toUpperCase()) : inside,
    );
    expect(show(louder)).toBe(
      '{"list":list("number")[7],"set":set("string")["A"],"tags":map("string"){"Name":"X"}}!outer',
    );
  });

  test("types follow the values", () => {
    const texts = transform(value, (_, inside) => (inside.type.kind === "number" ? stringValue("n") : inside));
    expect(show(applyPath(texts, at("list"))!)).toBe('list("string")["n"]!outer');
  });
});
