import { Bug, invariant } from "@millwright/core/errors";
import type { Binary } from "./bits.ts";
import { bitLength, quotient, roundBinary, shiftRounded } from "./bits.ts";
import { maximumExponent, parseDecimal, roundedDecimal, shortestDecimal } from "./number-text.ts";

/** Mantissa bits of every number that comes from text. */
export const textPrecision = 512;
const integerPrecision = 64;
const doublePrecision = 53;

/**
 * A binary floating-point number, immutable, as Go's `math/big.Float` in the way go-cty uses it: rounding to nearest even,
 * negative zero and infinities, no NaN.
 *
 * `precision` is the number of mantissa bits it was made with: 512 from text, 64 from an integer, 53 from a float64. A
 * sum, difference or quotient is rounded to the larger precision of its operands; a product keeps what it needs of 512.
 * The precision decides the text: {@link toText} is the shortest decimal that this many bits tell from its neighbours.
 *
 * Arithmetic that has no result (∞ - ∞, 0 × ∞, 0 ÷ 0, ∞ ÷ ∞) is `undefined`; a division by zero is an infinity.
 */
export class BigFloat {
  readonly precision: number;
  /** The value where it is a safe integer, a zero or an infinity, as almost all are; otherwise NaN. */
  readonly #small: number;
  /** The value where `#small` is NaN: signed and odd mantissa × 2^exponent. */
  readonly #mantissa: bigint;
  readonly #exponent: number;
  /** What {@link toText} gives, once it has been asked for or is known from where the number came from. */
  #text: string | undefined;

  private constructor(precision: number, small: number, mantissa: bigint, exponent: number, text?: string) {
    this.precision = precision;
    this.#text = text;
    this.#small = small;
    this.#mantissa = mantissa;
    this.#exponent = exponent;
  }

  /** From a safe integer, a zero or an infinity. */
  static small(value: number, precision: number): BigFloat {
    return new BigFloat(precision, value, 0n, 0);
  }

  /** `mantissa` × 2^`exponent`, rounded to `precision` bits. */
  static fromParts(mantissa: bigint, exponent: number, precision: number): BigFloat {
    if (mantissa === 0n) return BigFloat.small(0, precision);
    const negative = mantissa < 0n;
    const { mantissa: m, exponent: e } = roundBinary(negative ? -mantissa : mantissa, exponent, precision);
    if (e >= 0 && e < 53) {
      const whole = m << BigInt(e);
      if (whole <= Number.MAX_SAFE_INTEGER) return BigFloat.small(negative ? -Number(whole) : Number(whole), precision);
    }
    const top = e + bitLength(m);
    if (top > maximumExponent) return BigFloat.small(negative ? -Infinity : Infinity, precision);
    if (top < -maximumExponent - 1) return BigFloat.small(negative ? -0 : 0, precision);
    return new BigFloat(precision, Number.NaN, negative ? -m : m, e);
  }

  /** The same number, of which the shortest decimal is known to be `text`. */
  withText(text: string): BigFloat {
    return new BigFloat(this.precision, this.#small, this.#mantissa, this.#exponent, text);
  }

  /** Less than zero, or negative zero. */
  get isNegative(): boolean {
    return this.#isLarge ? this.#mantissa < 0n : this.#small < 0 || Object.is(this.#small, -0);
  }

  get isZero(): boolean {
    return this.#small === 0;
  }

  get isFinite(): boolean {
    return this.#small !== Infinity && this.#small !== -Infinity;
  }

  get isInteger(): boolean {
    return this.#isLarge ? this.#exponent >= 0 : this.isFinite;
  }

  get #isLarge(): boolean {
    return Number.isNaN(this.#small);
  }

  /** The finite number as signed `mantissa` × 2^`exponent`; the mantissa is odd or zero. */
  parts(): Binary {
    invariant(this.isFinite, "an infinity has no mantissa");
    if (this.#isLarge) return { mantissa: this.#mantissa, exponent: this.#exponent };
    if (this.#small === 0) return { mantissa: 0n, exponent: 0 };
    const negative = this.#small < 0;
    const { mantissa, exponent } = roundBinary(BigInt(Math.abs(this.#small)), 0, doublePrecision);
    return { mantissa: negative ? -mantissa : mantissa, exponent };
  }

  /** The same number rounded to another precision. */
  withPrecision(precision: number): BigFloat {
    if (precision === this.precision) return this;
    if (!this.isFinite || this.isZero) return BigFloat.small(this.#small, precision);
    const { mantissa, exponent } = this.parts();
    return BigFloat.fromParts(mantissa, exponent, precision);
  }

  negate(): BigFloat {
    return new BigFloat(this.precision, -this.#small, -this.#mantissa, this.#exponent);
  }

  absolute(): BigFloat {
    return this.isNegative ? this.negate() : this;
  }

  add(other: BigFloat): BigFloat | undefined {
    const precision = Math.max(this.precision, other.precision);
    const sum = this.#small + other.#small;
    if (Number.isSafeInteger(sum)) return BigFloat.small(sum, precision);
    if (!this.isFinite || !other.isFinite) {
      if (this.isFinite) return other;
      return other.isFinite || this.#small === other.#small ? BigFloat.small(this.#small, precision) : undefined;
    }
    if (this.isZero) return other.withPrecision(precision);
    if (other.isZero) return this.withPrecision(precision);
    return addParts(this.parts(), other.parts(), precision);
  }

  subtract(other: BigFloat): BigFloat | undefined {
    return this.add(other.negate());
  }

  multiply(other: BigFloat): BigFloat | undefined {
    const precision = Math.max(this.precision, other.precision);
    const product = this.#small * other.#small;
    if (Number.isSafeInteger(product)) return BigFloat.small(product, precision);
    if (!this.isFinite || !other.isFinite) {
      if (this.isZero || other.isZero) return undefined;
      return BigFloat.small(this.isNegative === other.isNegative ? Infinity : -Infinity, precision);
    }
    if (this.isZero || other.isZero) return BigFloat.small(this.isNegative === other.isNegative ? 0 : -0, precision);
    const a = this.parts();
    const b = other.parts();
    const full = BigFloat.fromParts(a.mantissa * b.mantissa, a.exponent + b.exponent, textPrecision);
    if (!full.isFinite || full.isZero) return full;
    return full.withPrecision(Math.max(precision, bitLength(magnitude(full.parts().mantissa))));
  }

  divide(other: BigFloat): BigFloat | undefined {
    const precision = Math.max(this.precision, other.precision);
    if (other.isZero || !this.isFinite || !other.isFinite || this.isZero) {
      if ((other.isZero && this.isZero) || (!this.isFinite && !other.isFinite)) return undefined;
      const size = other.isZero || !this.isFinite ? Infinity : 0;
      return BigFloat.small(this.isNegative === other.isNegative ? size : -size, precision);
    }
    const whole = this.#small / other.#small;
    if (Number.isSafeInteger(whole) && whole * other.#small === this.#small) return BigFloat.small(whole, precision);
    const a = this.parts();
    const b = other.parts();
    const ratio = quotient(magnitude(a.mantissa), magnitude(b.mantissa), precision);
    const mantissa = this.isNegative === other.isNegative ? ratio.mantissa : -ratio.mantissa;
    return BigFloat.fromParts(mantissa, ratio.exponent + a.exponent - b.exponent, precision);
  }

  /**
   * The remainder of the division that is cut towards zero: it has the sign of `this`. `x % 0` is `x`, as the reference
   * has it; with an infinity there is no result.
   */
  modulo(other: BigFloat): BigFloat | undefined {
    if (other.isZero) return this;
    if (!this.isFinite || !other.isFinite) return undefined;
    if (this.isZero) return this.isNegative && !other.isNegative ? this : BigFloat.small(0, this.precision);
    const rest = this.#small % other.#small;
    if (Number.isSafeInteger(rest)) return BigFloat.small(rest === 0 ? 0 : rest, this.precision);
    const times = this.divide(other)!.truncated();
    const { mantissa, exponent } = other.parts();
    const whole = BigFloat.fromParts(times, 0, this.precision).parts();
    const multiple = BigFloat.fromParts(mantissa * whole.mantissa, exponent + whole.exponent, this.precision);
    return this.subtract(multiple);
  }

  /** Negative, zero or positive, by the exact values. */
  compare(other: BigFloat): number {
    if (!this.#isLarge && !other.#isLarge) return this.#small < other.#small ? -1 : this.#small > other.#small ? 1 : 0;
    if (!this.isFinite || !other.isFinite) return this.isFinite ? -other.#small : this.#small;
    const a = this.parts();
    const b = other.parts();
    if (a.mantissa < 0n !== b.mantissa < 0n) return a.mantissa < 0n ? -1 : 1;
    if (a.mantissa === 0n || b.mantissa === 0n) return a.mantissa < b.mantissa ? -1 : 1;
    const sign = a.mantissa < 0n ? -1 : 1;
    const tops = a.exponent + bitLength(magnitude(a.mantissa)) - b.exponent - bitLength(magnitude(b.mantissa));
    if (tops !== 0) return tops * sign;
    const base = Math.min(a.exponent, b.exponent);
    const x = a.mantissa << BigInt(a.exponent - base);
    const y = b.mantissa << BigInt(b.exponent - base);
    return x < y ? -1 : x > y ? 1 : 0;
  }

  /** Whether both are one number to go-cty: integers by value, others by their text, so that 0.1 of any precision is 0.1. */
  equals(other: BigFloat): boolean {
    if (!this.#isLarge || !other.#isLarge) return this.#small === other.#small;
    if (this.#exponent >= 0 || other.#exponent >= 0 || this.precision === other.precision) {
      return this.#mantissa === other.#mantissa && this.#exponent === other.#exponent;
    }
    return this.isNegative === other.isNegative && this.toText() === other.toText();
  }

  /** The nearest double; an infinity where it is too large. */
  toNumber(): number {
    if (!this.#isLarge) return this.#small;
    const m = magnitude(this.#mantissa);
    const top = this.#exponent + bitLength(m);
    if (top > 1024) return this.isNegative ? -Infinity : Infinity;
    if (top < -1075) return this.isNegative ? -0 : 0;
    const lowest = Math.max(top - doublePrecision, -1074);
    const drop = lowest - this.#exponent;
    const kept = drop > 0 ? shiftRounded(m, drop) : m << BigInt(-drop);
    const size = Number(kept) * 2 ** lowest;
    return this.isNegative ? -size : size;
  }

  /** The integer that is left when the fraction is cut off; a Bug for an infinity. */
  truncated(): bigint {
    if (!this.#isLarge) return BigInt(this.#small);
    if (this.#exponent >= 0) return this.#mantissa << BigInt(this.#exponent);
    const whole = magnitude(this.#mantissa) >> BigInt(-this.#exponent);
    return this.isNegative ? -whole : whole;
  }

  /** The number where it is an integer of any size, else undefined. */
  toBigInt(): bigint | undefined {
    return this.isInteger ? this.truncated() : undefined;
  }

  /** The number where it is an integer of 64 bits with sign, else undefined. */
  toInt64(): bigint | undefined {
    if (Number.isSafeInteger(this.#small)) return BigInt(this.#small);
    if (!this.isInteger || this.#exponent > 64) return undefined;
    const whole = this.truncated();
    return BigInt.asIntN(64, whole) === whole ? whole : undefined;
  }

  /** The number where it is an integer below 2^53 in size, as indices, lengths and ports are; else undefined. */
  toSafeInteger(): number | undefined {
    return Number.isSafeInteger(this.#small) ? this.#small : undefined;
  }

  /** The shortest decimal without an exponent that stands for this number, Go's `Text('f', -1)`; `+Inf`, `-Inf`, `-0`. */
  toText(): string {
    if (!this.#isLarge) return smallText(this.#small);
    if (this.#text === undefined) {
      const size: Binary = { mantissa: magnitude(this.#mantissa), exponent: this.#exponent };
      this.#text = (this.isNegative ? "-" : "") + shortestDecimal(size, this.precision);
    }
    return this.#text;
  }

  /** At most `digits` significant digits, Go's `%.<digits>g`. */
  toRoundedText(digits: number): string {
    if (Math.abs(this.#small) < 10 ** digits) return smallText(this.#small);
    if (!this.isFinite) return smallText(this.#small);
    const { mantissa, exponent } = this.parts();
    return (this.isNegative ? "-" : "") + roundedDecimal({ mantissa: magnitude(mantissa), exponent }, digits);
  }
}

/**
 * A number as the reference makes it from an integer (64 bits of precision, or as many as it needs), from a fraction or
 * any other double (53 bits), or from decimal text (512 bits; a Bug where the text is no number).
 */
export function bigFloat(number: number | bigint | string): BigFloat {
  if (typeof number === "number") {
    return Number.isSafeInteger(number) ? BigFloat.small(number, integerPrecision) : bigFloatOfDouble(number);
  }
  if (typeof number === "bigint") {
    const precision = number === 0n ? integerPrecision : Math.max(integerPrecision, bitLength(magnitude(number)));
    return BigFloat.fromParts(number, 0, precision);
  }
  const parsed = parseBigFloat(number);
  if (!parsed) throw new Bug(`no decimal number: ${number}`);
  return parsed;
}

/** A number of 53 bits of precision, also where it is an integer: the result of what is computed in doubles. */
export function bigFloatOfDouble(number: number): BigFloat {
  invariant(!Number.isNaN(number), "there is no number that is not a number");
  if (Number.isSafeInteger(number) || !Number.isFinite(number)) return BigFloat.small(number, doublePrecision);
  doubleView.setFloat64(0, number);
  const bits = doubleView.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return BigFloat.fromParts(number < 0 ? -mantissa : mantissa, Math.max(field, 1) - 1075, doublePrecision);
}

const doubleView = new DataView(new ArrayBuffer(8));
const shortInteger = /^-?[0-9]{1,15}$/;

/** A number from decimal text, with 512 bits: digits, a fraction, an exponent; undefined where the text is no number. */
export function parseBigFloat(text: string): BigFloat | undefined {
  if (shortInteger.test(text)) return BigFloat.small(Number(text), textPrecision);
  const decimal = parseDecimal(text, textPrecision);
  if (!decimal) return undefined;
  const sign = decimal.negative ? -1 : 1;
  if (decimal.kind === "zero") return BigFloat.small(sign * 0, textPrecision);
  if (decimal.kind === "infinity") return BigFloat.small(sign * Infinity, textPrecision);
  const { mantissa, exponent } = decimal.binary;
  const number = BigFloat.fromParts(decimal.negative ? -mantissa : mantissa, exponent, textPrecision);
  return text.length <= certainDigits && canonicalFraction.test(text) ? number.withText(text) : number;
}

// 512 bits tell any two decimals of 153 digits apart, so one of fewer digits is its own shortest text.
const certainDigits = 150;
const canonicalFraction = /^-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9]$/;

export const positiveInfinity: BigFloat = BigFloat.small(Infinity, 0);
export const negativeInfinity: BigFloat = BigFloat.small(-Infinity, 0);

function addParts(a: Binary, b: Binary, precision: number): BigFloat {
  const [high, low] = topOf(a) >= topOf(b) ? [a, b] : [b, a];
  // Far below the last bit that is kept, only the sign of the smaller one matters.
  const floor = topOf(high) - precision - 4;
  const tail = topOf(low) < floor ? { mantissa: low.mantissa < 0n ? -1n : 1n, exponent: floor } : low;
  const base = Math.min(high.exponent, tail.exponent);
  const sum = (high.mantissa << BigInt(high.exponent - base)) + (tail.mantissa << BigInt(tail.exponent - base));
  return BigFloat.fromParts(sum, base, precision);
}

function topOf(parts: Binary): number {
  return parts.exponent + bitLength(magnitude(parts.mantissa));
}

function magnitude(n: bigint): bigint {
  return n < 0n ? -n : n;
}

function smallText(small: number): string {
  if (small === Infinity) return "+Inf";
  if (small === -Infinity) return "-Inf";
  return Object.is(small, -0) ? "-0" : String(small);
}
