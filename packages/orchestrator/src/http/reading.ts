import { setImmediate } from "node:timers/promises";
import type { HttpReply } from "@millwright/core/http";
import { jsonReply, textReply } from "@millwright/core/http-reply";
import { blockingRead, type Indexed } from "@millwright/records/blocking";
import { compareKeys } from "@millwright/store/keys";
import type { OrchestratorState } from "../state.ts";
import type { HttpContext } from "./context.ts";
import { badRequest } from "./json-body.ts";
import { type ListOptions, parseListOptions, readOptionsOf } from "./list-options.ts";
import type { Call } from "./route.ts";

/** What a read is about: it wakes at a change of any of the topics. */
export interface Reading<T> {
  topics(state: OrchestratorState): readonly string[];
  /** The revision that changed it last; that of its topics where nothing else is said. */
  changed?(state: OrchestratorState): number;
  value(state: OrchestratorState): T;
}

/** Answers with a value; where there is none, with 404 and what is not there. */
export async function answerOne<T>(
  context: HttpContext,
  call: Call,
  { absent, ...reading }: Reading<T | undefined> & { readonly absent: string },
): Promise<HttpReply> {
  const { index, value } = await read(context, call, reading);
  const headers = readHeaders(context, index);
  if (value === undefined) return textReply(404, absent, headers);
  return jsonReply(value, isPretty(context, call), 200, headers);
}

export async function read<T>(context: HttpContext, call: Call, reading: Reading<T>): Promise<Indexed<T>> {
  const options = readOptionsOf(call.query);
  // Here, and not in the read itself, as which topics matter may depend on what there is.
  if (options.consistency !== "stale") await context.projection.fresh();
  const subject = { kind: "topics", topics: reading.topics(context.projection.state) } as const;
  return blockingRead(context, { ...options, consistency: "stale" }, subject, call.request, {
    index: (state) => state.indexOf(reading.changed?.(state) ?? state.changedTopics(subject.topics)),
    value: (state) => reading.value(state),
  });
}

/** Items are in the order of their indexes, where they have one here, and then in the byte order of their names. */
export interface Position {
  readonly index?: number;
  readonly name: string;
}

/** Of a row among others of its table: by age, and in a list of those with a prefix by their ids, as Nomad has it. */
export function positionOf(
  { key, created }: { readonly key: string; readonly created: number },
  state: OrchestratorState,
  prefix: string,
): Position {
  return prefix === "" ? { index: state.indexOf(created), name: key } : { name: key };
}

/** A list to be answered, item by item. */
export interface Listing<T> {
  readonly topics: readonly string[];
  /** All that there is, those whose names do not begin with `prefix` left out. */
  items(state: OrchestratorState, prefix: string): readonly T[];
  namespaceOf?(item: T): string;
  /** Where an item stands. Where a page ends, that of the first item of the next is its token. */
  positionOf(item: T, state: OrchestratorState, options: ListOptions): Position;
  readonly isNewestFirst?: boolean;
  /** What a filter looks at; the shown form where nothing else is said. */
  whole?(item: T, state: OrchestratorState): object;
  show(item: T, state: OrchestratorState): object;
}

export async function answerList<T>(context: HttpContext, call: Call, listing: Listing<T>): Promise<HttpReply> {
  const options = parseListOptions(call.query);
  const { index, value } = await read(context, call, {
    topics: () => listing.topics,
    value: (state) => listing.items(state, options.prefix),
  });
  const { state } = context.projection;
  const { items, next } = await pageOf(value, listing, call.namespace, options, state);
  const headers = { ...readHeaders(context, index), ...(next === undefined ? {} : { "x-nomad-nexttoken": next }) };
  const show = (item: T) => listing.show(item, state);
  if (items.length <= itemsPerPiece) return jsonReply(items.map(show), isPretty(context, call), 200, headers);
  const body = pieces(items, show, isPretty(context, call) ? indented : compact);
  return { status: 200, headers: { "content-type": "application/json", ...headers }, body };
}

/** A list of any length neither holds the event loop nor stands in memory as text. */
const itemsPerPiece = 100;

/** How the JSON of a list is laid out. */
interface Layout {
  text(item: object): string;
  readonly before: string;
  readonly end: string;
}

const compact: Layout = { text: (item) => JSON.stringify(item), before: "", end: "]" };
const indented: Layout = {
  text: (item) => JSON.stringify(item, null, 4).replaceAll("\n", "\n    "),
  before: "\n    ",
  end: "\n]\n",
};

async function* pieces<T>(items: readonly T[], show: (item: T) => object, layout: Layout): AsyncGenerator<string> {
  for (let i = 0; i < items.length; i += itemsPerPiece) {
    const some = items.slice(i, i + itemsPerPiece).map((item) => layout.before + layout.text(show(item)));
    yield `${i === 0 ? "[" : ","}${some.join(",")}`;
    await setImmediate();
  }
  yield layout.end;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

async function pageOf<T>(
  there: readonly T[],
  listing: Listing<T>,
  namespace: string,
  options: ListOptions,
  state: OrchestratorState,
): Promise<Page<T>> {
  const { namespaceOf, isNewestFirst = false } = listing;
  const wanted = namespaceOf && namespace !== "*" ? there.filter((item) => namespaceOf(item) === namespace) : there;
  const step = options.reverse === isNewestFirst ? 1 : -1;
  const chosen = await filtered(listing, wanted, options, state);
  const sorted = chosen
    .map((item) => ({ item, position: listing.positionOf(item, state, options) }))
    .sort((a, b) => step * comparePositions(a.position, b.position));
  const from = positionIn(options.nextToken, sorted[0]?.position);
  const rest = from ? sorted.filter(({ position }) => step * comparePositions(position, from) >= 0) : sorted;
  const shown = options.perPage === 0 ? rest : rest.slice(0, options.perPage);
  const next = rest[shown.length];
  return { items: shown.map(({ item }) => item), next: next && tokenOf(next.position) };
}

function comparePositions(a: Position, b: Position): number {
  return (a.index ?? 0) - (b.index ?? 0) || compareKeys(a.name, b.name);
}

function tokenOf({ index, name }: Position): string {
  return index === undefined ? name : `${index}.${name}`;
}

/** What a token says, in a list whose positions are like this one; undefined for the beginning. */
function positionIn(token: string, like: Position | undefined): Position | undefined {
  if (token === "" || !like) return undefined;
  if (like.index === undefined) return { name: token };
  const [index = "", name = ""] = token.split(".");
  return { index: Number.parseInt(index, 10) || 0, name };
}

async function filtered<T>(
  listing: Listing<T>,
  items: readonly T[],
  { filter }: ListOptions,
  state: OrchestratorState,
): Promise<readonly T[]> {
  if (!filter) return items;
  const chosen: T[] = [];
  for (let i = 0; i < items.length; i += itemsPerPiece) {
    const some = items.slice(i, i + itemsPerPiece);
    const forms = some.map((item) => (listing.whole ?? listing.show)(item, state));
    const result = filter.select(forms);
    if (!result.ok) throw badRequest(`failed to read result page: ${result.why}`);
    const wanted = new Set(result.items);
    chosen.push(...some.filter((_, k) => wanted.has(forms[k]!)));
    await setImmediate();
  }
  return chosen;
}

/** The headers that every read has. */
export function readHeaders({ projection }: HttpContext, index: number): Record<string, string> {
  return {
    // Never 0: a client that waits with index 0 does not wait.
    "x-nomad-index": String(Math.max(1, index)),
    "x-nomad-knownleader": String(projection.knowsLeader),
    "x-nomad-lastcontact": String(Math.trunc(projection.knowsLeader ? 0 : projection.lastContact)),
  };
}

/** Answers a change with its index. */
export function answerWrite(context: HttpContext, call: Call, index: number, value: object): HttpReply {
  return jsonReply(value, isPretty(context, call), 200, { "x-nomad-index": String(index) });
}

export function isPretty(context: HttpContext, { query }: Call): boolean {
  return context.pretty || (query.has("pretty") && query.get("pretty") !== "0");
}
