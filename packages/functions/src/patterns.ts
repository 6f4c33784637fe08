import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Match, Regexp } from "@millwright/text/regexp";
import { compileRegexp } from "@millwright/text/regexp";
import type { Type } from "@millwright/value/types";
import { dynamicType, listType, objectType, stringType, tupleType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, isKnown, listValue, nullValue, objectValue, stringValue, tupleValue } from "@millwright/value/value";
import { notNull, refuse, stringFunction, text } from "./define.ts";

const regex: FunctionSpec = {
  name: "regex",
  description:
    "The first match of a regular expression (RE2): a string, or where it has groups, a tuple or an object of what they caught.",
  parameters: [text("pattern"), text("string")],
  returnType: ([pattern]) => (isKnown(pattern!) ? matchType(compiled(pattern!)) : dynamicType),
  refineResult: notNull,
  call: ([pattern, string]) => {
    const regexp = compiled(pattern!);
    const match = regexp.find(asString(string!));
    if (!match) refuse("pattern did not match any part of the given string");
    return matchValue(regexp, match);
  },
};

const regexall: FunctionSpec = {
  name: "regexall",
  description: "All matches of a regular expression (RE2) that do not overlap, in a list; each as regex gives it.",
  parameters: [text("pattern"), text("string")],
  returnType: ([pattern]) => listType(isKnown(pattern!) ? matchType(compiled(pattern!)) : dynamicType),
  refineResult: notNull,
  call: ([pattern, string], returnType) => {
    const regexp = compiled(pattern!);
    const matches = regexp.findAll(asString(string!));
    return listValue(
      matches.map((match) => matchValue(regexp, match)),
      (returnType as Extract<Type, { kind: "list" }>).element,
    );
  },
};

function compiled(pattern: Value): Regexp {
  const result = compileRegexp(asString(pattern));
  if (result.ok) return result.regexp;
  refuse(`invalid regexp pattern: ${codeAndPlace(result.error)}`, 0);
}

/** Go's ``error parsing regexp: CODE: `PLACE` `` as `CODE in PLACE`. */
function codeAndPlace(error: string): string {
  const [, code, place] = /^error parsing regexp: (.*?): `([^]*)`$/.exec(error) ?? [];
  return code === undefined ? error : `${code} in ${place}`;
}

function groupNames(regexp: Regexp): readonly (string | undefined)[] {
  return regexp.groupNames.slice(1);
}

function matchType(regexp: Regexp): Type {
  const names = groupNames(regexp);
  if (names.length === 0) return stringType;
  if (names.every((name) => name === undefined)) return tupleType(names.map(() => stringType));
  if (names.some((name) => name === undefined)) {
    refuse("invalid regexp pattern: cannot mix both named and unnamed capture groups", 0);
  }
  return objectType(names.map((name) => [name!, stringType] as const));
}

function matchValue(regexp: Regexp, match: Match): Value {
  const names = groupNames(regexp);
  if (names.length === 0) return stringValue(match.text);
  // A group that took no part has caught nothing, which is not the empty string.
  const caught = match.groups
    .slice(1)
    .map((group) => (group === undefined ? nullValue(stringType) : stringValue(group)));
  if (names[0] === undefined) return tupleValue(caught);
  return objectValue(names.map((name, i) => [name!, caught[i]!] as const));
}

const replace = stringFunction(
  {
    name: "replace",
    description:
      "The string with each occurrence of another replaced. A search string between slashes is a regular expression (RE2), and then $1 or $name stand for its groups.",
  },
  ["str", "substr", "replace"],
  (str, search, replacement) => {
    if (search!.length < 2 || !search!.startsWith("/") || !search!.endsWith("/"))
      return replaceAll(str!, search!, replacement!);
    const result = compileRegexp(search!.slice(1, -1));
    if (!result.ok) refuse(result.error);
    return result.regexp.replaceAll(str!, replacement!);
  },
);

function replaceAll(str: string, search: string, replacement: string): string {
  // JavaScript would put it between the halves of a surrogate pair.
  if (search === "") return ["", ...str, ""].join(replacement);
  return str.replaceAll(search, () => replacement);
}

export const patternFunctions: readonly FunctionSpec[] = [regex, regexall, replace];
