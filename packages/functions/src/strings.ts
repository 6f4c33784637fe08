import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { toLower, toTitle, toUpper, trimSpace } from "@millwright/text/case";
import { countGraphemes, reverseGraphemes, sliceGraphemes } from "@millwright/text/graphemes";
import { refinementsOf } from "@millwright/value/refine";
import { listType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, boolValue, isKnown, listValue, stringValue, unknownValue } from "@millwright/value/value";
import { integerArgument, longestText, notNull, refuse, stringFunction, stringPredicate, text } from "./define.ts";

const chomp = stringFunction(
  { name: "chomp", description: "The string without the line breaks at its end." },
  ["str"],
  (str) => str!.replace(/[\r\n]+$/, ""),
);

const endswith = stringPredicate(
  { name: "endswith", description: "Whether the first string ends with the second." },
  ["str", "suffix"],
  (str, suffix) => str!.endsWith(suffix!),
);

const strcontains = stringPredicate(
  { name: "strcontains", description: "Whether the second string occurs in the first." },
  ["str", "substr"],
  (str, substr) => str!.includes(substr!),
);

const startswith: FunctionSpec = {
  name: "startswith",
  description: "Whether the first string begins with the second.",
  parameters: [{ ...text("str"), allowUnknown: true }, text("prefix")],
  returnType: { kind: "bool" },
  refineResult: notNull,
  call: ([str, wanted]) => {
    const prefix = asString(wanted!);
    if (isKnown(str!)) return boolValue(asString(str!).startsWith(prefix));
    // What is known of the beginning can be enough to tell.
    const known = refinementsOf(str!).prefix ?? "";
    if (known.startsWith(prefix)) return boolValue(true);
    return prefix.startsWith(known) ? unknownValue({ kind: "bool" }) : boolValue(false);
  },
};

const indent: FunctionSpec = {
  name: "indent",
  description: "The string with that many spaces put in front of every line but the first.",
  parameters: [{ name: "spaces", type: numberType }, text("str")],
  returnType: stringType,
  refineResult: notNull,
  call: ([spaces, str]) => {
    const count = integerArgument(spaces!);
    // The reference panics here.
    if (count < 0) refuse("the number of spaces must not be negative", 0);
    const lines = asString(str!).split("\n");
    if (count * (lines.length - 1) > longestText) refuse("the result would be too long", 0);
    return stringValue(lines.join(`\n${" ".repeat(count)}`));
  },
};

const join: FunctionSpec = {
  name: "join",
  description: "The elements of the given lists of strings in one string, with a separator between them.",
  parameters: [text("separator")],
  variadic: { name: "lists", type: listType(stringType) },
  returnType: stringType,
  refineResult: notNull,
  call: ([separator, ...lists]) => {
    if (lists.length === 0) refuse("at least one list is required");
    const parts: string[] = [];
    for (const [index, list] of lists.entries()) {
      for (const [place, element] of (list.data as readonly Value[]).entries()) {
        if (!isKnown(element)) return unknownValue(stringType);
        if (element.data === null) {
          const where = lists.length > 1 ? `element ${place} of list ${index + 1}` : `element ${place}`;
          refuse(`${where} is null; cannot concatenate null values`, index + 1);
        }
        parts.push(asString(element));
      }
    }
    return stringValue(parts.join(asString(separator!)));
  },
};

const split: FunctionSpec = {
  name: "split",
  description: "The pieces of a string between the places where a separator occurs, as a list.",
  parameters: [text("separator"), text("str")],
  returnType: listType(stringType),
  refineResult: notNull,
  call: ([separator, str]) => {
    const by = asString(separator!);
    const whole = asString(str!);
    // An empty separator splits behind every character.
    const pieces = by === "" ? [...whole] : whole.split(by);
    return listValue(pieces.map(stringValue), stringType);
  },
};

const lower = stringFunction(
  { name: "lower", description: "The string with all its letters made small." },
  ["str"],
  (str) => toLower(str!),
);

const upper = stringFunction(
  { name: "upper", description: "The string with all its letters made capital." },
  ["str"],
  (str) => toUpper(str!),
);

const title = stringFunction(
  { name: "title", description: "The string with the first letter of every word made capital." },
  ["str"],
  (str) => toTitle(str!),
);

const strrev = stringFunction(
  { name: "strrev", description: "The string with its characters (grapheme clusters) in reverse order." },
  ["str"],
  (str) => reverseGraphemes(str!),
);

const substr: FunctionSpec = {
  name: "substr",
  description:
    "The part of a string from an offset on, of at most some length, both in characters (grapheme clusters). A negative offset counts from the end, the length -1 means all of the rest.",
  parameters: [
    { ...text("str"), allowDynamicType: true },
    { name: "offset", type: numberType, allowDynamicType: true },
    { name: "length", type: numberType, allowDynamicType: true },
  ],
  returnType: stringType,
  refineResult: notNull,
  call: ([str, offset, length]) => {
    const whole = asString(str!);
    const from = integerArgument(offset!);
    const count = integerArgument(length!);
    if (from >= 0 && count === 0) return stringValue("");
    const start = from < 0 ? Math.max(0, from + countGraphemes(whole)) : from;
    // With a negative offset the reference takes a length of zero as no limit.
    return stringValue(sliceGraphemes(whole, start, count <= 0 ? undefined : start + count));
  },
};

const trim = stringFunction(
  { name: "trim", description: "The string without any of the given characters at its start and end." },
  ["str", "cutset"],
  (str, cutset) => {
    const cut = new Set(cutset);
    const characters = [...str!];
    let start = 0;
    let end = characters.length;
    while (start < end && cut.has(characters[start]!)) start++;
    while (end > start && cut.has(characters[end - 1]!)) end--;
    return characters.slice(start, end).join("");
  },
);

const trimprefix = stringFunction(
  { name: "trimprefix", description: "The string without a prefix, where it has it." },
  ["str", "prefix"],
  (str, prefix) => (str!.startsWith(prefix!) ? str!.slice(prefix!.length) : str!),
);

const trimsuffix = stringFunction(
  { name: "trimsuffix", description: "The string without a suffix, where it has it." },
  ["str", "suffix"],
  (str, suffix) => (str!.endsWith(suffix!) ? str!.slice(0, str!.length - suffix!.length) : str!),
);

const trimspace = stringFunction(
  { name: "trimspace", description: "The string without the white space at its start and end." },
  ["str"],
  (str) => trimSpace(str!),
);

export const stringFunctions: readonly FunctionSpec[] = [
  chomp,
  endswith,
  indent,
  join,
  lower,
  split,
  startswith,
  strcontains,
  strrev,
  substr,
  title,
  trim,
  trimprefix,
  trimspace,
  trimsuffix,
  upper,
];
