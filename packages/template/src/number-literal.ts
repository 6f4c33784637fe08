import { quote } from "@millwright/text/quote";

/** The types that one constant can take. */
export interface NumberConstant {
  readonly integer: bigint | undefined;
  readonly unsigned: bigint | undefined;
  readonly float: number | undefined;
}

export type ReadNumber =
  | { readonly ok: true; readonly constant: NumberConstant }
  | { readonly ok: false; readonly error: string };

const characterForm =
  /^'(?:([^'\\\n])|\\(?:([abfnrtv\\'])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})))/u;

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92, "'": 39 };

/** A character constant such as `'x'`: the number of its code point, or of the byte for `'\xff'`. */
export function readCharacter(literal: string): ReadNumber {
  const found = characterForm.exec(literal);
  const code = found ? codeOf(found) : undefined;
  if (!found || code === undefined) return { ok: false, error: "invalid syntax" };
  if (literal.slice(found[0].length) !== "'") return { ok: false, error: `malformed character constant: ${literal}` };
  return { ok: true, constant: { integer: BigInt(code), unsigned: BigInt(code), float: code } };
}

/** Undefined for an escape that stands for no character. */
function codeOf([, plain, simple, octal, hexByte, short, long]: RegExpExecArray): number | undefined {
  if (plain !== undefined) return plain.codePointAt(0)!;
  if (simple !== undefined) return escapes[simple];
  if (hexByte !== undefined) return Number.parseInt(hexByte, 16);
  const code = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt((short ?? long)!, 16);
  if (octal !== undefined) return code > 255 ? undefined : code;
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : code;
}

/** A number constant as Go reads it: its integer forms by prefix, underscores between digits, decimal and hexadecimal floats. */
export function readNumber(literal: string): ReadNumber {
  if (/i$/.test(literal)) return { ok: false, error: `complex constants are not supported: ${quote(literal)}` };
  const whole = readInteger(literal);
  if (whole !== undefined) {
    const integer = whole >= minInt64 && whole <= maxInt64 ? whole : undefined;
    const unsigned = isUnsigned(literal, whole) ? whole : undefined;
    if (integer !== undefined || unsigned !== undefined) {
      return { ok: true, constant: { integer, unsigned, float: Number(whole) } };
    }
  }
  const float = readFloat(literal);
  if (float === undefined || !Number.isFinite(float))
    return { ok: false, error: `illegal number syntax: ${quote(literal)}` };
  if (!/[.eEpP]/.test(literal)) return { ok: false, error: `integer overflow: ${quote(literal)}` };
  return { ok: true, constant: { ...integersOf(float), float } };
}

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;
const maxUint64 = 2n ** 64n - 1n;

function isUnsigned(literal: string, whole: bigint): boolean {
  // A sign makes it no unsigned number, but zero is one in any form.
  return whole === 0n || (!/^[+-]/.test(literal) && whole <= maxUint64);
}

/** A float that happens to be whole may stand where an integer is wanted. */
function integersOf(float: number): Pick<NumberConstant, "integer" | "unsigned"> {
  if (!Number.isInteger(float)) return { integer: undefined, unsigned: undefined };
  const whole = BigInt(float);
  return {
    integer: whole >= minInt64 && whole <= maxInt64 ? whole : undefined,
    unsigned: whole >= 0n && whole <= maxUint64 ? whole : undefined,
  };
}

const integerForm =
  /^([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[bB]((?:_?[01])+)|0[oO]((?:_?[0-7])+)|0((?:_?[0-7])+)|(0|[1-9](?:_?[0-9])*))$/;

function readInteger(literal: string): bigint | undefined {
  const found = integerForm.exec(literal);
  if (!found) return undefined;
  const [, sign, hex, binary, octal, oldOctal, decimal] = found;
  const prefixed = hex
    ? `0x${hex}`
    : binary
      ? `0b${binary}`
      : (octal ?? oldOctal)
        ? `0o${octal ?? oldOctal}`
        : decimal!;
  const size = BigInt(prefixed.replaceAll("_", ""));
  return sign === "-" ? -size : size;
}

const decimalForm = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const hexForm = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)$/;

/** A float as Go's `strconv.ParseFloat` reads it, infinite where it is out of range; undefined for bad syntax. */
export function readFloat(literal: string): number | undefined {
  const isHex = /^[+-]?0[xX]/.test(literal);
  // An underscore separates digits; behind the prefix of a base there may be one too.
  const separated = isHex ? /(?<=[0-9a-fA-FxX])_(?=[0-9a-fA-F])/g : /(?<=[0-9])_(?=[0-9])/g;
  const text = literal.replace(separated, "");
  if (decimalForm.test(text)) return Number(text);
  const found = hexForm.exec(text);
  if (!found) return undefined;
  const [, sign, whole, fraction = "", exponent] = found;
  if (whole === "" && fraction === "") return undefined;
  const size = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === "-" ? -size : size;
}
