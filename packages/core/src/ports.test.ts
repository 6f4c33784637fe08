import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { longestTimer, systemClock } from "./ports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a sleep that is longer than Node's timers is as long as it was asked to be", async () => {
  let isOver = false;
  const sleep = systemClock.sleep(2 * longestTimer + 1_000).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(2 * longestTimer + 999);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await sleep;
});

test("a sleep of any length ends with its signal", async () => {
  const stop = new AbortController();
  const sleep = systemClock.sleep(3 * longestTimer, stop.signal);
  const ended = expect(sleep).rejects.toThrow("enough");
  await vi.advanceTimersByTimeAsync(longestTimer + 1);
  stop.abort(new Error("enough"));
  await ended;
  expect(vi.getTimerCount()).toBe(0);
});
