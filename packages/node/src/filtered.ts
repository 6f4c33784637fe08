import { parseFilter } from "@millwright/filter/filter";
import { badRequest } from "./request-body.ts";

/** The items that `?filter` takes, in their order. Throws `badRequest` for an expression that cannot be read or asked. */
export function filtered<T>(query: URLSearchParams, items: readonly T[]): readonly T[] {
  const expression = query.get("filter") ?? "";
  if (expression === "") return items;
  const parsed = parseFilter(expression);
  if (!parsed.ok) throw badRequest(`Failed to create boolean expression evaluator: ${parsed.fault.message}`);
  const result = parsed.filter.select(items);
  if (!result.ok) throw badRequest(`Failed to filter results: ${result.why}`);
  return result.items;
}
