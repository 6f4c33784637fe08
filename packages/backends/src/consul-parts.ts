import { randomUUID } from "node:crypto";
import type { ConsulClient } from "@millwright/clients/consul";
import { lockFlag } from "@millwright/clients/consul-lock";
import { type HeldSession, holdSession, keepSession } from "@millwright/clients/held-session";
import type { Clock } from "@millwright/core/ports";
import { type LockInfo, parseLockInfo } from "@millwright/engine/backend/lock-info";
import type { BusyPart, PartsHold, PartsTry, WantedParts } from "@millwright/engine/backend/parts-hold";
import { hasEnded, type HolderProcess, parseHolderProcess, thisProcess } from "./holder-process.ts";

/** A state in Consul that several runs share. */
export interface ConsulSharing {
  readonly client: ConsulClient;
  readonly clock: Clock;
  /** Of the state. */
  readonly key: string;
  readonly info: LockInfo;
  replace(expected: Uint8Array, bytes: Uint8Array): Promise<boolean>;
}

/** The least that Consul takes: what a run that was killed elsewhere held is free within twice that. */
const ttlSeconds = 10;

/** Marks the lock's key while several share it; another number follows for each that joins. */
const open = "shared ";
/** The last one has left, and gives the lock back. */
const closed = "closing";

/**
 * A state shared by sessions: one that all who share keep alive holds the lock's key, so that whoever wants the state alone
 * is kept out until the last has gone; and each has one of its own, which holds a key for its being there and one for each
 * part. Who joins says so in the lock's key by check-and-set, and so does the last one who goes: it never gives the lock back
 * under one who has just come. Where all of them are killed the session ends by itself.
 */
export class ConsulPartsHold implements PartsHold {
  readonly info: LockInfo;
  readonly lost: AbortSignal;
  readonly #sharing: ConsulSharing;
  readonly #group: HeldSession;
  readonly #own: HeldSession;
  #held: readonly string[] = [];

  private constructor(sharing: ConsulSharing, group: HeldSession, own: HeldSession) {
    this.#sharing = sharing;
    this.#group = group;
    this.#own = own;
    this.info = { ...sharing.info, ID: own.id, Info: `consul session: ${own.id}`, Path: sharing.key };
    this.lost = AbortSignal.any([group.ended, own.ended]);
  }

  /** Joins those that share the state, or is the first; undefined where somebody has it alone. */
  static async join(sharing: ConsulSharing): Promise<ConsulPartsHold | undefined> {
    const { client, clock, key } = sharing;
    const name = "Millwright state parts";
    const own = await holdSession(client, { name, clock, ttlSeconds, lockDelayMilliseconds: 0, behavior: "delete" });
    try {
      // Said before the lock is looked at: the last one who goes sees it, or its going is seen here.
      await client.kv.put(memberKey(key, own.id), "", { acquire: own.id });
      const group = await joinGroup(sharing);
      if (group) return new ConsulPartsHold(sharing, group, own);
    } catch (error) {
      await own.end();
      throw error;
    }
    await own.end();
    return undefined;
  }

  async hold({ changed, read }: WantedParts): Promise<PartsTry> {
    const { client } = this.#sharing;
    const busy: HeldPart[] = [];
    const taken: string[] = [];
    const value = JSON.stringify({ ...this.info, Process: thisProcess() });
    for (const part of changed) {
      const key = `${this.#partKey(part)}/own`;
      if (await client.kv.put(key, value, { acquire: this.#own.id })) taken.push(key);
      const other = await this.#otherHolder(part, "any");
      if (other) busy.push({ part, ...other });
    }
    for (const part of read) {
      const key = `${this.#partKey(part)}/read/${this.#own.id}`;
      if (await client.kv.put(key, value, { acquire: this.#own.id })) taken.push(key);
      const other = await this.#otherHolder(part, "own");
      if (other) busy.push({ part, ...other });
    }
    if (busy.length === 0 && taken.length === changed.length + read.length) {
      this.#held = [...new Set([...this.#held, ...taken])];
      return { kind: "held" };
    }
    await this.#remove(taken.filter((key) => !this.#held.includes(key)));
    const left = busy.filter(({ process }) => process && hasEnded(process));
    // A run that was killed on this machine holds nothing any more; Consul would only see that when its time is over.
    for (const session of new Set(left.map(({ session }) => session))) await client.sessions.destroy(session);
    if (left.length > 0) return this.hold({ changed, read });
    if (busy.length > 0) return { kind: "busy", busy };
    // One that has just let go.
    return { kind: "busy", busy: changed.map((part) => ({ part, holder: undefined })) };
  }

  async letGo(): Promise<void> {
    await this.#remove(this.#held);
    this.#held = [];
  }

  replace(expected: Uint8Array, bytes: Uint8Array): Promise<boolean> {
    return this.#sharing.replace(expected, bytes);
  }

  async release(): Promise<void> {
    await this.letGo();
    await this.#sharing.client.kv.delete(memberKey(this.#sharing.key, this.#own.id));
    try {
      await this.#leaveGroup();
    } finally {
      await this.#group.end();
      await this.#own.end();
    }
  }

  /** Gives the lock back where nobody is there any more. */
  async #leaveGroup(): Promise<void> {
    const { client, key } = this.#sharing;
    for (;;) {
      const { value: lock } = await client.kv.get(lockKey(key), { consistency: "consistent" });
      if (lock?.session !== this.#group.id) return;
      const { value: members } = await client.kv.keys(memberKey(key, ""), { consistency: "consistent" });
      if (members.length > 0) return;
      if (await client.kv.put(lockKey(key), closed, { cas: lock.modifyIndex, flags: lockFlag })) break;
    }
    await client.kv.delete(infoKey(key));
    await client.kv.put(lockKey(key), "", { release: this.#group.id, flags: lockFlag });
    await client.sessions.destroy(this.#group.id);
  }

  /** Who else holds a part for itself, or at all. */
  async #otherHolder(part: string, how: "any" | "own"): Promise<Omit<HeldPart, "part"> | undefined> {
    const prefix = how === "any" ? `${this.#partKey(part)}/` : `${this.#partKey(part)}/own`;
    const { value } = await this.#sharing.client.kv.list(prefix, { consistency: "consistent" });
    const other = value.find(({ session }) => session !== undefined && session !== this.#own.id);
    if (other?.session === undefined) return undefined;
    return { holder: parseLockInfo(other.value), session: other.session, process: processOf(other.value) };
  }

  async #remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#sharing.client.kv.delete(key);
  }

  #partKey(part: string): string {
    return `${this.#sharing.key}/.parts/${encodeURIComponent(part)}`;
  }
}

/** A part that a session holds, and the process that is behind it. */
interface HeldPart extends BusyPart {
  readonly session: string;
  readonly process: HolderProcess | undefined;
}

function processOf(value: Uint8Array): HolderProcess | undefined {
  try {
    const plain = JSON.parse(Buffer.from(value).toString("utf8")) as { readonly Process?: unknown } | null;
    return parseHolderProcess(plain?.Process);
  } catch {
    return undefined;
  }
}

async function joinGroup(sharing: ConsulSharing): Promise<HeldSession | undefined> {
  const { client, clock, key } = sharing;
  for (;;) {
    const { value: lock } = await client.kv.get(lockKey(key), { consistency: "consistent" });
    if (!lock || lock.session === undefined) return beginGroup(sharing);
    if (!Buffer.from(lock.value).toString().startsWith(open)) return undefined;
    const joined = await client.kv.put(lockKey(key), `${open}${randomUUID()}`, {
      cas: lock.modifyIndex,
      flags: lockFlag,
    });
    if (!joined) continue;
    if (!(await client.sessions.renew(lock.session))) return undefined;
    return keepSession(client, lock.session, { ttlSeconds, clock });
  }
}

async function beginGroup({ client, clock, key, info }: ConsulSharing): Promise<HeldSession | undefined> {
  const name = "Millwright state lock, shared";
  // Not ended by the one who made it, but by the last.
  const id = await client.sessions.create({ name, ttl: `${ttlSeconds}s`, lockDelayMilliseconds: 5_000 });
  if (!(await client.kv.put(lockKey(key), `${open}${randomUUID()}`, { acquire: id, flags: lockFlag }))) {
    await client.sessions.destroy(id);
    return undefined;
  }
  const shared = { ...info, ID: id, Info: `consul session: ${id}`, Path: key };
  await client.kv.put(infoKey(key), JSON.stringify(shared));
  return keepSession(client, id, { ttlSeconds, clock });
}

function lockKey(key: string): string {
  return `${key}/.lock`;
}

function infoKey(key: string): string {
  return `${key}/.lockinfo`;
}

/** The key that says that a session shares a state. */
export function memberKey(key: string, session: string): string {
  return `${key}/.sharing/${session}`;
}
