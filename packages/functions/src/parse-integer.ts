const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * The integer that `text` writes in `base` (2 to 62), with an optional sign, as Go's `big.Int.SetString` reads it; undefined
 * where a character is no digit. Up to base 36 letters count in either case, above it small ones come before great ones.
 */
export function parseInteger(text: string, base: number): bigint | undefined {
  const [, sign, body] = /^([+-]?)([0-9A-Za-z]+)$/.exec(text) ?? [];
  if (body === undefined) return undefined;
  const radix = BigInt(base);
  let result = 0n;
  for (const character of base <= 36 ? body.toLowerCase() : body) {
    const digit = digits.indexOf(character);
    if (digit < 0 || digit >= base) return undefined;
    result = result * radix + BigInt(digit);
  }
  return sign === "-" ? -result : result;
}
