import { describe, expect, test } from "vitest";
import type { RefinementNotation, TypeNotation } from "../test/notation.ts";
import { refinementsOf as notation, show, typeOf, valueOf } from "../test/notation.ts";
import { definitelyNotNull, refine, refinementsOf, refinePrefix, safePrefix } from "./refine.ts";
import { boolType, dynamicType, listType, numberType, stringType } from "./types.ts";
import { dynamicValue, mark, nullValue, numberValue, stringValue, unknownValue } from "./value.ts";

describe("refining an unknown value", () => {
  const cases: { name: string; type: TypeNotation; steps: RefinementNotation[]; want: string }[] = [
    { name: "it may be not null", type: "bool", steps: [{ notNull: true }], want: 'unk("bool")+notnull' },
    {
      name: "the longer prefix stays",
      type: "string",
      steps: [{ prefix: "ab" }, { prefix: "a" }],
      want: 'unk("string")+prefix"ab"',
    },
    {
      name: "the tighter bound stays",
      type: "number",
      steps: [{ min: ["1", true] }, { min: ["2", true] }],
      want: 'unk("number")+min2true',
    },
    {
      name: "of equal bounds the exclusive one stays",
      type: "number",
      steps: [{ max: ["1", true] }, { max: ["1", false] }],
      want: 'unk("number")+max1false',
    },
    {
      name: "whichever came first",
      type: "number",
      steps: [{ max: ["1", false] }, { max: ["1", true] }],
      want: 'unk("number")+max1false',
    },
    { name: "an infinite bound is none", type: "number", steps: [{ min: ["-inf", true] }], want: 'unk("number")' },
    {
      name: "a number between equal bounds is that number",
      type: "number",
      steps: [{ notNull: true }, { min: ["3", true], max: ["3", true] }],
      want: "3",
    },
    {
      name: "unless it may be null",
      type: "number",
      steps: [{ min: ["3", true], max: ["3", true] }],
      want: 'unk("number")+min3true+max3true',
    },
    {
      name: "a map of no elements is known",
      type: ["map", "string"],
      steps: [{ notNull: true, maxLen: 0 }],
      want: 'map("string"){}',
    },
    {
      name: "a list of two has two unknown elements",
      type: ["list", "string"],
      steps: [{ notNull: true, minLen: 2, maxLen: 2 }],
      want: 'list("string")[unk("string"),unk("string")]',
    },
    {
      name: "a set of one has one unknown element",
      type: ["set", "string"],
      steps: [{ notNull: true, minLen: 1, maxLen: 1 }],
      want: 'set("string")[unk("string")]',
    },
    {
      name: "a set of two stays unknown",
      type: ["set", "string"],
      steps: [{ notNull: true, minLen: 2, maxLen: 2 }],
      want: 'unk(["set","string"])+notnull+minlen2+maxlen2',
    },
    {
      name: "what does not concern the type is left out",
      type: "bool",
      steps: [{ prefix: "a", minLen: 1 }],
      want: 'unk("bool")',
    },
  ];
  test.each(cases)("$name", ({ type, steps, want }) => {
    const refined = steps.reduce((value, step) => refine(value, notation(step)), unknownValue(typeOf(type)));
    expect(show(refined)).toBe(want);
  });

  test("an unknown value of which everything is known at once is known", () => {
    expect(show(unknownValue(listType(stringType), { notNull: true, maximumLength: 0 }))).toBe('list("string")[]');
  });

  test("marks stay, also where a known value comes out", () => {
    const value = mark(unknownValue(listType(stringType)), "sensitive");
    expect(show(refine(value, { notNull: true, maximumLength: 0 }))).toBe('list("string")[]!sensitive');
  });

  test("a known value, and one of unknown type, come back as they are", () => {
    const known = stringValue("x");
    expect(refine(known, { notNull: true, prefix: "x" })).toBe(known);
    expect(refine(dynamicValue, { notNull: true })).toBe(dynamicValue);
  });

  test("refinements that exclude each other are a bug", () => {
    const bug = expect.objectContaining({ name: "Bug" });
    expect(() => refine(nullValue(boolType), { notNull: true })).toThrow(bug);
    expect(
      () =>
        refine(unknownValue(stringType), { prefix: "a" }) &&
        refine(valueOf(["unk", "string", { prefix: "a" }]), { prefix: "b" }),
    ).toThrow(bug);
    expect(() => refine(valueOf(["unk", "number", { min: ["2", true] }]), notation({ max: ["1", true] }))).toThrow(bug);
    expect(() => refine(valueOf(["unk", ["list", "string"], { minLen: 2 }]), { maximumLength: 1 })).toThrow(bug);
  });
});

describe("the prefix that is safe from what follows", () => {
  const cases: { name: string; input: string; want: string }[] = [
    { name: "nothing of nothing", input: "", want: "" },
    { name: "a letter may get an accent", input: "foo", want: "fo" },
    { name: "a digit may get a variation selector", input: "a1", want: "a" },
    { name: "a delimiter ends a cluster", input: "https://", want: "https://" },
    { name: "so does a hyphen", input: "app-", want: "app-" },
    { name: "an accent is part of its letter", input: "xe\u0301", want: "x" },
    { name: "a family is one cluster", input: "a-\u{1f468}\u200d\u{1f469}", want: "a-" },
    { name: "an accented delimiter is none", input: "a.\u0301", want: "a" },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(safePrefix(input)).toBe(want);
  });

  test("a value is refined by the safe part alone", () => {
    expect(show(refinePrefix(unknownValue(stringType), "foo"))).toBe('unk("string")+prefix"fo"');
    expect(show(refinePrefix(unknownValue(stringType), "f"))).toBe('unk("string")');
  });
});

test("what is known of a known value are the narrowest refinements that hold for it", () => {
  expect(refinementsOf(stringValue("ab"))).toEqual({ notNull: true, prefix: "ab" });
  expect(refinementsOf(valueOf(["list", "bool", [["b", true]]]))).toEqual({
    notNull: true,
    minimumLength: 1,
    maximumLength: 1,
  });
  expect(refinementsOf(numberValue(2)).minimum?.value.toText()).toBe("2");
  expect(refinementsOf(nullValue(numberType))).toEqual({});
});

test("a null of any type may be null, a refined unknown may not", () => {
  expect(definitelyNotNull(nullValue(dynamicType))).toBe(false);
  expect(definitelyNotNull(unknownValue(boolType))).toBe(false);
  expect(definitelyNotNull(unknownValue(boolType, { notNull: true }))).toBe(true);
  expect(definitelyNotNull(stringValue(""))).toBe(true);
});
