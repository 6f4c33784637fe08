import type { BigNumber, FloatVerb } from "./float.ts";
import { doubleParts, formatFloat } from "./float.ts";
import type { Directive } from "./printf-directive.ts";
import { pad } from "./printf-text.ts";
import { isPrintable, quoteCharacter, quoteCharacterToAscii } from "./quote.ts";

/** An integer by one of the verbs that Go's integers have (`v d b o O x X c q U`); undefined for another. */
export function formatInteger(directive: Directive, value: bigint): string | undefined {
  switch (directive.verb) {
    case "v":
    case "d":
      return formatDigits(directive, value, 10, "");
    case "b":
      return formatDigits(directive, value, 2, directive.sharp ? "0b" : "");
    case "o":
      return formatDigits(directive, value, 8, directive.sharp ? "0" : "");
    case "O":
      return formatDigits(directive, value, 8, directive.sharp ? "0o0" : "0o");
    case "x":
    case "X":
      return formatDigits(directive, value, 16, directive.sharp ? `0${directive.verb}` : "");
    case "c":
      return pad(directive, toCharacter(value));
    case "q": {
      const character = toCharacter(value);
      return pad(directive, directive.plus ? quoteCharacterToAscii(character) : quoteCharacter(character));
    }
    case "U":
      return formatUnicode(directive, value);
    default:
      return undefined;
  }
}

/** A double by one of the verbs that Go's floats have (`v e E f F g G b x X`); undefined for another. */
export function formatDouble(directive: Directive, value: number): string | undefined {
  const { verb } = directive;
  const text = doubleText(directive, value);
  if (text === undefined) return undefined;
  const signed = /^[-+]/.test(text) ? text : `+${text}`;
  const sign = signed[0] === "+" && directive.space && !directive.plus ? " " : signed[0]!;
  if (!Number.isFinite(value)) {
    const isShown = sign !== "+" || directive.plus;
    return pad({ ...directive, zero: false }, (isShown ? sign : Number.isNaN(value) ? "" : "+") + signed.slice(1));
  }
  const body = directive.sharp && verb !== "b" ? withPoint(directive, signed.slice(1)) : signed.slice(1);
  if (!directive.plus && sign === "+") return pad(directive, body);
  const missing = (directive.width ?? 0) - 1 - body.length;
  if (directive.zero && !directive.minus && missing > 0) return sign + "0".repeat(missing) + body;
  return pad(directive, sign + body);
}

/** A `*big.Int`, which knows `b o O d s v x X` and pads by its own rules. */
export function formatBigInteger(directive: Directive, value: bigint): string {
  const base = { b: 2, o: 8, O: 8, d: 10, s: 10, v: 10, x: 16, X: 16 }[directive.verb];
  if (base === undefined) return `%!${directive.verb}(big.Int=${value})`;
  const digits = digitsOf(value, base, directive.verb === "X");
  const { precision } = directive;
  if (precision === 0 && value === 0n) return "";
  const prefix = directive.sharp ? ({ b: "0b", o: "0", x: "0x", X: "0X" }[directive.verb] ?? "") : "";
  const start = bigSignOf(directive, value < 0n) + (directive.verb === "O" ? "0o" : prefix);
  const text = start + digits.padStart(precision ?? 0, "0");
  const width = directive.width ?? 0;
  if (directive.minus) return text.padEnd(width);
  if (directive.zero && precision === undefined) return start + digits.padStart(width - start.length, "0");
  return text.padStart(width);
}

/** A `*big.Float`, which pads by its own rules. Of its verbs these are here: `e E f F g G v`. */
export function formatBigFloat(directive: Directive, value: BigNumber): string {
  const verb = directive.verb === "v" ? "g" : directive.verb;
  if (!isFloatVerb(verb)) return `%!${directive.verb}(*big.Float=${formatFloat(value, "g", 10)})`;
  const text = formatFloat(value, verb, directive.precision ?? (verb === "g" || verb === "G" ? undefined : 6));
  const isNegative = text.startsWith("-");
  const body = text.replace(/^[-+]/, "");
  // An infinity shows its sign always; a space flag turns its plus into a space.
  const sign = text.startsWith("+") ? (directive.space ? " " : "+") : bigSignOf(directive, isNegative);
  const width = directive.width ?? 0;
  if (directive.zero && value.isFinite) return sign + body.padStart(width - sign.length, "0");
  return directive.minus ? (sign + body).padEnd(width) : (sign + body).padStart(width);
}

function isFloatVerb(verb: string): verb is FloatVerb {
  return verb.length === 1 && "eEfFgG".includes(verb);
}

function signOf(directive: Directive, negative: boolean): string {
  return negative ? "-" : directive.plus ? "+" : directive.space ? " " : "";
}

/** Values that format themselves see the plus of `%+v` too. */
function bigSignOf(directive: Directive, negative: boolean): string {
  return signOf({ ...directive, plus: directive.plus || directive.detailed }, negative);
}

function digitsOf(value: bigint, base: number, upper: boolean): string {
  const digits = (value < 0n ? -value : value).toString(base);
  return upper ? digits.toUpperCase() : digits;
}

function formatDigits(directive: Directive, value: bigint, base: number, prefix: string): string {
  const { precision, width } = directive;
  const sign = signOf(directive, value < 0n);
  if (precision === 0 && value === 0n) return pad({ ...directive, zero: false }, "");
  const fillsWithZeros = precision === undefined && directive.zero && !directive.minus && width !== undefined;
  const least = precision ?? (fillsWithZeros ? width - sign.length : 0);
  const digits = digitsOf(value, base, directive.verb === "X").padStart(least, "0");
  // An octal's leading zero is not written twice.
  const start = base === 8 && prefix.endsWith("0") && digits.startsWith("0") ? prefix.slice(0, -1) : prefix;
  return pad({ ...directive, zero: false }, sign + start + digits);
}

function toCharacter(value: bigint): string {
  const isCharacter = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(value)) : "\ufffd";
}

function formatUnicode(directive: Directive, value: bigint): string {
  const code = BigInt.asUintN(64, value);
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, directive.precision ?? 0), "0");
  const character = toCharacter(code);
  const isShown = directive.sharp && isPrintable(character) && BigInt(character.codePointAt(0)!) === code;
  return pad({ ...directive, zero: false }, `U+${digits}${isShown ? ` '${character}'` : ""}`);
}

function doubleText(directive: Directive, value: number): string | undefined {
  const { verb, precision } = directive;
  if (isFloatVerb(verb)) return formatFloat(value, verb, precision ?? (verb === "g" || verb === "G" ? undefined : 6));
  if (verb === "v") return formatFloat(value, "g", precision);
  if (!Number.isFinite(value))
    return verb === "b" || verb === "x" || verb === "X" ? formatFloat(value, "g") : undefined;
  if (verb === "b") return binaryText(value);
  if (verb === "x" || verb === "X") return hexText(value, verb, precision);
  return undefined;
}

/** Mantissa and binary exponent as two decimal integers. */
function binaryText(value: number): string {
  const { mantissa, exponent } = doubleParts(value);
  const sign = Object.is(value, -0) ? "-" : "";
  return `${sign}${mantissa}p${exponent < 0 ? "" : "+"}${exponent}`;
}

/** `0x1.8p+01`: a hexadecimal mantissa with one bit before the point, rounded to `precision` digits, half to even. */
function hexText(value: number, verb: "x" | "X", precision: number | undefined): string {
  const parts = doubleParts(value);
  let size = parts.mantissa < 0n ? -parts.mantissa : parts.mantissa;
  let exponent = size === 0n ? 0 : parts.exponent + 52;
  while (size !== 0n && size < 1n << 52n) {
    size <<= 1n;
    exponent--;
  }
  if (precision !== undefined && precision < 13) {
    const drop = BigInt(4 * (13 - precision));
    const rest = size & ((1n << drop) - 1n);
    const half = 1n << (drop - 1n);
    const kept = size >> drop;
    size = (rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept) << drop;
    if (size >> 53n) {
      size >>= 1n;
      exponent++;
    }
  }
  const all = (size & ((1n << 52n) - 1n)).toString(16).padStart(13, "0");
  const fraction = precision === undefined ? all.replace(/0+$/, "") : all.slice(0, precision).padEnd(precision, "0");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  const text = `${sign}0x${size >> 52n}${fraction === "" ? "" : `.${fraction}`}p${power}`;
  return verb === "X" ? text.toUpperCase() : text;
}

/** The sharp flag: always a decimal point, and for `g` the zeros up to its precision. */
function withPoint(directive: Directive, text: string): string {
  const { verb, precision } = directive;
  const isHex = verb === "x" || verb === "X";
  const tailStart = text.search(isHex ? /[pP]/ : /[eE]/);
  const number = tailStart < 0 ? text : text.slice(0, tailStart);
  const tail = tailStart < 0 ? "" : text.slice(tailStart);
  const hasPoint = number.includes(".");
  const countsDigits = verb === "v" || verb === "g" || verb === "G" || verb === "x";
  let missing = countsDigits ? (precision ?? 6) : 0;
  missing -= number.replace(".", "").replace(/^0+/, "").length;
  if (!hasPoint && number === "0") missing--;
  return number + (hasPoint ? "" : ".") + "0".repeat(Math.max(0, missing)) + tail;
}
