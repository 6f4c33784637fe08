import type { Clock } from "@millwright/core/ports";
import { type LockInfo, lockedError } from "./lock-info.ts";
import type { PartsHold, ShareTry } from "./parts-hold.ts";

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
  /** Tries once to hold the state: everything in the slot. */
  lock(info: LockInfo, signal: AbortSignal): Promise<LockTry>;
  /** Tries once to share the state with others that hold parts of it. Only slots that can have it. */
  share?(info: LockInfo, signal: AbortSignal): Promise<ShareTry>;
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
export function takeLock(slot: StateSlot, request: LockRequest): Promise<SlotLock> {
  return taken(slot, request, async (info, signal) => slot.lock(info, signal));
}

/** A state that is held, shared with others or not. */
export type SharedLock =
  | { readonly kind: "whole"; readonly lock: SlotLock }
  | { readonly kind: "parts"; readonly lock: PartsHold };

/**
 * Shares a state with others that hold parts of it, where the slot can do that and has a state; else holds it for this
 * process alone. Rejects with `stateLocked`.
 */
export function takeShare(slot: StateSlot, request: LockRequest): Promise<SharedLock> {
  return taken<SharedLock>(slot, request, async (info, signal) => {
    const shared = (await slot.share?.(info, signal)) ?? { kind: "nothing there" };
    if (shared.kind === "held") return { kind: "held", lock: { kind: "parts", lock: shared.hold } };
    if (shared.kind === "busy") return shared;
    const tried = await slot.lock(info, signal);
    return tried.kind === "held" ? { kind: "held", lock: { kind: "whole", lock: tried.lock } } : tried;
  });
}

type Busy = Extract<LockTry, { readonly kind: "busy" }>;

async function taken<T>(
  slot: StateSlot,
  request: LockRequest,
  attempt: (info: LockInfo, signal: AbortSignal) => Promise<Busy | { readonly kind: "held"; readonly lock: T }>,
): Promise<T> {
  const { info, clock, signal } = request;
  const deadline = clock.monotonic() + request.timeout;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    const tried = await attempt(info, signal);
    if (tried.kind === "held") return tried.lock;
    if (clock.monotonic() >= deadline) throw lockedError(slot.place, tried.holder, tried.why);
    await clock.sleep(Math.min(wait, Math.max(1, deadline - clock.monotonic())), signal);
  }
}
