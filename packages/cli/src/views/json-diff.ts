import { decodeImplied } from "@millwright/value/json";
import { rawEquals } from "@millwright/value/operations";
import { isNull, nullValue, type Value } from "@millwright/value/value";
import type { DiffContext, Shown, Symbol } from "./lines.ts";
import { closingLine, withTail } from "./lines.ts";

/**
 * Texts that hold a JSON object or array, compared by what is in them and shown as a call of `jsonencode`; undefined where
 * a side is neither that nor null.
 */
export function jsonDiff(
  before: Value,
  after: Value,
  symbol: Symbol,
  depth: number,
  inner: (before: Value, after: Value, depth: number) => Shown,
  { style }: DiffContext,
): Shown | undefined {
  const [old, next] = [documentIn(before), documentIn(after)];
  if ((!isNull(before) && !old) || (!isNull(after) && !next)) return undefined;
  const document = next ?? old;
  if (!document) return undefined;
  const a = old ?? nullValue(document.type);
  const b = next ?? nullValue(document.type);
  const shown = inner(a, b, depth + 1);
  const layoutOnly = symbol === "~" && rawEquals(a, b);
  const head = `jsonencode(${layoutOnly ? ` ${style.dim("# only the layout of the text changes")}` : ""}`;
  if (shown.body.length === 0 && !layoutOnly)
    return withTail({ ...shown, symbol, head: `jsonencode(${shown.head}` }, ")");
  const first = { depth: depth + 1, symbol: shown.symbol, text: shown.head };
  return { symbol, head, body: [first, ...shown.body, closingLine(depth, ")")] };
}

function documentIn({ data }: Value): Value | undefined {
  if (typeof data !== "string" || !/^\s*[[{]/.test(data)) return undefined;
  const decoded = decodeImplied(data);
  if (!decoded.ok) return undefined;
  return Array.isArray(decoded.value.data) || decoded.value.data instanceof Map ? decoded.value : undefined;
}
