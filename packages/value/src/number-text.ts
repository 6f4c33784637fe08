import type { Binary } from "./bits.ts";
import { bitLength, quotient, roundBinary } from "./bits.ts";

/** Exponents that a 32-bit word cannot hold are over- and underflow, as in Go's `big.Float`. */
export const maximumExponent = 2 ** 31 - 1;

const decimalPattern = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:([eEpP])([+-]?[0-9]+))?$/;

/** What {@link parseDecimal} reads. */
export type Decimal =
  | { readonly kind: "zero"; readonly negative: boolean }
  | { readonly kind: "infinity"; readonly negative: boolean }
  | { readonly kind: "finite"; readonly negative: boolean; readonly binary: Binary };

/**
 * Reads a number in base 10 as Go's `big.ParseFloat(text, 10, precision, ToNearestEven)` does: a decimal exponent behind
 * `e`, a binary one behind `p`, and infinity as `Inf` or `inf`. Undefined where the text is no number.
 */
export function parseDecimal(text: string, precision: number): Decimal | undefined {
  const match = decimalPattern.exec(text);
  if (!match) return parseInfinity(text);
  const [, sign, whole = "", fraction = "", bare = "", marker, exponentText] = match;
  const negative = sign === "-";
  const exponent = exponentText === undefined ? 0 : Number(exponentText);
  if (!Number.isSafeInteger(exponent)) return undefined;
  const mantissa = BigInt(whole + fraction + bare);
  if (mantissa === 0n) return { kind: "zero", negative };
  const binaryMarker = marker === "p" || marker === "P";
  const tens = (binaryMarker ? 0 : exponent) - fraction.length - bare.length;
  const twos = tens + (binaryMarker ? exponent : 0);
  if (Math.abs(tens) > maximumExponent || Math.abs(twos) > maximumExponent) return undefined;
  const scaled = timesFive(mantissa, tens, precision);
  const binary = roundBinary(scaled.mantissa, scaled.exponent + twos, precision);
  const top = binary.exponent + bitLength(binary.mantissa);
  if (top > maximumExponent) return { kind: "infinity", negative };
  if (top < -maximumExponent - 1) return { kind: "zero", negative };
  return { kind: "finite", negative, binary };
}

function parseInfinity(text: string): Decimal | undefined {
  const match = /^([+-]?)(?:Inf|inf)$/.exec(text);
  return match ? { kind: "infinity", negative: match[1] === "-" } : undefined;
}

/** `mantissa` × 5^`power`, exact where the power is small, otherwise with many more bits than `precision`. */
function timesFive(mantissa: bigint, power: number, precision: number): Binary {
  if (power === 0) return { mantissa, exponent: 0 };
  const five = powerOfFive(Math.abs(power), precision + 64);
  if (power > 0) return { mantissa: mantissa * five.mantissa, exponent: five.exponent };
  const ratio = quotient(mantissa, five.mantissa, precision);
  return { mantissa: ratio.mantissa, exponent: ratio.exponent - five.exponent };
}

const smallPowers: bigint[] = [];

/** 5^`power`, cut to `precision` bits, so that a huge exponent in somebody's text costs no memory. */
function powerOfFive(power: number, precision: number): Binary {
  if (power < 400) return { mantissa: (smallPowers[power] ??= 5n ** BigInt(power)), exponent: 0 };
  let result: Binary = { mantissa: 1n, exponent: 0 };
  let square: Binary = { mantissa: 5n, exponent: 0 };
  for (let n = power; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = product(result, square, precision);
    square = product(square, square, precision + 64);
  }
  return result;
}

function product(a: Binary, b: Binary, precision: number): Binary {
  return roundBinary(a.mantissa * b.mantissa, a.exponent + b.exponent, precision);
}

const bitsOfTen = Math.log2(10);

/**
 * The shortest decimal that `precision` bits tell from its neighbours, without an exponent: Go's `Text('f', -1)`.
 * Takes a positive number whose mantissa is odd and no longer than `precision`.
 */
export function shortestDecimal({ mantissa, exponent }: Binary, precision: number): string {
  const top = exponent + bitLength(mantissa);
  // The number's neighbours are a unit apart or nearer, so no shorter text than all digits of an integer will do.
  if (exponent >= 0 && top <= precision) return (mantissa << BigInt(exponent)).toString();
  // Nor will one of a fraction whose last decimal place is worth more than the distance to the neighbours.
  if (exponent < 0 && -exponent * bitsOfTen < precision - top) {
    return placePoint(mantissa * 5n ** BigInt(-exponent), -exponent);
  }
  const half = top - precision - 1;
  const scale = half < 0 ? -half : 0;
  const unit = half < 0 ? 5n ** BigInt(scale) : 1n << BigInt(half);
  const steps = mantissa << BigInt(exponent - half);
  const { digits, zeros } = shortestBetween(steps * unit, unit, (steps & 2n) === 0n);
  return placePoint(digits, scale - zeros);
}

/**
 * The number with fewest digits that is less than `unit` away from `exact` (or just as far, where `inclusive`), as
 * digits and the zeros behind them. Of several it takes the nearest.
 */
function shortestBetween(exact: bigint, unit: bigint, inclusive: boolean): { digits: bigint; zeros: number } {
  const low = exact - unit;
  const high = exact + unit;
  const highText = high.toString();
  const lowText = low.toString().padStart(highText.length, "0");
  let common = 0;
  while (lowText[common] === highText[common]) common++;
  for (let zeros = highText.length - common; ; zeros--) {
    const ten = 10n ** BigInt(zeros);
    const down = exact / ten;
    const rest = exact - down * ten;
    const canDown = inclusive ? rest <= unit : rest < unit;
    const up = rest === 0n ? down : down + 1n;
    const canUp = inclusive ? ten - rest <= unit : ten - rest < unit;
    if (!canDown && !canUp) continue;
    if (!canUp) return { digits: down, zeros };
    if (!canDown) return { digits: up, zeros };
    const roundUp = rest * 2n > ten || (rest * 2n === ten && (down & 1n) === 1n);
    return { digits: roundUp ? up : down, zeros };
  }
}

/** `digits` × 10^-`places` without an exponent and without needless zeros. */
function placePoint(digits: bigint, places: number): string {
  const text = digits.toString();
  if (places <= 0) return text + "0".repeat(-places);
  const whole = text.length > places ? text.slice(0, text.length - places) : "0";
  const fraction = text.padStart(places, "0").slice(-places).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/**
 * The number in at most `count` significant digits, as Go's `%.<count>g` writes it: an exponent of two or more digits
 * where that is below -4 or not below `count`.
 */
export function roundedDecimal({ mantissa, exponent }: Binary, count: number): string {
  const places = exponent < 0 ? -exponent : 0;
  const exact = exponent < 0 ? mantissa * 5n ** BigInt(places) : mantissa << BigInt(exponent);
  let digits = exact;
  let dropped = exact.toString().length - count;
  if (dropped > 0) {
    const ten = 10n ** BigInt(dropped);
    const rest = exact % ten;
    digits = exact / ten;
    if (rest * 2n > ten || (rest * 2n === ten && (digits & 1n) === 1n)) digits += 1n;
  } else {
    dropped = 0;
  }
  const all = digits.toString();
  const text = all.replace(/0+$/, "");
  const power = all.length - 1 + dropped - places;
  if (power >= -4 && power < count) return placePoint(BigInt(text), text.length - 1 - power);
  const fraction = text.length > 1 ? `.${text.slice(1)}` : "";
  return `${text[0]}${fraction}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
