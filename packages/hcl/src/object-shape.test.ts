import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { numberValue, objectValue, stringValue } from "@millwright/value/value";
import { expect, test } from "vitest";
import { ObjectShape } from "./object-shape.ts";

function check(names: readonly string[], rows: readonly (readonly Value[])[]): readonly Value[] {
  const shape = new ObjectShape(names.map((name) => [name, name] as const));
  const order = shape.parts.map(([, name]) => names.indexOf(name));
  return rows.map((row) => {
    const made = shape.of(order.map((at) => row[at]!));
    const expected = objectValue(names.map((name, at) => [name, row[at]!] as const));
    expect(rawEquals(made, expected)).toBe(true);
    expect([...(made.data as ReadonlyMap<string, Value>).keys()]).toEqual([
      ...(expected.data as ReadonlyMap<string, Value>).keys(),
    ]);
    return made;
  });
}

test("objects come out as objectValue makes them, with one type while the attributes keep theirs", () => {
  const [first, second, third, fourth] = check(
    ["b", "a", "e\u0301", "10", "9"],
    [
      [1, 2, 3, 4, 5].map((n) => numberValue(n)),
      [6, 7, 8, 9, 10].map((n) => numberValue(n)),
      ["v", "w", "x", "y", "z"].map(stringValue),
      [1, 2, 3, 4, 5].map((n) => numberValue(n)),
    ],
  );
  expect(second!.type).toBe(first!.type);
  expect(third!.type).not.toBe(second!.type);
  expect(fourth!.type).toEqual(first!.type);
});

test("an object of nothing is one too", () => {
  check([], [[], []]);
});
