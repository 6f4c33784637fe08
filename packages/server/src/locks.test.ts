import { acquireLock, lockFlag, removeLock } from "@millwright/clients/consul-lock";
import { acquireSemaphore, removeSemaphore } from "@millwright/clients/consul-semaphore";
import { clientErrors } from "@millwright/clients/errors";
import { systemClock } from "@millwright/core/ports";
import Consul from "consul";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestServer, type TestRunning } from "../test/running.ts";

let running: TestRunning;
beforeAll(async () => {
  running = await startTestServer({ nodeName: "n1" });
  // Its node joins it as any other does; sessions need that node's own check.
  for await (const { value } of running.client.health.watchNode("n1", { signal: AbortSignal.timeout(10_000) })) {
    if (value.some(({ checkId, status }) => checkId === "serfHealth" && status === "passing")) break;
  }
});
afterAll(() => running.close());
beforeEach(() => running.client.kv.deleteTree(""));

const aborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => {
    const tell = () => resolve(signal.reason instanceof Error ? signal.reason.message : String(signal.reason));
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell, { once: true });
  });

describe("a lock", () => {
  test("is held by one at a time, and goes on to who waits for it", async () => {
    const { client } = running;
    const first = await acquireLock(client, { key: "l/.lock", sessionName: "first" });
    expect((await client.kv.get("l/.lock")).value).toMatchObject({ flags: lockFlag, session: first?.session });
    expect((await client.sessions.info(first!.session)).value).toMatchObject({ name: "first", ttl: "15s" });
    expect(await acquireLock(client, { key: "l/.lock", wait: 100 })).toBeUndefined();
    const second = acquireLock(client, { key: "l/.lock" });
    await systemClock.sleep(50);
    await first?.release();
    const next = await second;
    expect((await client.kv.get("l/.lock")).value?.session).toBe(next?.session);
    expect(await removeLock(client, "l/.lock")).toBe(false);
    await next?.release();
    expect(await removeLock(client, "l/.lock")).toBe(true);
    expect((await client.kv.get("l/.lock")).value).toBeUndefined();
    expect((await client.sessions.list()).value).toEqual([]);
  });

  test("that is taken away is told to its holder", async () => {
    const { client } = running;
    const takers = [
      (session: string) => client.sessions.destroy(session),
      () => client.kv.delete("l"),
      (session: string) => client.kv.put("l", "", { release: session, flags: lockFlag }),
    ];
    for (const take of takers) {
      const lock = await acquireLock(client, { key: "l", lockDelayMilliseconds: 0 });
      const lost = aborted(lock!.lost);
      await take(lock!.session);
      expect(await lost).toMatch(/another has the key l, or nobody/);
      await lock?.release();
    }
  });

  test("of a session that ended without letting go is got after the delay", async () => {
    const { client } = running;
    const lock = await acquireLock(client, { key: "l", lockDelayMilliseconds: 1_000 });
    const began = performance.now();
    await client.sessions.destroy(lock!.session);
    const next = await acquireLock(client, { key: "l" });
    expect(performance.now() - began).toBeGreaterThan(900);
    await next?.release();
    await lock?.release();
  });

  test("is not made of a key that is something else", async () => {
    await running.client.kv.put("l", "a value");
    await expect(acquireLock(running.client, { key: "l" })).rejects.toMatchObject({ kind: clientErrors.lockConflict });
    expect((await running.client.sessions.list()).value).toEqual([]);
  });

  test("is no longer waited for when the signal says so", async () => {
    const { client } = running;
    const lock = await acquireLock(client, { key: "l" });
    const stop = new AbortController();
    const waiting = acquireLock(client, { key: "l", signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(waiting).rejects.toThrow("enough");
    await lock?.release();
    expect((await client.sessions.list()).value).toEqual([]);
  });
});

describe("a semaphore", () => {
  test("has as many places as its limit", async () => {
    const { client } = running;
    const take = (wait?: number) => acquireSemaphore(client, { prefix: "s", limit: 2, ...(wait ? { wait } : {}) });
    const held = [await take(), await take()];
    expect(await take(100)).toBeUndefined();
    const third = take();
    await systemClock.sleep(50);
    await held[0]?.release();
    expect(await third).toBeDefined();
    expect(await removeSemaphore(client, "s")).toBe(false);
    await expect(acquireSemaphore(client, { prefix: "s", limit: 3 })).rejects.toThrow(
      /has 2 places, and 3 were asked for/,
    );
    await held[1]?.release();
    await (await third)?.release();
    expect(await removeSemaphore(client, "s")).toBe(true);
    expect((await client.kv.keys("")).value).toEqual([]);
  });

  test("has the places of sessions that ended free again, and tells their holders", async () => {
    const { client } = running;
    const dead = await acquireSemaphore(client, { prefix: "s", limit: 1, lockDelayMilliseconds: 0 });
    const lost = aborted(dead!.lost);
    await client.sessions.destroy(dead!.session);
    expect(await lost).toMatch(/the place under s was taken away|has ended/);
    const next = await acquireSemaphore(client, { prefix: "s", limit: 1 });
    expect(next).toBeDefined();
    await next?.release();
    await dead?.release();
  });
});

// The npm package "consul", as its documentation shows a lock.
describe("the npm client", () => {
  let consul: Consul;
  beforeAll(() => {
    consul = new Consul({ host: "127.0.0.1", port: running.port });
  });

  test("makes, shows, renews and destroys sessions", async () => {
    const { ID } = await consul.session.create({ ttl: "15s", name: "npm", lockdelay: "1s" });
    expect(await consul.session.get(ID)).toMatchObject({ ID, Name: "npm", TTL: "15s", LockDelay: 1e9 });
    expect(await consul.session.list()).toMatchObject([{ ID }]);
    expect(await consul.session.node("n1")).toMatchObject([{ ID }]);
    expect(await consul.session.renew(ID)).toMatchObject([{ ID }]);
    await consul.session.destroy(ID);
    expect(await consul.session.get(ID)).toBeFalsy();
  });

  test("takes and gives back a key, beside our own client", async () => {
    const { ID } = await consul.session.create({ ttl: "15s", lockdelay: "0s" });
    const taken = { key: "n/.lock", value: "mine", acquire: ID, flags: Number(lockFlag) };
    expect(await consul.kv.set(taken)).toBe(true);
    const { ID: other } = await consul.session.create();
    expect(await consul.kv.set({ ...taken, acquire: other })).toBeFalsy();
    expect(await consul.kv.get("n/.lock")).toMatchObject({ Session: ID, LockIndex: 1 });
    const watch = consul.watch({ method: consul.kv.get as never, options: { key: "n/.lock", wait: "5s" } });
    const released = new Promise<void>((resolve) => {
      watch.on("change", (data: { Session?: string }) => {
        if (!data.Session) resolve();
      });
    });
    expect(await consul.kv.set({ key: "n/.lock", value: "done", release: ID })).toBe(true);
    await released;
    watch.end();
    await consul.session.destroy(ID);
    await consul.session.destroy(other);
  });
});
