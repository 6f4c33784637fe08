import { OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import type { Answer } from "./consul-api.ts";
import type { HeldSession } from "./held-session.ts";
import { clientErrors } from "./errors.ts";

/** A lock, or a place in a semaphore, that is held. */
export interface HeldLock {
  /** The key that says who holds it. */
  readonly key: string;
  readonly session: string;
  /** Aborts, with an Error that says why, when it is no longer certain that it is held. */
  readonly lost: AbortSignal;
  /** Gives it back, and ends the session behind it. */
  release(): Promise<void>;
}

/** What locks and semaphores are asked for alike. */
export interface LockOptions {
  /** Of the session; for people. */
  readonly sessionName?: string;
  /** 15 by default. */
  readonly sessionTtlSeconds?: number;
  /** For how long nobody else may take it when the session ends without letting go; 15,000 by default. */
  readonly lockDelayMilliseconds?: number;
  /** Milliseconds to wait for it at most; as long as it takes where it is not given. */
  readonly wait?: number;
  /** How often in a row watching it may fail before it is taken for lost; 3 by default. */
  readonly monitorRetries?: number;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** The time that is left of a wait. */
export class Patience {
  readonly #clock: Clock;
  readonly #until: number;

  constructor({ wait, clock = systemClock }: Pick<LockOptions, "wait" | "clock">) {
    this.#clock = clock;
    this.#until = wait === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + wait;
  }

  /** Milliseconds, at most `atMost`; 0 where it is over. */
  left(atMost: number): number {
    return Math.max(0, Math.min(atMost, this.#until - this.#clock.monotonic()));
  }

  get isOver(): boolean {
    return this.#clock.monotonic() >= this.#until;
  }
}

/** How long a wait for another holder is asked for at a time. */
export const longestPoll = 15_000;
/** Until a key that nobody holds is tried again: a session that held it has just ended. */
export const delayPause = 1_000;

export interface Monitor<T> {
  readonly session: HeldSession;
  readonly retries: number;
  readonly clock: Clock;
  /** Reads what is held, from the index on. */
  read(position: { readonly index: number; readonly signal: AbortSignal }): Promise<Answer<T>>;
  /** Why it is lost; undefined while it is held. */
  whyLost(value: T): string | undefined;
}

/** Watches what is held until `stop`; the signal aborts when it is lost. */
export function watchHeld<T>(
  monitor: Monitor<T>,
  stop: AbortSignal,
): { readonly lost: AbortSignal; readonly done: Promise<void> } {
  const lost = new AbortController();
  const lose = (why: string) => lost.abort(new Error(why));
  const { session } = monitor;
  const onEnded = () => lose(session.ended.reason instanceof Error ? session.ended.reason.message : "it has ended");
  session.ended.addEventListener("abort", onEnded, { once: true });
  const over = AbortSignal.any([stop, session.ended]);
  const done = watchLoop(monitor, over).then((why) => {
    session.ended.removeEventListener("abort", onEnded);
    if (why && !over.aborted) lose(why);
  });
  return { lost: lost.signal, done };
}

async function watchLoop<T>(monitor: Monitor<T>, over: AbortSignal): Promise<string | undefined> {
  let index = 0;
  for (let failures = 0; !over.aborted; ) {
    try {
      const answer = await monitor.read({ index, signal: over });
      const why = monitor.whyLost(answer.value);
      if (why) return why;
      failures = 0;
      index = answer.index < index ? 0 : Math.max(1, answer.index);
    } catch (error) {
      if (over.aborted) return undefined;
      if (!(error instanceof OperationalError)) throw error;
      if (++failures > monitor.retries || !error.kind.retryable) return `it could not be watched: ${error.message}`;
      await monitor.clock.sleep(1_000, over).catch(() => undefined);
    }
  }
  return undefined;
}

/** The error for a key that is there and is no lock. */
export function lockConflict(key: string, what: string): OperationalError {
  const text = `The key ${JSON.stringify(key)} cannot be used as ${what}: it is there already, for something else. Use another prefix, or delete the key.`;
  return new OperationalError(clientErrors.lockConflict, text);
}

/** The error for a session that ended while it waited. */
export function sessionLost(session: HeldSession): OperationalError {
  const why = session.ended.reason instanceof Error ? session.ended.reason.message : "it has ended";
  return new OperationalError(clientErrors.lockLost, `Waiting for the lock ended: ${why}. Try again.`);
}
