import fc from "fast-check";
import { describe, expect, test } from "vitest";
import conversions from "../testdata/conversions.json" with { type: "json" };
import unifications from "../testdata/unifications.json" with { type: "json" };
import type { TypeNotation, ValueNotation } from "../test/notation.ts";
import { show, showPath, typeOf, valueOf } from "../test/notation.ts";
import { anyType, anyValue } from "../test/values.ts";
import type { Converted } from "./convert.ts";
import { conversionExists, convert } from "./convert.ts";
import { rawEquals } from "./operations.ts";
import { typeToJson } from "./type-json.ts";
import { boolType, listType, numberType, objectType, setType, stringType, typeEquals } from "./types.ts";
import { unify } from "./unify.ts";

describe("go-cty's conversions", () => {
  const table = conversions as unknown as [string, ValueNotation, TypeNotation, string][];
  test.each(table.map((row) => ({ name: JSON.stringify(row.slice(1, 3)), row })))("$name", ({ row }) => {
    const [, value, type, want] = row;
    expect(shown(convert(valueOf(value), typeOf(type)))).toBe(want);
  });
});

describe("go-cty's unifications", () => {
  const table = unifications as unknown as [string, ValueNotation[], string][];
  test.each(table.map((row) => ({ name: JSON.stringify(row[1]), row })))("$name", ({ row }) => {
    const [, notations, want] = row;
    const values = notations.map(valueOf);
    const unified = unify(values.map((v) => v.type));
    const converted = values.map((v) => unified && shown(unified.convert(v)));
    expect(unified ? [typeToJson(unified.type), ...converted].join(" ") : "none").toBe(want);
  });
});

function shown(converted: Converted): string {
  return converted.ok ? show(converted.value) : `error ${showPath(converted.path)}: ${converted.message}`;
}

describe("conversion", () => {
  test("a converted value is of the type, and converts to itself", () => {
    fc.assert(
      fc.property(anyValue(), anyType(2), (value, type) => {
        const once = convert(value, type);
        if (!once.ok) return;
        expect(typeEquals(once.value.type, type)).toBe(true);
        const twice = convert(once.value, type);
        expect(twice.ok && twice.value === once.value).toBe(true);
      }),
      { seed: 21, numRuns: 500 },
    );
  });

  test("a safe conversion never fails", () => {
    fc.assert(
      fc.property(anyValue(), anyType(2), (value, type) => {
        if (!conversionExists(value.type, type, "safe")) return;
        expect(convert(value, type).ok).toBe(true);
      }),
      { seed: 22, numRuns: 500 },
    );
  });

  test("unified types take the values of each", () => {
    fc.assert(
      fc.property(anyValue(), anyValue(), (a, b) => {
        const unified = unify([a.type, b.type]);
        if (!unified) return;
        for (const value of [a, b]) {
          const converted = unified.convert(value);
          expect(converted.ok && typeEquals(converted.value.type, unified.type)).toBe(true);
        }
      }),
      { seed: 23, numRuns: 500 },
    );
  });

  test("the path of a failure leads to the element", () => {
    const value = valueOf([
      "obj",
      {
        a: [
          "list",
          "string",
          [
            ["s", "1"],
            ["s", "x"],
          ],
        ],
      },
    ]);
    const result = convert(value, objectType({ a: listType(numberType) }));
    expect(shown(result)).toBe("error .a[1]: a number is required");
  });

  test("all results of one conversion share one type object, so that comparing them is cheap", () => {
    const tuple = valueOf([
      "tuple",
      [
        ["obj", { a: ["n", "1"] }],
        ["obj", { a: ["n", "2"] }],
      ],
    ]);
    const result = convert(tuple, listType(objectType({ a: stringType })));
    expect(result.ok).toBe(true);
    const [first, second] = result.ok ? (result.value.data as readonly { type: unknown }[]) : [];
    expect(first!.type).toBe(second!.type);
  });

  test("a null inside of an object keeps its mark", () => {
    const value = valueOf(["obj", { a: ["mark", "sensitive", ["null", "string"]] }]);
    const result = convert(value, objectType({ a: numberType }));
    expect(shown(result)).toBe('{"a":null("number")!sensitive}');
  });

  test("a list of a set with unknown elements has no known length", () => {
    const set = valueOf([
      "set",
      "number",
      [
        ["n", "1"],
        ["unk", "number"],
      ],
    ]);
    expect(shown(convert(set, listType(stringType)))).toBe('unk(["list","string"])');
  });

  test("what may fail is no safe conversion", () => {
    expect(conversionExists(stringType, numberType, "safe")).toBe(false);
    expect(conversionExists(stringType, numberType, "unsafe")).toBe(true);
    expect(conversionExists(numberType, stringType, "safe")).toBe(true);
    expect(conversionExists(listType(stringType), setType(stringType), "safe")).toBe(false);
    expect(conversionExists(boolType, numberType, "unsafe")).toBe(false);
  });

  test("a value that is of the type already comes back itself", () => {
    fc.assert(
      fc.property(anyValue(), (value) => {
        const result = convert(value, value.type);
        expect(result.ok && result.value === value && rawEquals(result.value, value)).toBe(true);
      }),
      { seed: 24 },
    );
  });
});
