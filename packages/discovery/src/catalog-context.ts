import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import { blockingRead } from "@millwright/records/blocking";
import { parseReadOptions } from "@millwright/records/read-options";
import type { Shown } from "./catalog-json.ts";
import type { NodeIdentity } from "./identity.ts";
import { type ListQuery, parseListQuery } from "./list-query.ts";
import { checkKnown } from "./permissions.ts";
import { jsonItem, jsonListReply, readHeaders } from "./reply.ts";
import type { Call } from "./route.ts";
import type { DiscoveryCommits, DiscoveryReads, DiscoveryState } from "./state.ts";

export interface CatalogContext extends DiscoveryReads, DiscoveryCommits {
  readonly identity: NodeIdentity;
  /** Whether JSON is always indented. */
  readonly pretty: boolean;
}

/** What a read of the catalog gives, before it is written as JSON. */
export interface Answer<T> {
  readonly value: T;
  /** Whether something was left out that the token may not read. */
  readonly hidden: boolean;
}

/** What a read works with: the state at one moment, and how the request wants it shown. */
export interface View extends Shown {
  readonly state: DiscoveryState;
  readonly query: ListQuery;
}

/** A read of the catalog that may wait for a change of any of the topics. */
export interface CatalogRead<T> {
  readonly topics: readonly string[];
  /**
   * Works on the state at once; what it gives must not look at the state again. Where it gives a promise, that works on views
   * that it took at once, with turns for others.
   */
  answer(view: View): Answer<T> | Promise<Answer<T>>;
}

/** Answers with one JSON value. */
export async function answerJson<T>(context: CatalogContext, call: Call, read: CatalogRead<T>): Promise<HttpReply> {
  const { value, headers } = await readCatalog(context, call, read);
  return jsonReply(value, isPretty(context, call), 200, headers);
}

/** Answers with a list, whose items are written while it is sent. */
export async function answerList<T>(
  context: CatalogContext,
  call: Call,
  read: CatalogRead<readonly T[]> & { item(item: T, shown: Shown): unknown },
): Promise<HttpReply> {
  const { value, headers, shown } = await readCatalog(context, call, read);
  const write = (item: T, level: number | undefined) => jsonItem(read.item(item, shown), level);
  return jsonListReply({ items: value, write, pretty: isPretty(context, call) }, headers);
}

export function isPretty(context: CatalogContext, call: Call): boolean {
  return context.pretty || call.query.has("pretty");
}

async function readCatalog<T>(context: CatalogContext, call: Call, read: CatalogRead<T>) {
  checkKnown(call.grants);
  const options = parseReadOptions(call.query);
  const query = parseListQuery(call.query);
  const subject = { kind: "topics", topics: read.topics } as const;
  const { index, value } = await blockingRead(context, options, subject, call.request, {
    index: (state) => state.indexOf(state.changedTopics(read.topics)),
    value: (state) => {
      // Not by the state at the end: a restore may have put another base in its place while the answer is sent.
      const { base } = state.meta;
      const shown: Shown = { datacenter: context.identity.datacenter, indexOf: (revision) => base + revision };
      return { shown, answer: read.answer({ ...shown, state, query }) };
    },
  });
  const { projection } = context;
  const answer = await value.answer;
  const headers = readHeaders({
    index,
    // Whoever comes without a token is not told that there is more to see.
    filtered: answer.hidden && call.token !== "",
    knownLeader: projection.knowsLeader,
    lastContact: options.consistency === "stale" ? projection.lastContact : 0,
    consistency: options.consistency,
  });
  return { value: answer.value, shown: value.shown, headers };
}
