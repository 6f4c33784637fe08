import fc from "fast-check";
import { describe, expect, test } from "vitest";
import rows from "../testdata/operations.json" with { type: "json" };
import type { RefinementNotation, ValueNotation } from "../test/notation.ts";
import { refinementsOf, show, valueOf } from "../test/notation.ts";
import { anyValue } from "../test/values.ts";
import { bigFloat } from "./number.ts";
import {
  add,
  and,
  divide,
  elementsOf,
  equals,
  getAttribute,
  greaterThan,
  greaterThanOrEqual,
  hasElement,
  hasIndex,
  index,
  lengthOf,
  lessThan,
  lessThanOrEqual,
  modulo,
  multiply,
  not,
  notEqual,
  or,
  rawEquals,
  subtract,
} from "./operations.ts";
import { refine } from "./refine.ts";
import { listType, numberType, objectType, stringType } from "./types.ts";
import type { Value } from "./value.ts";
import {
  boolValue,
  falseValue,
  listValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  stringValue,
  unknownValue,
} from "./value.ts";

const operations: Readonly<Record<string, (a: Value, b: Value) => Value | undefined>> = {
  "==": equals,
  "+": add,
  "-": subtract,
  "*": multiply,
  "/": divide,
  "%": modulo,
  "<": lessThan,
  "<=": lessThanOrEqual,
  ">": greaterThan,
  ">=": greaterThanOrEqual,
  "&&": and,
  "||": or,
  hasindex: hasIndex,
  has: hasElement,
  "!": not,
  len: lengthOf,
};

describe("go-cty's answers", () => {
  const table = rows as unknown as [string, ValueNotation, ...unknown[]][];
  test.each(table.map((row) => ({ name: JSON.stringify(row.slice(0, -1)), row })))("$name", ({ row }) => {
    const [operation, left, right] = row;
    const a = valueOf(left);
    const result =
      operation === "refine"
        ? refine(a, refinementsOf(right as RefinementNotation))
        : operations[operation]!(a, row.length > 3 ? valueOf(right as ValueNotation) : a);
    expect(show(result!)).toBe(row.at(-1));
  });
});

describe("equality", () => {
  test("a value is the same as itself, whatever it is", () => {
    fc.assert(
      fc.property(anyValue(), (value) => {
        expect(rawEquals(value, value)).toBe(true);
        expect(rawEquals(value, { ...value, marks: new Set(value.marks) })).toBe(true);
        expect(rawEquals(mark(value, "other"), value)).toBe(false);
      }),
      { seed: 11 },
    );
  });

  test("a known value equals itself, and equality has no direction", () => {
    fc.assert(
      fc.property(anyValue(), anyValue(), (a, b) => {
        expect(equals(a, a).data).not.toBe(false);
        expect(rawEquals(equals(a, b), equals(b, a))).toBe(true);
      }),
      { seed: 12 },
    );
  });

  test("what is known of an unknown value is part of what it is", () => {
    const plain = unknownValue(stringType);
    expect(rawEquals(plain, refine(plain, { prefix: "a" }))).toBe(false);
    expect(rawEquals(refine(plain, { prefix: "a" }), refine(plain, { prefix: "a" }))).toBe(true);
  });

  test("a bound that is not reached itself excludes its number", () => {
    const above = (inclusive: boolean) => valueOf(["unk", "number", { min: ["5", inclusive] }]);
    expect(show(equals(above(false), numberValue(5)))).toBe("false");
    expect(show(equals(above(true), numberValue(5)))).toBe('unk("bool")+notnull');
  });

  test("sets that may yet be equal are not said to differ", () => {
    const set = valueOf(["set", ["object", { a: "string" }], [["obj", { a: ["unk", "string"] }]]]);
    expect(show(equals(set, set))).toBe('unk("bool")+notnull');
    expect(show(equals(set, valueOf(["set", ["object", { a: "string" }], []])))).toBe("false");
  });

  test("of a value compared with null only its own marks count", () => {
    const value = mark(objectValue({ a: mark(stringValue("x"), "inner") }), "outer");
    expect(show(equals(value, nullValue(value.type)))).toBe("false!outer");
    expect(show(notEqual(value, nullValue(value.type)))).toBe("true!outer");
    expect(show(equals(value, value))).toBe("true!inner!outer");
  });
});

describe("misuse is a bug", () => {
  const one = numberValue(1);
  const cases: { name: string; run: () => unknown }[] = [
    { name: "adding a null", run: () => add(one, nullValue(numberType)) },
    { name: "adding a string", run: () => add(one, stringValue("1")) },
    { name: "negating a number as a bool", run: () => not(one) },
    { name: "asking for an element that is not there", run: () => index(listValue([one]), numberValue(1)) },
    { name: "asking a map by number", run: () => index(valueOf(["map", "string", {}]), one) },
    { name: "asking a null for an attribute", run: () => getAttribute(nullValue(objectType({ a: stringType })), "a") },
    { name: "asking for an attribute that is not there", run: () => getAttribute(objectValue({}), "a") },
    { name: "the length of a number", run: () => lengthOf(one) },
    { name: "going through an unknown list", run: () => [...elementsOf(unknownValue(listType(stringType)))] },
  ];
  test.each(cases)("$name", ({ run }) => {
    expect(run).toThrow(expect.objectContaining({ name: "Bug" }));
  });
});

describe("elements", () => {
  test("an index has the marks of the collection and of the key", () => {
    const list = mark(listValue([stringValue("x")]), "list");
    expect(show(index(list, mark(numberValue(0), "key")))).toBe('"x"!key!list');
  });

  test("an attribute of an unknown object is unknown and of the attribute's type", () => {
    expect(show(getAttribute(unknownValue(objectType({ a: stringType })), "a"))).toBe('unk("string")');
  });

  test("the keys of a list are numbers, those of a map strings, those of a set its elements", () => {
    const keys = (value: ValueNotation) => [...elementsOf(valueOf(value))].map(([key]) => show(key));
    expect(
      keys([
        "list",
        "string",
        [
          ["s", "a"],
          ["s", "b"],
        ],
      ]),
    ).toEqual(["0", "1"]);
    expect(keys(["map", "string", { b: ["s", "x"], a: ["s", "y"] }])).toEqual(['"a"', '"b"']);
    expect(
      keys([
        "set",
        "string",
        [
          ["s", "b"],
          ["s", "a"],
        ],
      ]),
    ).toEqual(['"a"', '"b"']);
  });

  test("an element that is partly unknown may be any other", () => {
    const set = valueOf(["set", ["object", { a: "string" }], [["obj", { a: ["s", "x"] }]]]);
    expect(show(hasElement(set, objectValue({ a: unknownValue(stringType) })))).toBe('unk("bool")+notnull');
    expect(show(hasElement(set, objectValue({ a: refine(unknownValue(stringType), { prefix: "y" }) })))).toBe("false");
  });
});

test("arithmetic without a result is undefined", () => {
  const infinity = numberValue(bigFloat("inf"));
  const zero = numberValue(0);
  expect(subtract(infinity, infinity)).toBeUndefined();
  expect(multiply(zero, infinity)).toBeUndefined();
  expect(divide(zero, zero)).toBeUndefined();
  expect(show(divide(numberValue(1), zero)!)).toBe("+Inf");
});

test("false and anything is false, also where the other is not known", () => {
  expect(and(falseValue, unknownValue({ kind: "bool" }))).toBe(boolValue(false));
});
