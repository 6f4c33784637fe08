import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bigFloat } from "./number.ts";
import { compareSetElements, sortKey } from "./set-order.ts";
import { boolType, dynamicType, numberType, stringType } from "./types.ts";
import type { Value } from "./value.ts";
import {
  asArray,
  boolValue,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "./value.ts";

const s = stringValue;
const n = (text: string) => numberValue(bigFloat(text));

describe("the order of a set", () => {
  const cases: { name: string; input: Value[]; want: Value[] }[] = [
    {
      name: "strings go by their bytes",
      input: [s("b"), s("B"), s("é"), s("a")],
      want: [s("B"), s("a"), s("b"), s("é")],
    },
    {
      name: "code points above the basic plane come last",
      input: [s("\u{1f600}"), s("\uffff")],
      want: [s("\uffff"), s("\u{1f600}")],
    },
    {
      name: "numbers go by size",
      input: [n("10"), n("9"), n("-1"), n("0.5")],
      want: [n("-1"), n("0.5"), n("9"), n("10")],
    },
    {
      name: "false goes before true",
      input: [boolValue(true), boolValue(false)],
      want: [boolValue(false), boolValue(true)],
    },
    {
      name: "unknown goes behind known, null behind unknown",
      input: [nullValue(stringType), unknownValue(stringType), s("x")],
      want: [s("x"), unknownValue(stringType), nullValue(stringType)],
    },
    { name: "repeats go", input: [s("a"), s("b"), s("a")], want: [s("a"), s("b")] },
    {
      name: "unknown elements never repeat each other",
      input: [unknownValue(stringType), unknownValue(stringType)],
      want: [unknownValue(stringType), unknownValue(stringType)],
    },
    {
      name: "numbers inside of objects are told apart beyond the ten digits that order them",
      input: [
        objectValue({ a: n("1.00000000002") }),
        objectValue({ a: n("1.00000000001") }),
        objectValue({ a: n("1.00000000002") }),
      ],
      want: [objectValue({ a: n("1.00000000002") }), objectValue({ a: n("1.00000000001") })],
    },
    {
      name: "numbers inside of objects go by their text",
      input: [objectValue({ a: n("9") }), objectValue({ a: n("10") })],
      want: [objectValue({ a: n("10") }), objectValue({ a: n("9") })],
    },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(asArray(setValue(input)).map(shown)).toEqual(want.map(shown));
  });

  test("marks of elements move to the set", () => {
    const set = setValue([mark(s("a"), "sensitive"), s("b")]);
    expect([...set.marks]).toEqual(["sensitive"]);
    expect(asArray(set).every((v) => v.marks.size === 0)).toBe(true);
  });

  test("a null of no type takes the type of the others", () => {
    const set = setValue([nullValue(dynamicType), s("b")]);
    expect(asArray(set).map((v) => v.type.kind)).toEqual(["string", "string"]);
  });

  test("it is total: the same set comes of any arrangement", () => {
    const leaf = fc.oneof(
      fc.string().map(s),
      fc.constantFrom(nullValue(stringType)),
      fc.string({ unit: "grapheme" }).map(s),
    );
    const element = fc
      .tuple(leaf, fc.array(leaf, { maxLength: 3 }))
      .map(([a, b]) => objectValue({ a, b: listValue(b, stringType) }));
    fc.assert(
      fc.property(fc.array(element, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (elements, chance) => {
        const shuffled = elements.map((v) => ({ v, at: chance.next().value! })).sort((a, b) => a.at - b.at);
        const type = objectValue({ a: s(""), b: listValue([], stringType) }).type;
        const one = asArray(setValue(elements, type));
        const other = asArray(
          setValue(
            shuffled.map(({ v }) => v),
            type,
          ),
        );
        expect(other.map(shown)).toEqual(one.map(shown));
        for (let i = 1; i < one.length; i++) expect(compareSetElements(one[i - 1]!, one[i]!)).toBeLessThanOrEqual(0);
      }),
      { seed: 5 },
    );
  });
});

test("the key of a compound element holds its values alone", () => {
  const value = objectValue({
    b: tupleValue([boolValue(true), nullValue(boolType), unknownValue(numberType)]),
    a: mapValue([["k\n", s('"é\u0085')]]),
  });
  expect(sortKey(value)).toBe('<{"k\\n":"\\"é\\u0085";};<T;~;?;>;>');
});

function shown(value: Value): string {
  return `${value.type.kind} ${sortKey(value)} ${value.type.kind === "object" && numberInside(value)}`;
}

function numberInside(value: Value): string {
  const a = (value.data as ReadonlyMap<string, Value>).get("a")!;
  return a.type.kind === "number"
    ? bigFloat("0")
        .add(a.data as ReturnType<typeof bigFloat>)!
        .toText()
    : "";
}
