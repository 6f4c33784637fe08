import { type Filter, parseFilter } from "@millwright/filter/filter";
import { parseReadOptions, type ReadOptions } from "@millwright/records/read-options";
import { parseBool } from "./query.ts";
import { badRequest } from "./json-body.ts";

/** How a list is asked for. */
export interface ListOptions {
  readonly read: ReadOptions;
  readonly prefix: string;
  /** 0 for all at once. */
  readonly perPage: number;
  /** Where this page begins; empty for the beginning. */
  readonly nextToken: string;
  readonly filter: Filter | undefined;
  /** Newest first. */
  readonly reverse: boolean;
}

/** Reads what every list takes. Throws `badRequest`. */
export function parseListOptions(query: URLSearchParams): ListOptions {
  return {
    read: readOptionsOf(query),
    prefix: query.get("prefix") ?? "",
    perPage: Math.max(0, Number.parseInt(query.get("per_page") ?? "", 10) || 0),
    nextToken: query.get("next_token") ?? "",
    filter: filterOf(query.get("filter") ?? ""),
    reverse: query.get("reverse") === "true",
  };
}

/** Reads `stale`, `index` and `wait`. Throws `badRequest`. */
export function readOptionsOf(query: URLSearchParams): ReadOptions {
  const stale = query.get("stale");
  if (stale && parseBool(stale) === undefined)
    throw badRequest(`Expect \`true\` or \`false\` for \`stale\` query string parameter, got ${stale}`);
  const isStale = stale !== null && parseBool(stale) !== false;
  const rest = new URLSearchParams(query);
  rest.delete("stale");
  rest.delete("consistent");
  return { ...parseReadOptions(rest), consistency: isStale ? "stale" : "default" };
}

function filterOf(text: string): Filter | undefined {
  if (text === "") return undefined;
  const parsed = parseFilter(text);
  if (parsed.ok) return parsed.filter;
  const { message, position } = parsed.fault;
  throw badRequest(
    `failed to create result paginator: failed to read filter expression: at character ${position}: ${message}`,
  );
}
