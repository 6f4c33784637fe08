import { setImmediate } from "node:timers/promises";
import type { Clock } from "@millwright/core/ports";

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  /** Lets time pass: whoever sleeps wakes in order, and what they do next is waited for. */
  advance(milliseconds: number): Promise<void>;
  /** Sets the wall clock, forward or back, while no time passes. */
  step(milliseconds: number): void;
}

export function fakeClock(start: number = Date.UTC(2026, 0, 1)): FakeClock {
  let passed = 0;
  let offset = start;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => offset + passed,
    monotonic: () => passed,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const wake = () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        };
        const sleeper = { at: passed + Math.max(0, milliseconds), wake };
        signal?.addEventListener("abort", onAbort, { once: true });
        sleepers.add(sleeper);
      }),
    advance: async (milliseconds) => {
      const end = passed + milliseconds;
      await quiet();
      for (;;) {
        const [next] = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        passed = Math.max(passed, next.at);
        sleepers.delete(next);
        next.wake();
        await quiet();
      }
      passed = end;
    },
    step: (milliseconds) => {
      offset += milliseconds;
    },
  };
}

/** Resolves when what could run without time passing has, in memory. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 12; i++) await setImmediate();
}
