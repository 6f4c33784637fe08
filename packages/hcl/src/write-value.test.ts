import {
  boolValue,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { numberType, stringType } from "@millwright/value/types";
import { describe, expect, test } from "vitest";
import { writeValue } from "./write-value.ts";

describe("writeValue", () => {
  const cases = [
    { name: "quotes text", input: stringValue('a "${b}"\n'), want: '"a \\"$${b}\\"\\n"' },
    { name: "writes numbers in full", input: numberValue(1e21), want: "1000000000000000000000" },
    { name: "writes negative numbers", input: numberValue(-2.5), want: "-2.5" },
    {
      name: "writes truth and nothing",
      input: tupleValue([boolValue(true), nullValue(stringType)]),
      want: "[true, null]",
    },
    {
      name: "writes lists and sets in brackets",
      input: tupleValue([listValue([], stringType), setValue([numberValue(2), numberValue(1)])]),
      want: "[[], [1, 2]]",
    },
    { name: "writes an empty map on one line", input: mapValue([], stringType), want: "{}" },
    {
      name: "aligns the attributes of an object, each on its line",
      input: objectValue({
        a: numberValue(1),
        "long name": mapValue([["k", stringValue("v")]]),
        c: listValue([objectValue({ x: numberValue(1) })]),
      }),
      want: '{\n  a = 1\n  c = [{\n    x = 1\n  }]\n  "long name" = {\n    k = "v"\n  }\n}',
    },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(writeValue(input)).toBe(want);
  });

  test("does not write what is not known, or secret", () => {
    expect(() => writeValue(unknownValue(numberType))).toThrow("unknown");
    expect(() => writeValue({ ...stringValue("x"), marks: new Set(["sensitive"]) })).toThrow("marked");
  });
});
