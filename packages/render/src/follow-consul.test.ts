import { afterEach, describe, expect, test } from "vitest";
import { follow } from "./follow.ts";
import { datacentersSource, parseKeySource, type Source } from "./source.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { following, unreachable } from "./testing/fake-servers.ts";

const running: { control: AbortController; over: Promise<void> }[] = [];
afterEach(async () => {
  for (const { control, over } of running.splice(0)) {
    control.abort();
    await over.catch(() => undefined);
  }
});

const key: Source = { kind: "key", id: "kv.get(app)", key: "app", scope: {} };

function started(source: Source = key) {
  const clock = new FakeClock();
  const all = following(clock);
  const over = follow(source, all.context);
  over.catch(() => undefined);
  running.push({ control: all.control, over });
  return { ...all, clock, over, indexes: () => all.consul.reads.map(({ index }) => index) };
}

describe("a key", () => {
  test("is read by waiting for a higher index, and told when it has changed", async () => {
    const { clock, consul, values, indexes } = started();
    consul.answer("one", 7);
    await clock.advance(10);
    consul.answer("one", 7);
    await clock.advance(1000);
    consul.answer("one", 8);
    await clock.advance(1000);
    consul.answer("two", 9);
    await clock.advance(1000);
    expect([values, indexes()]).toEqual([
      ["one", "two"],
      [0, 7, 7, 8, 9],
    ]);
  });

  test("is read from the start again when the index goes back", async () => {
    const { clock, consul, values, indexes } = started();
    consul.answer("one", 7);
    consul.answer("two", 3);
    consul.answer("two", 3);
    await clock.advance(1000);
    expect([values, indexes()]).toEqual([
      ["one", "two"],
      [0, 7, 0, 3],
    ]);
  });

  test("is read no more often than each 100 ms", async () => {
    const { clock, consul } = started();
    for (let i = 1; i <= 50; i++) consul.answer(`value ${i}`, i);
    await clock.advance(1000);
    expect(consul.reads.length).toBeLessThanOrEqual(11);
    expect(consul.reads.length).toBeGreaterThan(8);
  });

  test("is read from the leader when the answer is too old", async () => {
    const { clock, consul, values } = started();
    consul.answer("old", 7, 5000);
    consul.answer("new", 8, 0);
    await clock.advance(10);
    expect(values).toEqual(["new"]);
    expect(consul.reads.slice(0, 2).map(({ mayBeStale }) => mayBeStale)).toEqual([true, false]);
  });

  test("is asked for again after pauses that double, and every success begins anew", async () => {
    const { clock, consul, values, log } = started();
    for (let i = 0; i < 3; i++) consul.fail(unreachable);
    consul.answer("one", 7);
    consul.fail(unreachable);
    await clock.advance(5000);
    expect(values).toEqual(["one"]);
    const line = (n: number, pause: string) =>
      `warn kv.get(app): Cannot reach it: refused. (retry attempt ${n} after ${pause})`;
    expect(log.lines).toEqual([line(1, "250ms"), line(2, "500ms"), line(3, "1s"), line(1, "250ms")]);
  });

  test("that cannot be read however often fails", async () => {
    const { clock, consul, over } = started();
    for (let i = 0; i < 13; i++) consul.fail(unreachable);
    await clock.advance(3_600_000);
    await expect(over).rejects.toBe(unreachable);
  });
});

test("datacenters, which cannot be waited for, are asked for each 15 s", async () => {
  const { clock, consul, values } = started(datacentersSource);
  for (let i = 0; i < 3; i++) consul.answer(["dc1"], 0);
  await clock.advance(30_500);
  expect([values.length, consul.reads.length]).toEqual([1, 3]);
});

test("a source in another datacenter says so", () => {
  expect(parseKeySource("app?ns=team@dc2")).toMatchObject({
    ok: true,
    source: { id: "kv.get(app@dc2@ns=team)", key: "app", scope: { datacenter: "dc2", namespace: "team" } },
  });
});
