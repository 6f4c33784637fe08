/**
 * `base` raised to `exponent`, as Go computes it: the whole part of the exponent by repeated squaring, with the powers of
 * two counted apart, and only its fraction by way of the logarithm. So whole powers come out to the last bit as the
 * reference has them, which JavaScript's own `**` does not; with a fraction the last bit may differ. NaN for a negative base
 * and an exponent that is not whole.
 */
export function power(base: number, exponent: number): number {
  if (exponent === 0 || base === 1) return 1;
  if (exponent === 1) return base;
  if (exponent === 0.5) return Math.sqrt(base);
  if (exponent === -0.5) return 1 / Math.sqrt(base);
  const size = Math.abs(exponent);
  // From here on all powers are whole and even; JavaScript knows about infinities and zeros as Go does.
  if (base === 0 || !Number.isFinite(base) || size >= 2 ** 63) return base ** exponent;
  let whole = Math.trunc(size);
  let fraction = size - whole;
  if (fraction !== 0 && base < 0) return Number.NaN;
  if (fraction > 0.5) {
    whole++;
    fraction--;
  }
  const product: Scaled = { mantissa: fraction === 0 ? 1 : Math.exp(fraction * Math.log(base)), exponent: 0 };
  const result = timesPower(product, scaled(base), whole);
  return exponent < 0 ? unscaled({ mantissa: 1 / result.mantissa, exponent: -result.exponent }) : unscaled(result);
}

/** `mantissa` × 2^`exponent`. */
interface Scaled {
  readonly mantissa: number;
  readonly exponent: number;
}

/** Beyond this the result is an infinity or zero in any case. */
const farOut = 2 ** 12;

function timesPower(product: Scaled, base: Scaled, times: number): Scaled {
  let { mantissa, exponent } = product;
  let square = base;
  for (let rest = times; rest !== 0; rest = Math.floor(rest / 2)) {
    if (Math.abs(square.exponent) > farOut) return { mantissa, exponent: exponent + square.exponent };
    if (rest % 2 === 1) {
      mantissa *= square.mantissa;
      exponent += square.exponent;
    }
    const next = square.mantissa * square.mantissa;
    // The mantissa stays between a half and one.
    square =
      next < 0.5
        ? { mantissa: next * 2, exponent: square.exponent * 2 - 1 }
        : { mantissa: next, exponent: square.exponent * 2 };
  }
  return { mantissa, exponent };
}

/** A finite number that is not zero, with a mantissa between a half and one (in size). */
function scaled(number: number): Scaled {
  let exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(number))) + 1);
  let mantissa = number / 2 ** exponent;
  for (; Math.abs(mantissa) < 0.5; exponent--) mantissa *= 2;
  for (; Math.abs(mantissa) >= 1; exponent++) mantissa /= 2;
  return { mantissa, exponent };
}

/** In two steps, of which only the second can leave the range of doubles and so round. */
function unscaled({ mantissa, exponent }: Scaled): number {
  const half = Math.trunc(exponent / 2);
  return mantissa * 2 ** half * 2 ** (exponent - half);
}
