import { type Filter, parseFilter } from "@millwright/filter/filter";
import type { NodeRecord, ServiceRecord } from "./catalog-records.ts";
import { badRequest } from "./parameters.ts";

/** What a list is cut down to. `near` is taken and changes nothing: nodes have no coordinates here. */
export interface ListQuery {
  /** All of them; in upper and lower case alike. */
  readonly tags: readonly string[];
  /** All of them. */
  readonly nodeMeta: readonly (readonly [string, string])[];
  readonly passing: boolean;
  readonly filter: Filter | undefined;
}

/** Reads `tag`, `node-meta`, `passing` and `filter`. Throws `badRequest`. */
export function parseListQuery(query: URLSearchParams): ListQuery {
  return {
    tags: query
      .getAll("tag")
      .filter((tag) => tag !== "")
      .map((tag) => tag.toLowerCase()),
    nodeMeta: query.getAll("node-meta").map(parseMeta),
    passing: query.has("passing") && parsePassing(query.get("passing") ?? ""),
    filter: filterOf(query.get("filter") ?? ""),
  };
}

export function hasTags({ tags }: ListQuery, service: ServiceRecord): boolean {
  return tags.every((tag) => service.tags.some((has) => has.toLowerCase() === tag));
}

export function hasMeta({ nodeMeta }: ListQuery, node: NodeRecord | undefined): boolean {
  return nodeMeta.every(([name, value]) => node?.meta?.[name] === value);
}

/** The items whose form the filter wants; all without one. Throws `badRequest` where it cannot be asked of them. */
export function filtered<T>({ filter }: ListQuery, items: readonly T[], form: (item: T) => object): readonly T[] {
  if (!filter) return items;
  const forms = items.map(form);
  const result = filter.select(forms);
  if (!result.ok) throw badRequest(`Failed to create boolean expression evaluator: ${result.why}`);
  const wanted = new Set(result.items);
  return items.filter((_, i) => wanted.has(forms[i]!));
}

function filterOf(text: string): Filter | undefined {
  if (text === "") return undefined;
  const parsed = parseFilter(text);
  if (parsed.ok) return parsed.filter;
  const { message, position } = parsed.fault;
  throw badRequest(`Failed to create boolean expression evaluator: at character ${position}: ${message}`);
}

function parseMeta(text: string): readonly [string, string] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
}

function parsePassing(text: string): boolean {
  if (["", "1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw badRequest("Invalid value for ?passing");
}
