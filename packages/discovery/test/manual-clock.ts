import type { Clock } from "@millwright/core/ports";

/** A clock that stands, and whose sleepers wake as it is moved on. */
export interface ManualClock extends Clock {
  /** Moves on by steps of at most half a second, and lets whoever wakes work in between. */
  advance(milliseconds: number): Promise<void>;
  /** Moves on at once; who sleeps wakes with the next {@link advance}. */
  jump(milliseconds: number): void;
}

export function manualClock(start = Date.parse("2016-11-21T10:00:00Z")): ManualClock {
  let now = start;
  const sleepers = new Set<{ readonly until: number; wake(): void }>();
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper = {
          until: now + milliseconds,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    jump: (milliseconds) => {
      now += milliseconds;
    },
    advance: async (milliseconds) => {
      const end = now + milliseconds;
      while (now < end) {
        now = Math.min(end, now + 500);
        for (const sleeper of [...sleepers]) if (sleeper.until <= now) sleeper.wake();
        for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
