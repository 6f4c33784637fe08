/** JSON with whole numbers above 2^53 as bigint. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, keepLargeNumbers);
}

function keepLargeNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** The JSON text of a value in which whole numbers may be bigint; over lines where `indent` says how far. */
export function formatJson(value: unknown, indent?: number): string {
  const replacer = (_key: string, part: unknown) => (typeof part === "bigint" ? json.rawJSON(String(part)) : part);
  return JSON.stringify(value, replacer, indent);
}

// In Node since 21; the types of the language do not know it yet.
const json = JSON as unknown as { rawJSON(text: string): unknown };
