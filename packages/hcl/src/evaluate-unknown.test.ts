import { hasErrors } from "@millwright/core/diagnostics";
import { bigFloat } from "@millwright/value/number";
import { rawEquals } from "@millwright/value/operations";
import type { Type } from "@millwright/value/types";
import { isCollection, typeEquals } from "@millwright/value/types";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  asNumber,
  falseValue,
  isWhollyKnown,
  listValue,
  nullValue,
  numberValue,
  stringValue,
  trueValue,
  unknownValue,
} from "@millwright/value/value";
import fc from "fast-check";
import { expect, test } from "vitest";
import { languageFunctions } from "../test/language-functions.ts";
import { randomExpression } from "../test/random-expression.ts";
import { valueText } from "../test/value-text.ts";
import { evaluate } from "./evaluate.ts";
import { parseExpression } from "./parse.ts";
import { sourceFile } from "./source-file.ts";

/**
 * What each variable is while it is not known, and values that it may turn out to have. Their types are known: one that is
 * not may still change what the results of a conditional become.
 */
const variables: Readonly<Record<string, { readonly unknown: Value; readonly known: readonly Value[] }>> = {
  text: {
    unknown: unknownValue({ kind: "string" }),
    known: [nullValue({ kind: "string" }), ...["a", "", "web-1", "1", "true"].map(stringValue)],
  },
  named: {
    unknown: unknownValue({ kind: "string" }, { notNull: true, prefix: "web-" }),
    known: ["web-", "web-1"].map(stringValue),
  },
  count: {
    unknown: unknownValue(
      { kind: "number" },
      {
        notNull: true,
        minimum: { value: bigFloat(0), inclusive: true },
        maximum: { value: bigFloat(2), inclusive: true },
      },
    ),
    known: [0, 1, 2].map((n) => numberValue(n)),
  },
  flag: { unknown: unknownValue({ kind: "bool" }), known: [trueValue, falseValue] },
  list: {
    unknown: unknownValue(
      { kind: "list", element: { kind: "string" } },
      { notNull: true, minimumLength: 1, maximumLength: 2 },
    ),
    known: [["a"], ["a", "b"], ["x", "1"]].map((texts) => listValue(texts.map(stringValue))),
  },
};
const names = Object.keys(variables);
const whileUnknown = new Map(names.map((name) => [name, variables[name]!.unknown]));
const withAnything = new Map([...whileUnknown, ["anything", unknownValue({ kind: "dynamic" })]]);

const runs = { seed: 20260, numRuns: 4000 };

test("what is known of a value before its variables are known holds when they are", () => {
  const choices = fc.tuple(...names.map((name) => fc.constantFrom(...variables[name]!.known)));
  fc.assert(
    fc.property(randomExpression(names), choices, (text, chosen) => {
      const { value: expression, diagnostics } = parseExpression(sourceFile("random", text));
      expect(diagnostics).toEqual([]);
      const before = evaluate(expression, { variables: whileUnknown, functions: languageFunctions });
      const known = new Map(names.map((name, at) => [name, chosen[at]!]));
      const after = evaluate(expression, { variables: known, functions: languageFunctions });
      if (hasErrors(before.diagnostics) || hasErrors(after.diagnostics)) return;
      expect(isWhollyKnown(after.value)).toBe(true);
      expect(admits(before.value, after.value), `${valueText(before.value)} became ${valueText(after.value)}`).toBe(
        true,
      );
    }),
    runs,
  );
});

test("an expression is evaluated the same way every time, and without throwing", () => {
  fc.assert(
    fc.property(randomExpression([...withAnything.keys()]), (text) => {
      const { value: expression } = parseExpression(sourceFile("random", text));
      const scope = { variables: withAnything, functions: languageFunctions };
      const [first, second] = [evaluate(expression, scope), evaluate(expression, scope)];
      expect(rawEquals(first.value, second.value)).toBe(true);
      expect(first.diagnostics).toEqual(second.diagnostics);
    }),
    runs,
  );
});

/** Whether a value that is not wholly known may turn out to be `final`. */
function admits(value: Value, final: Value): boolean {
  const { data } = value;
  if (data instanceof Unknown) return admitsType(value.type, final.type) && withinRefinements(data, final);
  if (data === null || final.data === null) return data === final.data;
  if (data instanceof Map) {
    const entries = asMap(final);
    return (
      data.size === entries.size &&
      [...asMap(value)].every(([key, part]) => entries.has(key) && admits(part, entries.get(key)!))
    );
  }
  if (!Array.isArray(data)) return rawEquals(value, final);
  const elements = final.data as readonly Value[];
  // Unknown elements of a set may turn out to be one.
  if (value.type.kind === "set") return isWhollyKnown(value) ? rawEquals(value, final) : elements.length <= data.length;
  return data.length === elements.length && (data as readonly Value[]).every((part, at) => admits(part, elements[at]!));
}

function admitsType(type: Type, final: Type): boolean {
  if (type.kind === "dynamic" || typeEquals(type, final)) return true;
  if (isCollection(type) && isCollection(final))
    return type.kind === final.kind && admitsType(type.element, final.element);
  if (type.kind === "tuple" && final.kind === "tuple") {
    const { elements } = final;
    return (
      type.elements.length === elements.length && type.elements.every((part, at) => admitsType(part, elements[at]!))
    );
  }
  if (type.kind !== "object" || final.kind !== "object" || type.attributes.size !== final.attributes.size) return false;
  return [...type.attributes].every(([name, part]) => {
    const other = final.attributes.get(name);
    return other !== undefined && admitsType(part, other);
  });
}

function withinRefinements({ refinements = {} }: Unknown, final: Value): boolean {
  const { notNull, prefix = "", minimum, maximum, minimumLength = 0, maximumLength = Infinity } = refinements;
  if (final.data === null) return !notNull;
  if (final.type.kind === "string") return String(final.data).startsWith(prefix);
  if (final.type.kind === "number") {
    const number = asNumber(final);
    const above = !minimum || number.compare(minimum.value) > (minimum.inclusive ? -1 : 0);
    return above && (!maximum || number.compare(maximum.value) < (maximum.inclusive ? 1 : 0));
  }
  if (!isCollection(final.type)) return true;
  const size = final.data instanceof Map ? final.data.size : (final.data as readonly Value[]).length;
  return size >= minimumLength && size <= maximumLength;
}
