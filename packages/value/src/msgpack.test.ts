import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import rows from "../testdata/msgpack.json" with { type: "json" };
import type { TypeNotation, ValueNotation } from "../test/notation.ts";
import { show, showPath, typeOf, valueOf } from "../test/notation.ts";
import { anyValue, knownOnly, unmarkedOnly } from "../test/values.ts";
import { encodeSimple } from "./json.ts";
import { decodeMsgpack, encodeMsgpack } from "./msgpack.ts";
import { rawEquals } from "./operations.ts";
import { dynamicType, listType, stringType } from "./types.ts";
import { mark, stringValue } from "./value.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function read(text: string, type: TypeNotation): string {
  const decoded = decodeMsgpack(Buffer.from(text, "hex"), typeOf(type));
  return decoded.ok ? show(decoded.value) : `error ${showPath(decoded.path)}: ${decoded.message}`;
}

describe("go-cty's bytes", () => {
  const table = rows as unknown as [string, ValueNotation, TypeNotation, string][];
  test.each(table.map((row) => ({ name: JSON.stringify(row.slice(1, 3)), row })))("$name", ({ row }) => {
    const [, value, type, want] = row;
    expect(hex(encodeMsgpack(valueOf(value), typeOf(type)))).toBe(want);
  });
});

describe("there and back", () => {
  test("a value, unknown parts and all, by its own type and by dynamic", () => {
    fc.assert(
      fc.property(anyValue(unmarkedOnly), (value) => {
        for (const type of [value.type, dynamicType]) {
          const decoded = decodeMsgpack(encodeMsgpack(value, type), type);
          expect(decoded.ok && rawEquals(decoded.value, value)).toBe(true);
        }
      }),
      { seed: 81, numRuns: 300 },
    );
  });

  test("what is known of an unknown value", () => {
    for (const [, value, type] of rows as unknown as [string, ValueNotation, TypeNotation, string][]) {
      const before = valueOf(value);
      // A long prefix is cut, and the sign of zero is lost.
      if (JSON.stringify(value).includes("ab-ab-") || value[1] === "-0") continue;
      const decoded = decodeMsgpack(encodeMsgpack(before, typeOf(type)), typeOf(type));
      expect(decoded.ok && show(decoded.value)).toBe(show(before));
    }
  });
});

test("another library reads the same data out of the bytes", () => {
  fc.assert(
    fc.property(anyValue(knownOnly), (value) => {
      const theirs = decode(encodeMsgpack(value, value.type), { useBigInt64: true });
      expect(comparable(theirs)).toEqual(comparable(JSON.parse(encodeSimple(value))));
    }),
    { seed: 82, numRuns: 300 },
  );
});

/** Numbers as doubles, whichever form they came in: JSON has lost the rest. */
function comparable(data: unknown): unknown {
  if (typeof data === "bigint") return Number(data);
  if (typeof data === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(data)) return Number(data);
  if (Array.isArray(data)) return data.map(comparable);
  if (typeof data === "object" && data !== null) {
    return Object.fromEntries(Object.entries(data).map(([key, inside]) => [key, comparable(inside)]));
  }
  return data;
}

describe("reading what others write", () => {
  const object: TypeNotation = ["object", { a: "string", b: "string" }];
  const cases: { name: string; bytes: string; type: TypeNotation; want: string }[] = [
    {
      name: "a number as an unsigned integer of 64 bits",
      bytes: "cf8000000000000000",
      type: "number",
      want: "9223372036854775808",
    },
    { name: "a number as a short float", bytes: "ca3fc00000", type: "number", want: "1.5" },
    { name: "a number as text", bytes: "a3312e35", type: "number", want: "1.5" },
    { name: "a string as binary", bytes: "c4026162", type: "string", want: '"ab"' },
    { name: "attributes in any order", bytes: "82a162a178a161c0", type: object, want: '{"a":null("string"),"b":"x"}' },
    { name: "an unknown value as an empty extension", bytes: "c7000c", type: "string", want: 'unk("string")' },
    { name: "an unknown value as any short extension", bytes: "d47f00", type: "string", want: 'unk("string")' },
    {
      name: "a refinement that is not known yet",
      bytes: "c7070c8201c2639201c0",
      type: "string",
      want: 'unk("string")+notnull',
    },
    { name: "refinements of an unknown type", bytes: "c7030c8101c2", type: "dynamic", want: 'unk("dynamic")' },
    { name: "a refinement that says null", bytes: "c7030c8101c3", type: "string", want: 'null("string")' },
    {
      name: "an attribute that is not one",
      bytes: "82a161c0a163c0",
      type: object,
      want: 'error : unsupported attribute "c"',
    },
    { name: "an attribute twice", bytes: "82a162c0a162c0", type: object, want: 'error : unsupported attribute "b"' },
    {
      name: "too few attributes",
      bytes: "81a161c0",
      type: object,
      want: "error : an object with 2 attributes is required (1 given)",
    },
    {
      name: "a string where a number is wanted, with its place",
      bytes: "9201a178",
      type: ["list", "number"],
      want: "error [1]: number is required",
    },
    {
      name: "an end too early",
      bytes: "92a178",
      type: ["list", "string"],
      want: "error [1]: the data ends before the value does",
    },
    {
      name: "a length beyond the data",
      bytes: "ddffffffff",
      type: ["list", "string"],
      want: "error [0]: the data ends before the value does",
    },
    {
      name: "another extension",
      bytes: "d5010000",
      type: "string",
      want: "error : unsupported extension type 0x01 with len 2",
    },
    {
      name: "refinements that no value meets",
      bytes: "c7050c8205020601",
      type: ["list", "string"],
      want: "error : refinements that no value meets",
    },
    { name: "no number", bytes: "cb7ff8000000000000", type: "number", want: "error : number is required" },
    {
      name: "a dynamic value of no type",
      bytes: "92c40122c0",
      type: "dynamic",
      want: "error : the type of a dynamic value is not one",
    },
  ];
  test.each(cases)("$name", ({ bytes, type, want }) => {
    expect(read(bytes, type)).toBe(want);
  });
});

test("any bytes are read or refused", () => {
  const types: TypeNotation[] = ["dynamic", "string", ["list", "number"], ["object", { a: "string" }]];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(...types), (bytes, type) => {
      expect(typeof decodeMsgpack(bytes, typeOf(type)).ok).toBe("boolean");
    }),
    { seed: 83, numRuns: 3000 },
  );
});

test("a value that does not fit yet is converted first", () => {
  expect(hex(encodeMsgpack(valueOf(["tuple", [["n", "1"]]]), listType(stringType)))).toBe("91a131");
});

test("a marked value is a bug to send", () => {
  expect(() => encodeMsgpack(mark(stringValue("x"), "sensitive"), stringType)).toThrow(
    expect.objectContaining({ name: "Bug" }),
  );
});
