/** The number of bits of a positive integer. */
export function bitLength(n: bigint): number {
  const hex = n.toString(16);
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex[0]!, 16)) - 28);
}

/** A positive number: `mantissa` × 2^`exponent`. */
export interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** The number with its mantissa rounded to `precision` bits, to nearest, ties to even, and made odd. */
export function roundBinary(mantissa: bigint, exponent: number, precision: number): Binary {
  let m = mantissa;
  let e = exponent;
  const excess = bitLength(m) - precision;
  if (excess > 0) {
    m = shiftRounded(m, excess);
    e += excess;
  }
  if ((m & 1n) === 1n) return { mantissa: m, exponent: e };
  const zeros = bitLength(m & -m) - 1;
  return { mantissa: m >> BigInt(zeros), exponent: e + zeros };
}

/** A positive `m` / 2^`bits`, rounded to nearest, ties to even. */
export function shiftRounded(m: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  const kept = m >> shift;
  const rest = m - (kept << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept;
}

/** The quotient a / b, for rounding to `precision` bits: two or more bits longer, the last of which tells of a remainder. */
export function quotient(a: bigint, b: bigint, precision: number): Binary {
  const shift = Math.max(0, precision + 2 + bitLength(b) - bitLength(a));
  const dividend = a << BigInt(shift);
  const whole = dividend / b;
  const sticky = whole * b === dividend ? 0n : 1n;
  return { mantissa: (whole << 1n) | sticky, exponent: -shift - 1 };
}
