import fc from "fast-check";
import { describe, expect, test } from "vitest";
import rows from "../testdata/json.json" with { type: "json" };
import type { TypeNotation, ValueNotation } from "../test/notation.ts";
import { show, showPath, typeOf, valueOf } from "../test/notation.ts";
import { anyValue, knownOnly } from "../test/values.ts";
import type { Decoded } from "./json.ts";
import {
  decodeImplied,
  decodeJson,
  encodeJson,
  encodeSimple,
  fromPlain,
  impliedType,
  toPlain,
  whyNotJson,
} from "./json.ts";
import { bigFloat } from "./number.ts";
import { rawEquals } from "./operations.ts";
import { parsePlain } from "./plain-json.ts";
import { typeToJson } from "./type-json.ts";
import { dynamicType, numberType, stringType } from "./types.ts";
import { listValue, mark, numberValue, stringValue, unknownValue } from "./value.ts";

function shown(decoded: Decoded): string {
  return decoded.ok ? show(decoded.value) : `error ${showPath(decoded.path)}: ${decoded.message}`;
}

describe("go-cty's JSON", () => {
  const table = rows as unknown as [string, ValueNotation, TypeNotation, string][];
  test.each(table.map((row) => ({ name: row[3], row })))("$name", ({ row }) => {
    const [, value, type, want] = row;
    expect(encodeJson(valueOf(value), typeOf(type))).toBe(want);
    expect(shown(decodeJson(want, typeOf(type)))).toBe(show(valueOf(value)));
  });
});

describe("reading", () => {
  const object: TypeNotation = ["object", { a: "string", b: "number" }];
  const cases: { name: string; json: string; type: TypeNotation; want: string }[] = [
    {
      name: "a number keeps all its digits",
      json: "123456789012345678901234567890.5",
      type: "number",
      want: "123456789012345678901234567890.5",
    },
    { name: "a number may come as a string", json: '"1e3"', type: "number", want: "1000" },
    { name: "a string may come as a number, as it was written", json: "1.50", type: "string", want: '"1.50"' },
    { name: "a bool may come as a string", json: '"true"', type: "bool", want: "true" },
    { name: "strings are normalised", json: '"e\\u0301"', type: "string", want: '"é"' },
    { name: "so are keys", json: '{"e\\u0301":1}', type: ["map", "number"], want: 'map("number"){"é":1}' },
    { name: "an object may lack attributes", json: '{"b":1}', type: object, want: '{"a":null("string"),"b":1}' },
    {
      name: "an attribute too many is refused",
      json: '{"c":1}',
      type: object,
      want: 'error : unsupported attribute "c"',
    },
    {
      name: "a key called __proto__ is a key",
      json: '{"__proto__":1}',
      type: ["map", "number"],
      want: 'map("number"){"__proto__":1}',
    },
    {
      name: "a key called constructor is missing where it is",
      json: "{}",
      type: ["object", { constructor: "string" }],
      want: '{"constructor":null("string")}',
    },
    {
      name: "the path leads to what is wrong",
      json: '[{"a":[]}]',
      type: ["list", object],
      want: "error [0].a: string is required",
    },
    { name: "a list needs an array", json: "{}", type: ["list", "string"], want: "error : missing expected [" },
    { name: "a map needs an object", json: "1.5", type: ["map", "string"], want: "error : missing expected {" },
    {
      name: "a tuple needs all its elements",
      json: "[1]",
      type: ["tuple", ["number", "number"]],
      want: "error : not enough tuple elements (need 2)",
    },
    {
      name: "dynamic needs a type",
      json: '{"value":1}',
      type: "dynamic",
      want: "error : missing type in dynamically-typed value",
    },
    {
      name: "dynamic takes nothing else",
      json: '{"x":1}',
      type: "dynamic",
      want: 'error : invalid key "x" in dynamically-typed value',
    },
    {
      name: "a broken document says where",
      json: '{"a" 1}',
      type: object,
      want: "error : invalid character '1' after object key",
    },
  ];
  test.each(cases)("$name", ({ json, type, want }) => {
    expect(shown(decodeJson(json, typeOf(type)))).toBe(want);
    expect(shown(decodeJson(new TextEncoder().encode(json), typeOf(type)))).toBe(want);
  });
});

describe("the type that JSON implies", () => {
  test("objects, tuples, and no type for null", () => {
    const json = '{"b":[1,"x",null],"a":{},"10":true,"9":1.5}';
    expect(typeToJson(impliedType(json)!)).toBe(
      '["object",{"10":"bool","9":"number","a":["object",{}],"b":["tuple",["number","string","dynamic"]]}]',
    );
    expect(shown(decodeImplied(json))).toBe('{"10":true,"9":1.5,"a":{},"b":[1,"x",null("dynamic")]}');
    expect(impliedType("{")).toBeUndefined();
  });
});

describe("there and back", () => {
  test("through text, by its own type and by dynamic", () => {
    fc.assert(
      fc.property(anyValue(knownOnly), (value) => {
        for (const type of [value.type, dynamicType]) {
          const decoded = decodeJson(encodeJson(value, type), type);
          expect(decoded.ok && rawEquals(decoded.value, value)).toBe(true);
        }
      }),
      { seed: 51, numRuns: 300 },
    );
  });

  test("through a larger document", () => {
    fc.assert(
      fc.property(anyValue(knownOnly), (value) => {
        const document = JSON.stringify({ inside: toPlain(value, value.type) });
        const { inside } = parsePlain(document) as { inside: unknown };
        const decoded = fromPlain(inside, value.type);
        expect(decoded.ok && rawEquals(decoded.value, value)).toBe(true);
      }),
      { seed: 52, numRuns: 300 },
    );
  });
});

describe("what has no JSON", () => {
  test("is told beforehand", () => {
    expect(whyNotJson(listValue([numberValue(bigFloat("inf"))]))).toBe("cannot serialize infinity as JSON");
    expect(whyNotJson(listValue([unknownValue(stringType)]))).toBe("value is not known");
    expect(whyNotJson(listValue([stringValue("x")]))).toBeUndefined();
  });

  test("is a bug to write", () => {
    const bug = expect.objectContaining({ name: "Bug" });
    expect(() => encodeSimple(unknownValue(stringType))).toThrow(bug);
    expect(() => encodeSimple(mark(stringValue("x"), "sensitive"))).toThrow(bug);
    expect(() => toPlain(numberValue(bigFloat("inf")), numberType)).toThrow(bug);
  });
});

test("numbers that JavaScript would change are written out in full inside of a larger document", () => {
  const plain = toPlain(
    listValue([numberValue(bigFloat("0.1")), numberValue(bigFloat("12345678901234567890")), numberValue(3)]),
    valueOf(["list", "number", []]).type,
  );
  expect(JSON.stringify({ plain })).toBe('{"plain":[0.1,12345678901234567890,3]}');
});
