import { setImmediate } from "node:timers/promises";
import type { HttpReply } from "@millwright/core/http";

/** Headers of a read. */
export interface ReadMeta {
  readonly index: number;
  readonly knownLeader: boolean;
  readonly lastContact: number;
  readonly consistency: "default" | "consistent" | "stale";
  readonly filtered: boolean;
}

export function readHeaders(meta: ReadMeta): Record<string, string> {
  const consistency = meta.consistency === "default" ? "leader" : meta.consistency;
  return {
    // Never 0: a client that waits with index 0 does not wait.
    "x-consul-index": String(Math.max(1, meta.index)),
    ...contactHeaders(meta),
    "x-consul-effective-consistency": consistency,
    "x-consul-query-backend": "blocking-query",
    ...(meta.filtered ? { "x-consul-results-filtered-by-acls": "true" } : {}),
  };
}

export function contactHeaders(contact: {
  readonly knownLeader: boolean;
  readonly lastContact: number;
}): Record<string, string> {
  return {
    "x-consul-knownleader": String(contact.knownLeader),
    "x-consul-lastcontact": String(Math.trunc(contact.lastContact)),
  };
}

/** A list to be written as JSON. */
export interface JsonList<T> {
  /** Read while the answer is sent. */
  readonly items: Iterable<T>;
  /** An item's JSON; over several lines, with this level of indentation, where the level is given. */
  write(item: T, level: number | undefined): string;
  readonly pretty: boolean;
  /** The list as the value of a field, instead of alone: what comes before and behind it. */
  readonly within?: { readonly open: string; readonly close: string };
}

/**
 * A list as JSON, item by item: a short one in one piece, a long one piece by piece, so that a list of any size neither
 * holds the event loop nor stands in memory as text.
 */
export function jsonListReply<T>(list: JsonList<T>, headers: Record<string, string>): HttpReply {
  const pieces = listPieces(list);
  const first = pieces.next().value ?? "";
  const second = pieces.next();
  const body = second.done ? first : yielding(first, second.value, pieces);
  return { status: 200, headers: { "content-type": "application/json", ...headers }, body };
}

/** A value as an item of a list: as `JsonList.write` gives it. */
export function jsonItem(value: unknown, level: number | undefined): string {
  if (level === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, 4).replaceAll("\n", `\n${"    ".repeat(level)}`);
}

const pieceLength = 64 * 1024;

function* listPieces<T>({ items, write, pretty, within }: JsonList<T>): Generator<string, undefined> {
  const level = pretty ? (within ? 2 : 1) : undefined;
  const line = level === undefined ? "" : `\n${"    ".repeat(level)}`;
  let piece = `${within?.open ?? ""}[`;
  let first = true;
  for (const item of items) {
    if (piece.length >= pieceLength) {
      yield piece;
      piece = "";
    }
    piece += (first ? line : `,${line}`) + write(item, level);
    first = false;
  }
  const lastLine = level === undefined || first ? "" : `\n${"    ".repeat(level - 1)}`;
  yield `${piece}${lastLine}]${within?.close ?? ""}${pretty ? "\n" : ""}`;
  return undefined;
}

async function* yielding(first: string, second: string, rest: Generator<string, undefined>): AsyncGenerator<string> {
  yield first;
  yield second;
  for (const piece of rest) {
    await setImmediate();
    yield piece;
  }
}
