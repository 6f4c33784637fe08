import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { BigNumber } from "./float.ts";
import { sprintf } from "./printf.ts";
import type { PrintfValue } from "./printf-value.ts";
import { typeName } from "./printf-value.ts";

/** `n` × 2^-k or an infinity as package `value` would hand it over. */
function bigNumber(text: string): BigNumber {
  const known: Record<string, { mantissa: bigint; exponent: number }> = {
    "0": { mantissa: 0n, exponent: 0 },
    "1.25": { mantissa: 5n, exponent: -2 },
    "123456789.5": { mantissa: 246913579n, exponent: -1 },
    "1e100": { mantissa: 10n ** 100n, exponent: 0 },
    "0.1": nearest(1n, 10n),
    "-1e-9": nearest(-1n, 10n ** 9n),
  };
  const plain: Record<string, string> = { "1e100": `1${"0".repeat(100)}`, "-1e-9": "-0.000000001" };
  return {
    isNegative: text.startsWith("-"),
    isFinite: !text.endsWith("Inf"),
    parts: () => known[text]!,
    toText: () => plain[text] ?? text,
  };
}

/** A fraction to well over 512 bits. */
function nearest(numerator: bigint, denominator: bigint): { mantissa: bigint; exponent: number } {
  return { mantissa: (numerator << 700n) / denominator, exponent: -700 };
}

function value(text: string): PrintfValue {
  const rest = text.slice(2);
  switch (text[0]) {
    case "i":
      return { kind: "integer", value: BigInt(rest), type: "int64" };
    case "f":
      return { kind: "float", value: Number(rest.replace("Inf", "Infinity")) };
    case "s":
      return { kind: "string", value: rest };
    case "b":
      return { kind: "bool", value: rest === "true" };
    case "I":
      return { kind: "bigInteger", value: BigInt(rest) };
    case "B":
      return { kind: "bigFloat", value: bigNumber(rest) };
    case "l":
      return { kind: "list", elements: rest.split(",").map((element) => ({ kind: "string", value: element })) };
    default:
      return { kind: "nil" };
  }
}

test("sprintf writes what Go wrote for a table of every verb, flag and complaint", () => {
  const table = JSON.parse(readFileSync(new URL("../testdata/printf.json", import.meta.url), "utf8")) as [
    string,
    string[],
    string,
  ][];
  expect(table.length).toBeGreaterThan(800);
  for (const [format, args, want] of table) {
    expect([format, args, sprintf(format, args.map(value))]).toEqual([format, args, want]);
  }
});

describe("sprintf", () => {
  const one: PrintfValue = { kind: "integer", value: 1n };
  const list: PrintfValue = { kind: "list", elements: [one, { kind: "nil" }, { kind: "string", value: "a" }] };
  const map: PrintfValue = {
    kind: "map",
    entries: [
      ["b", one],
      ["a", { kind: "string", value: "x" }],
    ],
  };
  const cases = [
    { name: "writes a list with spaces", format: "%v", input: list, want: "[1 <nil> a]" },
    {
      name: "writes a list as Go source",
      format: "%#v",
      input: list,
      want: '[]interface {}{1, interface {}(nil), "a"}',
    },
    { name: "writes a map in the order of its keys", format: "%v", input: map, want: "map[a:x b:1]" },
    { name: "writes a map as Go source", format: "%#v", input: map, want: 'map[string]interface {}{"a":"x", "b":1}' },
    {
      name: "applies a verb to each element",
      format: "%03d",
      input: { kind: "list", elements: [one, one] } as PrintfValue,
      want: "[001 001]",
    },
    {
      name: "names a given type",
      format: "%T",
      input: { kind: "string", value: "", type: "main.Name" } as PrintfValue,
      want: "main.Name",
    },
  ];
  test.each(cases)("$name", ({ format, input, want }) => {
    expect(sprintf(format, [input])).toBe(want);
  });

  test("names what is left over", () => {
    expect(sprintf("a", [one, { kind: "nil" }])).toBe("a%!(EXTRA int=1, <nil>)");
    expect(typeName(map)).toBe("map[string]interface {}");
  });
});

test("a struct is printed with its fields, a nil inside something by any verb as <nil>", () => {
  const fields = [
    ["Name", { kind: "string", value: "web" }],
    ["Port", { kind: "integer", value: 80n }],
  ] as const;
  const struct: PrintfValue = { kind: "struct", fields, type: "main.S" };
  expect(sprintf("%v %+v %T", [struct, struct, struct])).toBe("{web 80} {Name:web Port:80} main.S");
  expect(sprintf("%#v", [struct])).toBe('main.S{Name:"web", Port:80}');
  expect(sprintf("%v", [{ ...struct, type: "*main.S", isPointer: true }])).toBe("&{web 80}");
  expect(sprintf("%d", [{ kind: "list", elements: [{ kind: "nil" }] }])).toBe("[<nil>]");
});
