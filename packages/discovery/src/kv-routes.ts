import { OperationalError } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { emptyReply, jsonReply } from "@millwright/core/http-reply";
import { blockingRead } from "@millwright/records/blocking";
import { parseReadOptions, type ReadOptions } from "@millwright/records/read-options";
import { RecordView } from "@millwright/records/record-view";
import { prefixRange } from "@millwright/store/contract";
import { discoveryErrors } from "./errors.ts";
import { jsonObject, kvFields } from "./kv-json.ts";
import type { LockOutcome } from "./kv-lock.ts";
import type { KvRecord } from "./kv-record.ts";
import type { KvWriter } from "./kv-write.ts";
import { badRequest, parseCas, parseUint64 } from "./parameters.ts";
import type { Permission } from "./permissions.ts";
import { jsonListReply, type ReadMeta, readHeaders } from "./reply.ts";
import type { Call, Route } from "./route.ts";
import type { DiscoveryReads, KvEntry } from "./state.ts";
import type { Row } from "./tables.ts";

export interface KvRoutesContext extends DiscoveryReads {
  readonly writer: KvWriter;
  /** Whether JSON is always indented. */
  readonly pretty: boolean;
}

/** The largest value of a key, in bytes. */
export const largestValue = 524_288;

/** `/v1/kv`, with locks (`acquire`, `release`). */
export function kvRoutes(context: KvRoutesContext): Route[] {
  const pattern = "/v1/kv/*key";
  return [
    {
      method: "GET",
      pattern,
      permission: {
        kind: "needs",
        what: "key:read; lists are cut down to the keys it is given for",
        of: readPermission,
      },
      blocking: true,
      handle: (call) => get(context, call),
    },
    {
      method: "PUT",
      pattern,
      permission: { kind: "needs", what: "key:write", of: (call) => [keyPermission("write", call)] },
      blocking: false,
      handle: (call) => put(context, call),
    },
    {
      method: "DELETE",
      pattern,
      permission: {
        kind: "needs",
        what: "key:write, with recurse for all keys under the prefix",
        of: deletePermission,
      },
      blocking: false,
      handle: (call) => remove(context, call),
    },
  ];
}

function keyPermission(access: "read" | "write", call: Call): Permission {
  return { resource: "key", access, name: keyOf(call) };
}

function readPermission(call: Call): Permission[] {
  return call.query.has("recurse") || call.query.has("keys") ? [] : [keyPermission("read", call)];
}

function deletePermission(call: Call): Permission[] {
  if (!call.query.has("recurse")) return [keyPermission("write", call)];
  return [{ resource: "key-prefix", access: "write", name: keyOf(call) }];
}

function keyOf(call: Call): string {
  return call.params.key ?? "";
}

function get(context: KvRoutesContext, call: Call): Promise<HttpReply> {
  const options = parseReadOptions(call.query);
  if (call.query.has("keys")) return listKeys(context, call, options);
  if (call.query.has("recurse")) return listEntries(context, call, options);
  if (keyOf(call) === "") throw badRequest("Missing key name");
  return getOne(context, call, options);
}

async function getOne(context: KvRoutesContext, call: Call, options: ReadOptions): Promise<HttpReply> {
  const key = keyOf(call);
  const { index, value } = await blockingRead(context, options, { kind: "key", text: key }, call.request, {
    index: (state) => state.indexOf(state.changedKey(key)),
    value: (state) => ({ entry: state.row("kv", key), base: state.meta.base, lock: state.row("lock", key) }),
  });
  const headers = readHeaders(metaOf(context, options, index, false));
  const { entry } = value;
  if (!entry) return emptyReply(404, headers);
  if (call.query.has("raw")) return rawReply(entry, headers);
  const locks = value.lock ? [value.lock] : [];
  return entriesReply(context, call, { entries: [entry], base: value.base, locks, headers });
}

async function listEntries(context: KvRoutesContext, call: Call, options: ReadOptions): Promise<HttpReply> {
  const tree = await readTree(context, call, options);
  return tree.isEmpty ? emptyReply(404, tree.headers) : entriesReply(context, call, tree);
}

async function listKeys(context: KvRoutesContext, call: Call, options: ReadOptions): Promise<HttpReply> {
  const { entries, isEmpty, headers } = await readTree(context, call, options);
  // The root has no keys or some; any other prefix without keys is not there.
  if (isEmpty && keyOf(call) !== "") return emptyReply(404, headers);
  const { query } = call;
  const separator = query.get("separator") ?? query.get("seperator") ?? "";
  const items = cutAtSeparator(entries, keyOf(call).length, separator);
  return jsonListReply({ items, write: (name) => JSON.stringify(name), pretty: isPretty(context, call) }, headers);
}

interface ShownEntries {
  readonly entries: Iterable<KvEntry>;
  /** What was added to revisions when they were read: it may be another by the time they are sent. */
  readonly base: number;
  /** Those of the entries that were ever taken as locks. */
  readonly locks: Iterable<Row<"lock">>;
  readonly headers: Record<string, string>;
}

interface ReadTree extends ShownEntries {
  readonly entries: RecordView<KvEntry>;
  readonly isEmpty: boolean;
}

function entriesReply(context: KvRoutesContext, call: Call, shown: ShownEntries): HttpReply {
  const { entries, headers } = shown;
  const locks = new Map([...shown.locks].map((lock) => [lock.key, lock]));
  const base = { indexOf: (revision: number) => shown.base + revision };
  const write = (entry: KvEntry, level: number | undefined) =>
    jsonObject(kvFields(entry, { base, withValue: true, lock: locks.get(entry.key) }), level);
  return jsonListReply({ items: entries, write, pretty: isPretty(context, call) }, headers);
}

async function readTree(context: KvRoutesContext, call: Call, options: ReadOptions): Promise<ReadTree> {
  const prefix = keyOf(call);
  const { index, value } = await blockingRead(context, options, { kind: "prefix", text: prefix }, call.request, {
    index: (state) => state.indexOf(state.changedUnder(prefix)),
    value: (state) => ({ all: state.rows("kv", prefix), base: state.meta.base, locks: state.rows("lock", prefix) }),
  });
  const { grants } = call;
  const mayRead = ({ key }: KvEntry) => grants.decide({ resource: "key", access: "read", name: key }).kind === "allow";
  const entries = grants.unrestricted
    ? value.all
    : new RecordView([[...value.all].filter(mayRead)].filter((piece) => piece.length > 0));
  // Whoever comes without a token is not told that there is more to see.
  const filtered = entries.size < value.all.size && call.token !== "";
  return {
    entries,
    isEmpty: entries.size === 0,
    base: value.base,
    locks: value.locks,
    headers: readHeaders(metaOf(context, options, index, filtered)),
  };
}

// What comes behind the first separator after the prefix is one name, however many keys are there: they are skipped.
function* cutAtSeparator(entries: RecordView<KvEntry>, prefixLength: number, separator: string): Generator<string> {
  const cut = (key: string) => {
    const at = separator === "" ? -1 : key.indexOf(separator, prefixLength);
    return at < 0 ? undefined : key.slice(0, at + separator.length);
  };
  const behind = (name: string | undefined) => (name === undefined ? undefined : prefixRange(name).to);
  let last: string | undefined;
  for (const { key } of entries.skipping((entry) => behind(cut(entry.key)))) {
    const name = cut(key) ?? key;
    if (name !== last) yield name;
    last = name;
  }
}

// Values are anybody's: a browser must neither guess their type nor run them.
function rawReply(entry: KvEntry, headers: Record<string, string>): HttpReply {
  return {
    status: 200,
    headers: {
      ...headers,
      "content-type": "text/plain",
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
    },
    body: entry.value,
  };
}

async function put(context: KvRoutesContext, call: Call): Promise<HttpReply> {
  const { query, request } = call;
  const key = keyOf(call);
  if (key === "") throw badRequest("Missing key name");
  refuseConflicts(query, ["cas", "acquire", "release"]);
  const flags = query.has("flags") ? parseUint64("flags", query.get("flags") ?? "") : 0n;
  const cas = query.has("cas") ? parseCas(query.get("cas") ?? "") : undefined;
  const record = { value: await readBody(request, largestValue, discoveryErrors.tooLarge), flags };
  return jsonReply(await write(context.writer, query, { key, record, cas }), isPretty(context, call));
}

interface Written {
  readonly key: string;
  readonly record: KvRecord;
  readonly cas: number | undefined;
}

// Whether it was written.
async function write(writer: KvWriter, query: URLSearchParams, { key, record, cas }: Written): Promise<boolean> {
  for (const lock of ["acquire", "release"] as const) {
    if (!query.has(lock)) continue;
    const session = sessionOf(query, lock);
    return isDone(await writer[lock]({ key, record, session }), session);
  }
  if (cas !== undefined) return writer.compareAndPut(key, record, cas);
  await writer.put(key, record);
  return true;
}

function sessionOf(query: URLSearchParams, name: "acquire" | "release"): string {
  const session = query.get(name) ?? "";
  if (session === "") throw badRequest(`missing session: write ?${name}= with the id of a session`);
  return session;
}

function isDone({ kind }: LockOutcome, session: string): boolean {
  if (kind !== "invalid-session") return kind === "done";
  throw new OperationalError(
    discoveryErrors.invalidSession,
    `invalid session ${JSON.stringify(session)}: there is none with this id, or it has ended. Create another one.`,
  );
}

async function remove(context: KvRoutesContext, call: Call): Promise<HttpReply> {
  const { query } = call;
  const key = keyOf(call);
  refuseConflicts(query, ["recurse", "cas"]);
  let gone = true;
  if (query.has("recurse")) await context.writer.deleteTree(key);
  else if (key === "") throw badRequest("Missing key name");
  else if (query.has("cas")) gone = await context.writer.compareAndDelete(key, parseCas(query.get("cas") ?? ""));
  else await context.writer.delete(key);
  return jsonReply(gone, isPretty(context, call));
}

function refuseConflicts(query: URLSearchParams, names: readonly string[]): void {
  if (names.filter((name) => query.has(name)).length < 2) return;
  const sorted = new URLSearchParams(query);
  sorted.delete("token");
  sorted.sort();
  throw badRequest(`Conflicting flags: ${sorted}`);
}

function metaOf({ projection }: KvRoutesContext, options: ReadOptions, index: number, filtered: boolean): ReadMeta {
  const stale = options.consistency === "stale";
  return {
    index,
    filtered,
    knownLeader: projection.knowsLeader,
    // A read that is not stale has just asked the store.
    lastContact: stale ? projection.lastContact : 0,
    consistency: options.consistency,
  };
}

function isPretty(context: KvRoutesContext, call: Call): boolean {
  return context.pretty || call.query.has("pretty");
}
