/**
 * A finite number in base 10: 0.d₁d₂d₃… × 10^`point`, with `digits` = d₁d₂d₃… without zeros at either end. Zero has no
 * digits and a `point` of 0.
 */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly point: number;
}

/** A finite number as signed `mantissa` × 2^`exponent`. */
export interface BinaryParts {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** All digits of a number given in base 2. */
export function exactDecimal({ mantissa, exponent }: BinaryParts, negative: boolean): Decimal {
  const size = mantissa < 0n ? -mantissa : mantissa;
  const places = exponent < 0 ? -exponent : 0;
  const scaled = exponent < 0 ? size * 5n ** BigInt(places) : size << BigInt(exponent);
  return fromDigits(negative, scaled.toString(), -places);
}

/** The number that a plain decimal text stands for (`-12.5`, `1e+21`), as JavaScript writes numbers. */
export function decimalFromText(text: string): Decimal {
  const [mantissa = "", exponent = "0"] = text.replace(/^-/, "").split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return fromDigits(text.startsWith("-"), whole + fraction, Number(exponent) - fraction.length);
}

/** At most `count` digits, rounded to nearest, half to even. */
export function roundDecimal(decimal: Decimal, count: number): Decimal {
  const { negative, digits, point } = decimal;
  if (digits.length <= count) return decimal;
  if (count < 0) return fromDigits(negative, "0", 0);
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const isOdd = kept !== "" && Number(kept.at(-1)) % 2 === 1;
  const up = rest[0]! > "5" || (rest[0] === "5" && (rest.length > 1 || isOdd));
  const rounded = BigInt(kept === "" ? "0" : kept) + (up ? 1n : 0n);
  return fromDigits(negative, rounded.toString(), point - count);
}

/** Without an exponent and with exactly `places` digits behind the point: Go's `%.<places>f`. */
export function formatFixed(decimal: Decimal, places: number): string {
  const { negative, digits, point } = roundDecimal(decimal, decimal.point + places);
  const padded = "0".repeat(Math.max(0, -point)) + digits;
  const wholeLength = Math.max(0, point);
  const whole = padded.slice(0, wholeLength).padEnd(wholeLength, "0") || "0";
  const fraction = padded.slice(wholeLength).padEnd(places, "0");
  return (negative ? "-" : "") + whole + (places > 0 ? `.${fraction}` : "");
}

/** One digit, a point, `places` digits, and an exponent of two digits or more: Go's `%.<places>e`. */
export function formatExponent(decimal: Decimal, places: number): string {
  const { negative, digits, point } = roundDecimal(decimal, places + 1);
  const exponent = digits === "" ? 0 : point - 1;
  const fraction = places > 0 ? `.${digits.slice(1).padEnd(places, "0")}` : "";
  const exponentText = String(Math.abs(exponent)).padStart(2, "0");
  return `${negative ? "-" : ""}${digits[0] ?? "0"}${fraction}e${exponent < 0 ? "-" : "+"}${exponentText}`;
}

/** `digits` with no zeros in front or behind, standing for digits × 10^`power`. */
function fromDigits(negative: boolean, digits: string, power: number): Decimal {
  const significant = digits.replace(/^0+/, "");
  const point = significant.length + power;
  const trimmed = significant.replace(/0+$/, "");
  return trimmed === "" ? { negative, digits: "", point: 0 } : { negative, digits: trimmed, point };
}
