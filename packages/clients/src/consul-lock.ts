import { systemClock } from "@millwright/core/ports";
import type { ConsulClient } from "./consul.ts";
import type { KvEntry } from "./consul-kv.ts";
import {
  delayPause,
  type HeldLock,
  lockConflict,
  type LockOptions,
  longestPoll,
  Patience,
  sessionLost,
  watchHeld,
} from "./held-lock.ts";
import { type HeldSession, holdSession, ignoreOperational } from "./held-session.ts";

/** The flags of a key that is a lock, as Consul's own client has it. */
export const lockFlag = 0x2ddccbc058a50c18n;

export interface LockRequest extends LockOptions {
  readonly key: string;
  /** What the key holds while it is held; for people. */
  readonly value?: Uint8Array | string;
}

/**
 * Takes a key as a lock that excludes every other client of Consul's API which follows the same recipe
 * (https://developer.hashicorp.com/consul/tutorials/archive/application-leader-elections): a session that is renewed, the
 * key acquired with it, and the key watched for its loss.
 *
 * Resolves to undefined where it was not got in the time to wait. Rejects with `lockConflict` where the key is used for
 * something else, and with the signal's reason.
 */
export async function acquireLock(client: ConsulClient, request: LockRequest): Promise<HeldLock | undefined> {
  const { sessionName = "Lock", sessionTtlSeconds, lockDelayMilliseconds, clock = systemClock, signal } = request;
  const patience = new Patience(request);
  const session = await holdSession(client, {
    name: sessionName,
    clock,
    ...(sessionTtlSeconds === undefined ? {} : { ttlSeconds: sessionTtlSeconds }),
    ...(lockDelayMilliseconds === undefined ? {} : { lockDelayMilliseconds }),
    ...(signal ? { call: { signal } } : {}),
  });
  try {
    if (await takeKey(client, { ...request, clock, session, patience })) return held(client, request, session);
  } catch (error) {
    await session.end();
    throw session.ended.aborted && !signal?.aborted ? sessionLost(session) : error;
  }
  await session.end();
  return undefined;
}

/** Removes a lock's key where nobody holds it; resolves to whether it is gone. */
export async function removeLock(client: ConsulClient, key: string): Promise<boolean> {
  const { value } = await client.kv.get(key);
  if (!value) return true;
  if (value.flags !== lockFlag) throw lockConflict(key, "a lock");
  if (value.session !== undefined) return false;
  return client.kv.delete(key, { cas: value.modifyIndex });
}

interface Taking extends LockRequest {
  readonly session: HeldSession;
  readonly patience: Patience;
}

// Whether it was taken before the patience was over.
async function takeKey(client: ConsulClient, taking: Taking): Promise<boolean> {
  const { key, session, patience, clock = systemClock } = taking;
  const signal = AbortSignal.any([session.ended, ...(taking.signal ? [taking.signal] : [])]);
  for (let index = 0; ; ) {
    const wait = patience.left(longestPoll);
    const answer = await client.kv.get(key, {
      consistency: "consistent",
      signal,
      ...(index > 0 ? { index, wait } : {}),
    });
    const holder = holderOf(answer.value, key);
    if (holder === session.id) return true;
    if (holder === undefined) {
      const value = taking.value ?? new Uint8Array();
      if (await client.kv.put(key, value, { acquire: session.id, flags: lockFlag, signal })) return true;
      // Either another was quicker, which the next read tells, or it may not be taken yet.
      index = 0;
    }
    if (patience.isOver) return false;
    if (holder === undefined && !(await isHeld(client, key, signal))) {
      await clock.sleep(patience.left(delayPause), signal);
    }
    if (holder !== undefined) index = Math.max(1, answer.index);
  }
}

async function isHeld(client: ConsulClient, key: string, signal: AbortSignal): Promise<boolean> {
  const { value } = await client.kv.get(key, { consistency: "consistent", signal });
  return holderOf(value, key) !== undefined;
}

function holderOf(entry: KvEntry | undefined, key: string): string | undefined {
  if (entry && entry.flags !== lockFlag) throw lockConflict(key, "a lock");
  return entry?.session;
}

function held(client: ConsulClient, request: LockRequest, session: HeldSession): HeldLock {
  const { key, value = new Uint8Array(), monitorRetries = 3, clock = systemClock } = request;
  const stop = new AbortController();
  const { lost, done } = watchHeld(
    {
      session,
      retries: monitorRetries,
      clock,
      read: (position) => client.kv.get(key, { consistency: "consistent", ...position }),
      whyLost: (entry) => (entry?.session === session.id ? undefined : `another has the key ${key}, or nobody`),
    },
    stop.signal,
  );
  return {
    key,
    session: session.id,
    lost,
    release: async () => {
      stop.abort();
      await done;
      // Where the server cannot be told, the lock ends with the session.
      await client.kv.put(key, value, { release: session.id, flags: lockFlag }).catch(ignoreOperational);
      await session.end();
    },
  };
}
