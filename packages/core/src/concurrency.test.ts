import { describe, expect, test } from "vitest";
import { coalesced, Semaphore } from "./concurrency.ts";

test("at most as many tasks run at a time as the limit says, and all of them run, in order", async () => {
  const semaphore = new Semaphore(3);
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const task = (i: number) => async () => {
    started.push(i);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, i % 3));
    running--;
    return i;
  };
  const results = await Promise.all(Array.from({ length: 50 }, (_, i) => semaphore.run(task(i))));
  expect(results).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(started).toEqual(results);
  expect(most).toBe(3);
});

test("a task that fails frees its place, and its error reaches the caller", async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await semaphore.run(() => Promise.resolve("yes"))).toBe("yes");
});

describe("calls of a coalesced task", () => {
  const held = () => {
    const ends: ((error?: Error) => void)[] = [];
    const run = coalesced(
      () => new Promise((resolve, reject) => void ends.push((error) => (error ? reject(error) : resolve()))),
    );
    const started = (count: number) => expect.poll(() => ends.length).toBe(count);
    return { run, ends, started };
  };

  test("that come during a run share the next one, which begins when that has ended", async () => {
    const { run, ends, started } = held();
    const first = run();
    await started(1);
    const others = [run(), run(), run()];
    await new Promise(setImmediate);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await first;
    await started(2);
    ends[1]?.();
    await Promise.all(others);
    expect(ends).toHaveLength(2);
  });

  test("hear of the failure of their own run only", async () => {
    const { run, ends, started } = held();
    const first = run();
    await started(1);
    const second = run();
    ends[0]?.(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await started(2);
    ends[1]?.();
    await second;
  });
});
