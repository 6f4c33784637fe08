import { stringType } from "@millwright/value/types";
import {
  dynamicValue,
  listValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
  type Value,
} from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { fulfils } from "./fulfils.ts";

const a = stringValue("a");
const b = stringValue("b");
const open = unknownValue(stringType);

describe("a value is what was planned", () => {
  const cases: readonly { name: string; planned: Value; now: Value; want: boolean }[] = [
    { name: "where it is equal", planned: a, now: a, want: true },
    { name: "not where it differs", planned: a, now: b, want: false },
    { name: "where nothing was known", planned: dynamicValue, now: numberValue(1), want: true },
    { name: "not where it has become unknown", planned: a, now: open, want: false },
    { name: "not where it has become null", planned: a, now: nullValue(stringType), want: false },
    { name: "whatever is secret", planned: mark(a, sensitive), now: a, want: true },
    {
      name: "where the known parts of an object are equal",
      planned: objectValue({ x: a, y: open }),
      now: objectValue({ x: a, y: b }),
      want: true,
    },
    {
      name: "not where a known part differs",
      planned: objectValue({ x: a, y: open }),
      now: objectValue({ x: b, y: b }),
      want: false,
    },
    { name: "not where a list has grown", planned: listValue([open]), now: listValue([a, b]), want: false },
    { name: "where a tuple is filled", planned: tupleValue([open, a]), now: tupleValue([b, a]), want: true },
    { name: "where a set of unknowns is filled", planned: setValue([open, a]), now: setValue([a, b]), want: true },
    { name: "not where a known set differs", planned: setValue([a]), now: setValue([b]), want: false },
  ];
  test.each(cases)("$name", ({ planned, now, want }) => expect(fulfils(planned, now)).toBe(want));
});
