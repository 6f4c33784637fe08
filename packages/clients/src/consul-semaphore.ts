import { systemClock } from "@millwright/core/ports";
import type { ConsulClient } from "./consul.ts";
import type { KvEntry } from "./consul-kv.ts";
import {
  type HeldLock,
  lockConflict,
  type LockOptions,
  longestPoll,
  Patience,
  sessionLost,
  watchHeld,
} from "./held-lock.ts";
import { type HeldSession, holdSession, ignoreOperational } from "./held-session.ts";
import { OperationalError } from "@millwright/core/errors";
import { clientErrors } from "./errors.ts";

/** The flags of the keys of a semaphore, as Consul's own client has it. */
export const semaphoreFlag = 0xe0f69a2baa414de0n;

export interface SemaphoreRequest extends LockOptions {
  /** The folder of its keys, without a slash at the end. */
  readonly prefix: string;
  /** How many may hold it at once; all must name the same number. */
  readonly limit: number;
}

/**
 * Takes one of the places of a semaphore, as every client of Consul's API does that follows its recipe
 * (https://developer.hashicorp.com/consul/tutorials/archive/distributed-semaphore): each contender has a key `PREFIX/SESSION`
 * locked by its session, and `PREFIX/.lock` lists who holds a place.
 *
 * Resolves to undefined where none was got in the time to wait. Rejects with `lockConflict` where the keys are used for
 * something else or with another limit, and with the signal's reason.
 */
export async function acquireSemaphore(client: ConsulClient, request: SemaphoreRequest): Promise<HeldLock | undefined> {
  const { prefix, sessionName = "Semaphore", sessionTtlSeconds, lockDelayMilliseconds, signal } = request;
  const { clock = systemClock } = request;
  const patience = new Patience(request);
  const session = await holdSession(client, {
    name: sessionName,
    // The contender's key is gone with its session.
    behavior: "delete",
    clock,
    ...(sessionTtlSeconds === undefined ? {} : { ttlSeconds: sessionTtlSeconds }),
    ...(lockDelayMilliseconds === undefined ? {} : { lockDelayMilliseconds }),
    ...(signal ? { call: { signal } } : {}),
  });
  try {
    const contending = { acquire: session.id, flags: semaphoreFlag, ...(signal ? { signal } : {}) };
    if (!(await client.kv.put(`${prefix}/${session.id}`, "", contending))) throw lockConflict(prefix, "a semaphore");
    if (await takePlace(client, { ...request, session, patience })) return held(client, request, session);
  } catch (error) {
    await session.end();
    throw session.ended.aborted && !signal?.aborted ? sessionLost(session) : error;
  }
  await session.end();
  return undefined;
}

/** Removes a semaphore's list where nobody holds a place; resolves to whether it is gone. */
export async function removeSemaphore(client: ConsulClient, prefix: string): Promise<boolean> {
  const { value: entries } = await client.kv.list(`${prefix}/`);
  const { entry, holders } = placesOf(prefix, entries);
  if (!entry) return true;
  return holders.length === 0 && client.kv.delete(entry.key, { cas: entry.modifyIndex });
}

interface Places {
  /** Of the list; undefined where there is none yet. */
  readonly entry: KvEntry | undefined;
  readonly limit: number | undefined;
  /** Those whose sessions live. */
  readonly holders: readonly string[];
}

function placesOf(prefix: string, entries: readonly KvEntry[]): Places {
  const key = `${prefix}/.lock`;
  const entry = entries.find((one) => one.key === key);
  if (entries.some(({ flags }) => flags !== semaphoreFlag)) throw lockConflict(prefix, "a semaphore");
  if (!entry) return { entry, limit: undefined, holders: [] };
  const list: unknown = JSON.parse(Buffer.from(entry.value).toString() || "{}");
  const { Limit, Holders } = (list ?? {}) as { readonly Limit?: unknown; readonly Holders?: unknown };
  const alive = new Set(entries.flatMap(({ session }) => (session === undefined ? [] : [session])));
  const holders = Object.keys((Holders ?? {}) as object).filter((session) => alive.has(session));
  return { entry, limit: typeof Limit === "number" ? Limit : undefined, holders };
}

interface Taking extends SemaphoreRequest {
  readonly session: HeldSession;
  readonly patience: Patience;
}

async function takePlace(client: ConsulClient, taking: Taking): Promise<boolean> {
  const { prefix, limit, session, patience } = taking;
  const signal = AbortSignal.any([session.ended, ...(taking.signal ? [taking.signal] : [])]);
  for (let index = 0; ; ) {
    const waiting = index > 0 ? { index, wait: patience.left(longestPoll) } : {};
    const answer = await client.kv.list(`${prefix}/`, { consistency: "consistent", signal, ...waiting });
    const places = placesOf(prefix, answer.value);
    if (places.limit !== undefined && places.limit !== limit) throw otherLimit(prefix, places.limit, limit);
    if (places.holders.includes(session.id)) return true;
    if (places.holders.length < limit) {
      if (await writePlaces(client, taking, places, [...places.holders, session.id])) return true;
      index = 0;
    } else index = Math.max(1, answer.index);
    if (patience.isOver) return false;
  }
}

function writePlaces(
  client: ConsulClient,
  { prefix, limit }: SemaphoreRequest,
  { entry }: Places,
  holders: readonly string[],
): Promise<boolean> {
  const list = { Limit: limit, Holders: Object.fromEntries(holders.map((holder) => [holder, true])) };
  const options = { cas: entry?.modifyIndex ?? 0, flags: semaphoreFlag };
  return client.kv.put(`${prefix}/.lock`, JSON.stringify(list), options);
}

function held(client: ConsulClient, request: SemaphoreRequest, session: HeldSession): HeldLock {
  const { prefix, monitorRetries = 3, clock = systemClock } = request;
  const stop = new AbortController();
  const { lost, done } = watchHeld(
    {
      session,
      retries: monitorRetries,
      clock,
      read: (position) => client.kv.list(`${prefix}/`, { consistency: "consistent", ...position }),
      whyLost: (entries) =>
        placesOf(prefix, entries).holders.includes(session.id) ? undefined : `the place under ${prefix} was taken away`,
    },
    stop.signal,
  );
  return {
    key: `${prefix}/.lock`,
    session: session.id,
    lost,
    release: async () => {
      stop.abort();
      await done;
      // Where the server cannot be told, the place is free when the session has ended.
      await leave(client, request, session.id).catch(ignoreOperational);
      await session.end();
    },
  };
}

async function leave(client: ConsulClient, request: SemaphoreRequest, session: string): Promise<void> {
  for (;;) {
    const { value: entries } = await client.kv.list(`${request.prefix}/`, { consistency: "consistent" });
    const places = placesOf(request.prefix, entries);
    if (!places.holders.includes(session)) return;
    const others = places.holders.filter((holder) => holder !== session);
    if (await writePlaces(client, request, places, others)) return;
  }
}

function otherLimit(prefix: string, there: number, wanted: number): OperationalError {
  const text = `The semaphore at ${JSON.stringify(prefix)} has ${there} places, and ${wanted} were asked for: all who use it must name the same number.`;
  return new OperationalError(clientErrors.lockConflict, text);
}
