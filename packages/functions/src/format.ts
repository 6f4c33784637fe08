import { formatFloat } from "@millwright/text/float";
import { countGraphemes, sliceGraphemes } from "@millwright/text/graphemes";
import { sprintf } from "@millwright/text/printf";
import { quote, quoteCharacter } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { encodeSimple, whyNotJson } from "@millwright/value/json";
import type { Type } from "@millwright/value/types";
import { boolType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asBool, asNumber, asString, isNull, stringValue } from "@millwright/value/value";
import { longestText, refuse } from "./define.ts";

/** One `%…` of a format string. */
interface Verb {
  readonly letter: string;
  /** All of it, as written. */
  readonly raw: string;
  /** Where it begins, in bytes. */
  readonly offset: number;
  readonly sharp: boolean;
  readonly zero: boolean;
  readonly minus: boolean;
  readonly width: number | undefined;
  readonly precision: number;
}

const verbForm =
  /%(?<flags>[0#\-+ ]*)(?<width>[1-9][0-9]*)?(?:\.(?<precision>[0-9]*))?(?:\[(?<argument>[1-9][0-9]*)\])?(?<letter>[a-zA-Z])/y;
/** As much of a verb as could still become one. */
const verbBeginning = /%[0#\-+ ]*(?:[1-9][0-9]*)?(?:\.[0-9]*)?(?:\[(?:[1-9][0-9]*\]?)?)?/y;

/**
 * The text that a format string makes of values: Go's verbs `v # d b o x X e E f g G s q t` with flags, width, precision
 * and argument numbers (`%[2]s`). Refuses verbs and values that do not fit, and values that are not used.
 */
export function formatText(format: string, args: readonly Value[]): string {
  let result = "";
  let next = 1;
  let highest = 0;
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf("%", at);
    if (percent < 0 || format[percent + 1] === "%") {
      result += format.slice(at, percent < 0 ? undefined : percent + 1);
      at = percent < 0 ? format.length : percent + 2;
      continue;
    }
    result += format.slice(at, percent);
    const { verb, argument = next, end } = readVerb(format, percent);
    highest = Math.max(highest, argument);
    result += formatArgument(verb, argument, args);
    next = argument + 1;
    at = end;
  }
  if (highest < args.length) {
    const used = highest === 0 ? "no verbs in format string" : `only ${highest} used by format string`;
    refuse(`too many arguments; ${used}`, highest + 1);
  }
  return result;
}

function readVerb(format: string, start: number): { verb: Verb; argument?: number; end: number } {
  const offset = byteLength(format.slice(0, start));
  verbForm.lastIndex = start;
  const found = verbForm.exec(format);
  if (!found) return refuseVerb(format, start);
  const { flags = "", width, precision, argument, letter = "" } = found.groups ?? {};
  if (Number(width ?? 0) > longestText || Number(precision ?? 0) > longestText) {
    refuse(`the width or precision of ${quote(found[0])} at ${offset} is too large`);
  }
  const verb: Verb = {
    letter,
    raw: found[0],
    offset,
    sharp: flags.includes("#"),
    zero: flags.includes("0"),
    minus: flags.includes("-"),
    width: width === undefined ? undefined : Number(width),
    precision: Number(precision ?? 0),
  };
  return { verb, end: verbForm.lastIndex, ...(argument === undefined ? {} : { argument: Number(argument) }) };
}

function refuseVerb(format: string, start: number): never {
  verbBeginning.lastIndex = start;
  verbBeginning.exec(format);
  const end = verbBeginning.lastIndex;
  const offset = byteLength(format.slice(0, end));
  const code = format.codePointAt(end);
  if (code === undefined) refuse(`invalid format string starting at offset ${offset}`);
  refuse(`unrecognized format character ${quoteCharacter(String.fromCodePoint(code))} at offset ${offset}`);
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

function formatArgument(verb: Verb, argument: number, args: readonly Value[]): string {
  const value = args[argument - 1];
  const what = `${quote(verb.raw)} at ${verb.offset}`;
  if (!value) refuse(`not enough arguments for ${what}: need index ${argument} but have ${args.length} total`);
  if (verb.letter !== "v" && isNull(value)) refuse(`unsupported value for ${what}: null value cannot be formatted`);
  switch (verb.letter) {
    case "v":
      return pad(verb, asIs(verb, value));
    case "t":
      return String(asBool(converted(verb, value, boolType)));
    case "b":
    case "d":
    case "o":
    case "x":
    case "X":
      return formatInteger(verb, converted(verb, value, numberType));
    case "e":
    case "E":
    case "f":
    case "g":
    case "G":
      return sprintf(withoutIndex(verb), [{ kind: "bigFloat", value: asNumber(converted(verb, value, numberType)) }]);
    case "s":
    case "q":
      return formatString(verb, asString(converted(verb, value, stringType)));
    default: {
      const letter = quoteCharacter(verb.letter);
      return refuse(`unsupported format verb ${letter} in ${quote(verb.raw)} at offset ${verb.offset}`);
    }
  }
}

function converted(verb: Verb, value: Value, type: Type): Value {
  const result = convert(value, type);
  return result.ok ? result.value : refuseValue(verb, result.message);
}

function refuseValue(verb: Verb, why: string): never {
  refuse(`unsupported value for ${quote(verb.raw)} at ${verb.offset}: ${why}`);
}

/** Strings and numbers as they are, everything else (and with `#` those too) as JSON. */
function asIs(verb: Verb, value: Value): string {
  if (!verb.sharp && !isNull(value)) {
    if (value.type.kind === "string") return asString(value);
    if (value.type.kind === "number") return formatFloat(asNumber(value), "g");
  }
  const why = whyNotJson(value);
  return why === undefined ? encodeSimple(value) : refuseValue(verb, why);
}

function formatInteger(verb: Verb, value: Value): string {
  const whole = asNumber(value).toBigInt();
  if (whole === undefined) refuseValue(verb, "an integer is required");
  return sprintf(withoutIndex(verb), [{ kind: "bigInteger", value: whole }]);
}

function withoutIndex({ raw }: Verb): string {
  return raw.replace(/\[[0-9]+\]/, "");
}

/** Width and precision count grapheme clusters; a precision of zero is none. */
function formatString(verb: Verb, text: string): string {
  const cut = verb.precision > 0 ? sliceGraphemes(text, 0, verb.precision) : text;
  return pad(verb, verb.letter === "q" ? encodeSimple(stringValue(cut)) : cut);
}

function pad({ width = 0, zero, minus }: Verb, text: string): string {
  const padding = (zero ? "0" : " ").repeat(Math.max(0, width - countGraphemes(text)));
  return minus ? text + padding : padding + text;
}
