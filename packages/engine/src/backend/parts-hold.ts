import { randomInt } from "node:crypto";
import type { Clock } from "@millwright/core/ports";
import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "./errors.ts";
import type { LockInfo } from "./lock-info.ts";
import type { SlotLock } from "./storage.ts";

/**
 * A state that several runs share: whoever wants the whole of it is kept out, and is kept out by. Each may hold parts of it
 * for itself, by name; what they are called is the caller's.
 */
export interface PartsHold extends SlotLock {
  /** Tries once to hold all of these beside what is held already. Where one cannot be had, none of these is held. */
  hold(wanted: WantedParts): Promise<PartsTry>;
  /** Lets go of every part; the state stays shared. */
  letGo(): Promise<void>;
  /** Writes, where what is there is still `expected`; resolves to whether it was. */
  replace(expected: Uint8Array, bytes: Uint8Array): Promise<boolean>;
}

export interface WantedParts {
  /** Held by nobody else meanwhile. */
  readonly changed: readonly string[];
  /** Changed by nobody meanwhile; others may hold them for the same. None of them is in `changed`. */
  readonly read: readonly string[];
}

export type ShareTry =
  | { readonly kind: "held"; readonly hold: PartsHold }
  /** Nothing was written there yet, so that there are no parts: it has to be held as a whole. */
  | { readonly kind: "nothing there" }
  | { readonly kind: "busy"; readonly holder: LockInfo | undefined; readonly why?: string };

export type PartsTry = { readonly kind: "held" } | { readonly kind: "busy"; readonly busy: readonly BusyPart[] };

/** A part that another holds. */
export interface BusyPart {
  readonly part: string;
  readonly holder: LockInfo | undefined;
  /** Said where nothing is known of the holder. */
  readonly why?: string;
}

/** Holds parts, all or none. Rejects with `stateLocked`, which says who holds which of them and since when. */
export async function takeParts(
  hold: PartsHold,
  wanted: WantedParts,
  { place, timeout, clock, signal }: Waiting,
): Promise<void> {
  const deadline = clock.monotonic() + timeout;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    const tried = await hold.hold(wanted);
    if (tried.kind === "held") return;
    if (clock.monotonic() >= deadline) throw partsLocked(place, tried.busy);
    // Two that want the same parts together do not go on meeting each other.
    const pause = wait / 2 + randomInt(wait);
    await clock.sleep(Math.min(pause, Math.max(1, deadline - clock.monotonic())), signal);
  }
}

export interface Waiting {
  /** Of the state, for people. */
  readonly place: string;
  /** How long to wait for other holders, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function partsLocked(place: string, busy: readonly BusyPart[]): OperationalError {
  const byHolder = new Map<string, string[]>();
  for (const { part, holder, why } of busy) {
    const who = holder
      ? `${holder.Who} since ${holder.Created} (${holder.Operation}, ID ${holder.ID})`
      : (why ?? "another process (which left no word of who it is)");
    byHolder.set(who, [...(byHolder.get(who) ?? []), part]);
  }
  const held = [...byHolder].map(([who, parts]) => `Held by ${who}:\n${parts.map((part) => `  - ${part}\n`).join("")}`);
  return new OperationalError(
    backendErrors.stateLocked,
    `Another run works on parts of the state ${place} that this one would change or relies on.\n\n${held.join("\n")}\nNothing was changed. Wait for that run to end, or wait here with -lock-timeout=5m; what is planned then is planned anew where these have moved.`,
  );
}
