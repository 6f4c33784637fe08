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

export function textReply(status: number, text: string, headers: Record<string, string> = {}): HttpReply {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: text };
}

export function emptyReply(status: number, headers: Record<string, string> = {}): HttpReply {
  return { status, headers };
}

/** A value as JSON; with four spaces of indentation where `pretty`. */
export function jsonReply(
  value: unknown,
  pretty: boolean,
  status = 200,
  headers: Record<string, string> = {},
): HttpReply {
  const body = pretty ? `${JSON.stringify(value, null, 4)}\n` : JSON.stringify(value);
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

/**
 * A JSON list, item by item: a short one in one piece, a long one piece by piece, so that a list of any size neither
 * holds the event loop nor stands in memory as text. `write` gives an item's JSON, already indented where `pretty`.
 */
export function jsonListReply<T>(
  items: readonly T[],
  write: (item: T) => string,
  pretty: boolean,
  headers: Record<string, string>,
): HttpReply {
  const type = { "content-type": "application/json", ...headers };
  const pieces = listPieces(items, write, pretty);
  const first = pieces.next();
  if (first.done) return { status: 200, headers: type, body: pretty ? "[]\n" : "[]" };
  const second = pieces.next();
  if (second.done) return { status: 200, headers: type, body: first.value };
  return { status: 200, headers: type, body: yielding(first.value, second.value, pieces) };
}

const pieceLength = 64 * 1024;

function* listPieces<T>(
  items: readonly T[],
  write: (item: T) => string,
  pretty: boolean,
): Generator<string, undefined> {
  if (items.length === 0) return undefined;
  const [open, between, close] = pretty ? ["[\n", ",\n", "\n]\n"] : ["[", ",", "]"];
  let piece = open;
  for (let i = 0; i < items.length; i++) {
    if (piece.length >= pieceLength) {
      yield piece;
      piece = "";
    }
    piece += (i === 0 ? "" : between) + write(items[i]!);
  }
  yield piece + close;
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
