import { invariant } from "@millwright/core/errors";
import type { BinaryParts, Decimal } from "./decimal.ts";
import { decimalFromText, exactDecimal, formatExponent, formatFixed, roundDecimal } from "./decimal.ts";

/** A number of any precision, as package `value` has them; what {@link formatFloat} needs of it. */
export interface BigNumber {
  readonly isNegative: boolean;
  readonly isFinite: boolean;
  /** The finite number as signed mantissa × 2^exponent. */
  parts(): BinaryParts;
  /** The shortest decimal without an exponent that stands for this number. */
  toText(): string;
}

export type FloatVerb = "e" | "E" | "f" | "F" | "g" | "G";

/**
 * A number as Go's `strconv.FormatFloat` (for a double) and `big.Float.Text` write it: `e` and `E` with an exponent, `f`
 * and `F` without, `g` and `G` whichever suits the size. `precision` counts the digits behind the point, for `g` all
 * digits; without it, there are just as many as tell the number from its neighbours. `+Inf`, `-Inf` and `NaN` for the rest.
 */
export function formatFloat(number: number | BigNumber, verb: FloatVerb, precision?: number): string {
  const special = specialText(number);
  if (special !== undefined) return special;
  const decimal = precision === undefined ? shortest(number) : exact(number);
  const text = formatByVerb(decimal, verb, precision);
  return verb === "E" || verb === "G" ? text.toUpperCase() : text;
}

/** A finite double as signed mantissa × 2^exponent, the mantissa of 53 bits (fewer where it is subnormal). */
export function doubleParts(number: number): BinaryParts {
  invariant(Number.isFinite(number), "only a finite number has a mantissa");
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const size = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: number < 0 ? -size : size, exponent: Math.max(biased, 1) - 1075 };
}

function specialText(number: number | BigNumber): string | undefined {
  if (typeof number === "object") return number.isFinite ? undefined : number.isNegative ? "-Inf" : "+Inf";
  if (Number.isNaN(number)) return "NaN";
  return Number.isFinite(number) ? undefined : number < 0 ? "-Inf" : "+Inf";
}

function shortest(number: number | BigNumber): Decimal {
  if (typeof number === "object") return decimalFromText(number.toText());
  return decimalFromText(Object.is(number, -0) ? "-0" : String(number));
}

function exact(number: number | BigNumber): Decimal {
  if (typeof number === "object") return exactDecimal(number.parts(), number.isNegative);
  return exactDecimal(doubleParts(number), number < 0 || Object.is(number, -0));
}

function formatByVerb(decimal: Decimal, verb: FloatVerb, precision: number | undefined): string {
  const count = decimal.digits.length;
  switch (verb) {
    case "e":
    case "E":
      return formatExponent(decimal, precision ?? Math.max(count - 1, 0));
    case "f":
    case "F":
      return formatFixed(decimal, precision ?? Math.max(count - decimal.point, 0));
    case "g":
    case "G":
      return formatGeneral(decimal, precision);
  }
}

/** An exponent for numbers below 10^-4, or with more digits before the point than `precision` (6, where it is not given). */
function formatGeneral(exactly: Decimal, precision: number | undefined): string {
  const wanted = precision === undefined ? undefined : Math.max(precision, 1);
  const decimal = wanted === undefined ? exactly : roundDecimal(exactly, wanted);
  const { digits, point } = decimal;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= exponentThreshold(decimal, wanted)) {
    return formatExponent(decimal, Math.max(digits.length - 1, 0));
  }
  return formatFixed(decimal, Math.max(digits.length - point, 0));
}

function exponentThreshold({ digits, point }: Decimal, precision: number | undefined): number {
  if (precision === undefined) return 6;
  // A number whose digits all stand before the point needs no more of them than it has.
  return precision > digits.length && digits.length >= point ? digits.length : precision;
}
