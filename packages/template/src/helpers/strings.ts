import { toLower, toUpper, trimSpace } from "@millwright/text/case";
import { compileRegexp } from "@millwright/text/regexp";
import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import type { CallResult } from "../value.ts";
import { TypedList, TypedMap } from "../value.ts";
import { elements, integer, ofTexts, text, tryTexts } from "./arguments.ts";
import { titleCase } from "./title-case.ts";

/** Texts longer than this are not made. */
const longest = 64 * 1024 * 1024;

export const stringFunctions: FunctionTable = new Map([
  ["indent", defineFunction({ parameters: ["int", "string"], call: ([n, s]) => indent(integer(n), text(s)) })],
  [
    "join",
    defineFunction({ parameters: ["string", "[]string"], call: ([sep, list]) => join(text(sep), elements(list)) }),
  ],
  ["regexMatch", tryTexts(2, (pattern, s) => match(pattern!, s!))],
  ["regexReplaceAll", tryTexts(3, (pattern, replacement, s) => replacePattern(pattern!, replacement!, s!))],
  ["replaceAll", tryTexts(3, (from, to, s) => replaceAll(from!, to!, s!))],
  ["split", ofTexts(2, (sep, s) => new TypedList(split(sep!, s!), "[]string"))],
  ["splitToMap", ofTexts(3, (outer, inner, s) => splitToMap(outer!, inner!, s!))],
  ["toLower", ofTexts(1, (s) => toLower(s!))],
  ["toTitle", ofTexts(1, (s) => titleCase(s!))],
  ["toUpper", ofTexts(1, (s) => toUpper(s!))],
  ["trim", ofTexts(2, (cutset, s) => trim(cutset!, s!))],
  ["trimPrefix", ofTexts(2, (prefix, s) => (s!.startsWith(prefix!) ? s!.slice(prefix!.length) : s!))],
  ["trimSpace", ofTexts(1, (s) => trimSpace(s!))],
  [
    "trimSuffix",
    ofTexts(2, (suffix, s) => (suffix !== "" && s!.endsWith(suffix!) ? s!.slice(0, -suffix!.length) : s!)),
  ],
]);

/** Spaces before each line that is not empty. */
function indent(spaces: bigint, s: string): CallResult {
  if (spaces < 0n) return failure("indent value must be a positive integer");
  const lines = s.split("\n");
  if (spaces * BigInt(lines.length) > BigInt(longest)) return failure(tooLong);
  const prefix = " ".repeat(Number(spaces));
  return answer(lines.map((line) => (line === "" ? "" : prefix + line)).join("\n"));
}

const tooLong = `the result exceeds the limit of ${longest} characters`;

function join(separator: string, list: readonly unknown[]): CallResult {
  return answer(list.map(String).join(separator));
}

function match(pattern: string, s: string): CallResult {
  const compiled = compileRegexp(pattern);
  return compiled.ok ? answer(compiled.regexp.test(s)) : failure(compiled.error);
}

function replacePattern(pattern: string, replacement: string, s: string): CallResult {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) return failure(compiled.error);
  if (replacement.length * (s.length + 1) > longest) {
    // A group can be no longer than the text, so this bounds the result only when it is really large.
    const matches = compiled.regexp.findAll(s);
    const most = matches.reduce((sum, found) => sum + replacement.length * (1 + found.text.length), s.length);
    if (most > longest) return failure(tooLong);
  }
  return answer(compiled.regexp.replaceAll(s, replacement));
}

/** Also between all characters, where there is nothing to look for; these are code points. */
function replaceAll(from: string, to: string, s: string): CallResult {
  const pieces = from === "" ? ["", ...s, ""] : s.split(from);
  if (to.length * (pieces.length - 1) + s.length > longest) return failure(tooLong);
  if (from !== "") return answer(pieces.join(to));
  return answer(to + Array.from(s, (character) => character + to).join(""));
}

function split(separator: string, s: string): string[] {
  const trimmed = trimSpace(s);
  if (trimmed === "") return [];
  return separator === "" ? Array.from(trimmed) : trimmed.split(separator);
}

function splitToMap(outer: string, inner: string, s: string): TypedMap {
  const entries = new Map<string, string>();
  for (const piece of split(outer, s)) {
    const at = piece.indexOf(inner);
    if (at >= 0) entries.set(piece.slice(0, at), piece.slice(at + inner.length));
  }
  return new TypedMap(entries, "map[string]string", "");
}

function trim(cutset: string, s: string): string {
  const cut = new Set(cutset);
  const characters = Array.from(s);
  let start = 0;
  let end = characters.length;
  while (start < end && cut.has(characters[start]!)) start++;
  while (end > start && cut.has(characters[end - 1]!)) end--;
  return characters.slice(start, end).join("");
}
