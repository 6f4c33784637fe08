import { evaluate, Unanswerable } from "./evaluate.ts";
import { type FilterFault, parseExpression } from "./parse.ts";

/**
 * A filter over JSON objects, in the language of Consul's `?filter=` (go-bexpr): `==`, `!=`, `in`, `not in`, `contains`,
 * `not contains`, `is empty`, `is not empty`, `matches` (RE2), `not matches`; joined by `and`, `or`, `not` and parentheses;
 * `any TAGS as t { … }` and `all …`; selectors `Service.Meta["k"]` and `"/Service/Meta/k"`.
 */
export interface Filter {
  readonly text: string;
  /**
   * The items that it wants, or why it cannot be asked of them: a field that they do not have, or one of another type.
   * A key that a map of the user's own keys (`Meta`, `TaggedAddresses` …) does not have is empty.
   */
  select<T>(items: Iterable<T>): FilterResult<T>;
}

export type FilterResult<T> =
  | { readonly ok: true; readonly items: readonly T[] }
  | { readonly ok: false; readonly why: string };

export type ParsedFilter =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly fault: FilterFault };

/** Parses a filter; a fault says what was expected, and where. */
export function parseFilter(text: string): ParsedFilter {
  const parsed = parseExpression(text);
  if (!parsed.ok) return parsed;
  const { expression } = parsed;
  return {
    ok: true,
    filter: {
      text,
      select: (items) => {
        try {
          return { ok: true, items: [...items].filter((item) => evaluate(expression, item, { maps: userMaps })) };
        } catch (error) {
          if (!(error instanceof Unanswerable)) throw error;
          return { ok: false, why: error.message };
        }
      },
    },
  };
}

/** The fields of Consul's objects that hold keys of the user's own. */
const userMaps: ReadonlySet<string> = new Set([
  "Meta",
  "NodeMeta",
  "ServiceMeta",
  "TaggedAddresses",
  "ServiceTaggedAddresses",
  "Header",
  "Config",
]);
