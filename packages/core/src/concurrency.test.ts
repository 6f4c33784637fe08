import { expect, test } from "vitest";
import { Semaphore } from "./concurrency.ts";

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
