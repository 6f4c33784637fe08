/** JSON with whole numbers above 2^53 as bigint. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, keepLargeNumbers);
}

function keepLargeNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
