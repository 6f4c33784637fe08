import type { Clock } from "@millwright/core/ports";
import { type LockInfo, lockedError } from "./lock-info.ts";

/**
 * Where the states of a configuration are kept, a named one for each workspace. What is written are the bytes of a state
 * file, which a storage does not look into. Rejects with `stateUnreadable` or `stateUnwritable`, which say what to do.
 */
export interface StateStorage {
  /** Whether it keeps other workspaces than `default`. */
  readonly keepsWorkspaces: boolean;
  /** Names of the workspaces that have a state, and always `default`. */
  workspaces(signal: AbortSignal): Promise<readonly string[]>;
  slot(workspace: string): StateSlot;
  /** Forgets a workspace with its state; that there is none is no error. */
  remove(workspace: string, signal: AbortSignal): Promise<void>;
  /** Ends what it has open; locks that are still held end with it. */
  close(): Promise<void>;
}

/** The place of one state. */
export interface StateSlot {
  /** For people, such as the path of a file or an address without its secrets. */
  readonly place: string;
  /** Undefined where nothing was written yet. */
  read(signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** When it resolves, the bytes are safe. At most one write is under way at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Tries once to hold the state. The lock is over everything in the slot; one that is over parts only would be a further
   * method of those slots that can, which excludes this one and is excluded by it.
   */
  lock(info: LockInfo, signal: AbortSignal): Promise<LockTry>;
  /** Takes the lock with that id away from its holder, who has died. Rejects where the id is another. */
  forceUnlock(id: string, signal: AbortSignal): Promise<void>;
}

export type LockTry =
  | { readonly kind: "held"; readonly lock: SlotLock }
  /** `why` is said where nothing is known of the holder. */
  | { readonly kind: "busy"; readonly holder: LockInfo | undefined; readonly why?: string };

/** A state that is held. */
export interface SlotLock {
  readonly info: LockInfo;
  /** Aborted when the lock is lost while it is held, where the storage can tell; its reason is a sentence. */
  readonly lost?: AbortSignal;
  release(): Promise<void>;
}

export interface LockRequest {
  readonly info: LockInfo;
  /** How long to wait for another holder, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Holds a state for this process alone. Rejects with `stateLocked`, which says who holds it and since when. */
export async function takeLock(slot: StateSlot, request: LockRequest): Promise<SlotLock> {
  const { info, clock, signal } = request;
  const deadline = clock.monotonic() + request.timeout;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    const tried = await slot.lock(info, signal);
    if (tried.kind === "held") return tried.lock;
    if (clock.monotonic() >= deadline) throw lockedError(slot.place, tried.holder, tried.why);
    await clock.sleep(Math.min(wait, Math.max(1, deadline - clock.monotonic())), signal);
  }
}
