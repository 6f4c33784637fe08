import { systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { Timetable } from "./timetable.ts";

/** A clock that jumps to the end of each sleep. */
function jumpingClock() {
  let time = 0;
  let sleeps = 0;
  return {
    now: () => time,
    monotonic: () => time,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      sleeps++;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      time += milliseconds;
    },
    get sleeps() {
      return sleeps;
    },
  };
}

test("tasks start in the order of their times, whatever the order they came in", async () => {
  const clock = jumpingClock();
  const table = new Timetable(clock);
  const over = new AbortController();
  const started: number[] = [];
  // A fixed, uneven order of a thousand different times.
  const times = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % 10_007);
  for (const time of times) table.set(`k${time}`, time, () => started.push(time));
  table.set("end", 20_000, () => over.abort());
  await table.run(over.signal);
  expect(started).toEqual(times.toSorted((a, b) => a - b));
});

test("a task is replaced by its key, and can be taken out", async () => {
  const clock = jumpingClock();
  const table = new Timetable(clock);
  const over = new AbortController();
  const started: string[] = [];
  table.set("a", 10, () => started.push("old"));
  table.set("a", 20, () => started.push(`new at ${clock.monotonic()}`));
  table.set("b", 5, () => started.push("b"));
  table.delete("b");
  table.set("end", 100, () => over.abort());
  await table.run(over.signal);
  expect(started).toEqual(["new at 20"]);
});

test("a task may put the next one in", async () => {
  const clock = jumpingClock();
  const table = new Timetable(clock);
  const over = new AbortController();
  const at: number[] = [];
  const again = () => {
    at.push(clock.monotonic());
    if (at.length < 5) table.set("a", clock.monotonic() + 10, again);
    else over.abort();
  };
  table.set("a", 10, again);
  await table.run(over.signal);
  expect(at).toEqual([10, 20, 30, 40, 50]);
});

test("one that is due earlier than all others wakes it", async () => {
  const table = new Timetable(systemClock);
  const over = new AbortController();
  const running = table.run(over.signal);
  const done = Promise.withResolvers<void>();
  table.set("late", systemClock.monotonic() + 60_000, () => undefined);
  table.set("early", systemClock.monotonic() + 20, () => done.resolve());
  await done.promise;
  over.abort();
  await running;
});
