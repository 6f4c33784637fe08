import { numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  stringValue,
  trueValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { knownPlain, sensitivePlain, unknownPlain } from "./values-json.ts";

const unknown = unknownValue(stringType);
const secret = mark(stringValue("s"), sensitive);

describe("a value as plain JSON: what is known, where it is unknown, where it is sensitive", () => {
  const cases: readonly { name: string; value: Value; want: readonly [unknown, unknown, unknown] }[] = [
    { name: "a text", value: stringValue("a"), want: ["a", false, false] },
    { name: "a number", value: numberValue(2), want: [2, false, false] },
    { name: "a bool", value: trueValue, want: [true, false, false] },
    { name: "null", value: nullValue(stringType), want: [null, false, false] },
    { name: "an unknown text", value: unknown, want: [undefined, true, false] },
    { name: "a secret", value: secret, want: ["s", false, true] },
    { name: "an unknown secret", value: mark(unknown, sensitive), want: [undefined, true, true] },
    {
      name: "a list, where an unknown element is null",
      value: listValue([stringValue("a"), unknown, secret]),
      want: [
        ["a", null, "s"],
        [false, true, false],
        [false, false, true],
      ],
    },
    {
      name: "a tuple",
      value: tupleValue([numberValue(1), stringValue("a")]),
      want: [
        [1, "a"],
        [false, false],
        [false, false],
      ],
    },
    {
      name: "an object, where what there is nothing to say of is left out",
      value: objectValue({ a: stringValue("a"), b: unknown, c: secret }),
      want: [{ a: "a", c: "s" }, { b: true }, { c: true }],
    },
    {
      name: "a map that is a secret as a whole",
      value: mark(mapValue([["k", stringValue("a")]]), sensitive),
      want: [{ k: "a" }, {}, true],
    },
    {
      name: "an unknown object, which could have secrets inside",
      value: unknownValue(objectValue({ a: numberValue(1) }).type),
      want: [undefined, true, {}],
    },
    { name: "an unknown list", value: unknownValue(listValue([], numberType).type), want: [undefined, true, []] },
  ];
  for (const { name, value, want } of cases) {
    test(name, () => expect([knownPlain(value), unknownPlain(value), sensitivePlain(value)]).toStrictEqual(want));
  }
});

test("a fraction is written with all its digits", () => {
  expect(JSON.stringify({ n: knownPlain(numberValue(1.5)) })).toBe('{"n":1.5}');
});
