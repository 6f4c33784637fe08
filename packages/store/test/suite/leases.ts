import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import type { LeaseId } from "../../src/contract.ts";
import { limits, storeErrors } from "../../src/contract.ts";
import type { EngineUnderTest } from "./support.ts";
import { expectKind, get, keysOf, over, put, putEach, read, shown } from "./support.ts";

export function leaseContract(engine: EngineUnderTest): void {
  const ttl = engine.shortestLease;

  over(engine, "granting and renewing is no commit", async ({ store, peer }) => {
    const before = await putEach(store, "k");
    const lease = await store.grantLease(60);
    expect(await peer.renewLease(lease)).toBe(60);
    expect(await peer.revision()).toBe(before);
    expect(await peer.lease(lease)).toMatchObject({ ttl: 60, keys: [] });
  });

  over(engine, "a key tells its lease, and a lease its keys and time", async ({ store, peer }) => {
    const lease = await store.grantLease(60);
    await store.txn({ then: [put("b", "", lease), put("a", "", lease), put("c")] });
    expect((await get(peer, "a"))?.lease).toBe(lease);
    expect((await get(peer, "c"))?.lease).toBeUndefined();
    const state = (await peer.lease(lease))!;
    expect(state).toMatchObject({ ttl: 60, keys: ["a", "b"] });
    expect(state.remaining).toBeGreaterThan(57);
    expect(state.remaining).toBeLessThanOrEqual(60);
  });

  over(engine, "the end of a lease deletes its keys in one commit", async ({ store, peer }) => {
    const lease = await store.grantLease(ttl);
    const { revision } = await store.txn({ then: [put("k/1", "", lease), put("k/2", "", lease), put("k/3")] });
    const reader = read(peer, ["k/"], revision + 1);
    const message = await reader.changes();
    expect(message.events.map(shown).toSorted()).toEqual(["delete k/1", "delete k/2"]);
    expect(await keysOf(peer)).toEqual(["k/3"]);
    expect(await peer.renewLease(lease)).toBeUndefined();
    expect(await peer.lease(lease)).toBeUndefined();
    await expectKind(peer.txn({ then: [put("k/4", "", lease)] }), storeErrors.leaseNotFound);
    reader.stop();
  });

  over(engine, "a lease that is renewed, through whichever server, does not end", async ({ store, peer }) => {
    const lease = await store.grantLease(ttl);
    await store.txn({ then: [put("k", "", lease)] });
    for (let i = 0; i < 5; i++) {
      await pause(ttl * 500);
      expect(await (i % 2 ? store : peer).renewLease(lease)).toBe(ttl);
    }
    expect(await keysOf(peer)).toEqual(["k"]);
  });

  over(engine, "revoking a lease deletes its keys now, and doing it twice is no error", async ({ store, peer }) => {
    const lease = await store.grantLease(600);
    await store.txn({ then: [put("k", "", lease), put("other")] });
    await peer.revokeLease(lease);
    expect(await keysOf(store)).toEqual(["other"]);
    await peer.revokeLease(lease);
    expect(await store.renewLease(lease)).toBeUndefined();
  });

  over(
    engine,
    "a key written again without the lease, or with another, is no longer its own",
    async ({ store, peer }) => {
      const [first, second] = [await store.grantLease(600), await store.grantLease(600)];
      await store.txn({
        then: [put("kept", "", first), put("moved", "", first), put("gone", "", first), put("re", "", first)],
      });
      await store.txn({ then: [put("kept"), put("moved", "", second), { op: "delete", key: "re" }] });
      await store.txn({ then: [put("re")] });
      expect((await peer.lease(first))?.keys).toEqual(["gone"]);
      await store.revokeLease(first);
      expect(await keysOf(peer)).toEqual(["kept", "moved", "re"]);
      await store.revokeLease(second);
      expect(await keysOf(peer)).toEqual(["kept", "re"]);
    },
  );

  over(engine, "a lease with more keys than a step may write ends whole", async ({ store, peer }) => {
    const lease = await store.grantLease(600);
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    for (let at = 0; at < keys.length; at += limits.operations)
      await store.txn({ then: keys.slice(at, at + limits.operations).map((key) => put(key, "", lease)) });
    expect((await peer.lease(lease))?.keys).toHaveLength(300);
    await store.revokeLease(lease);
    expect(await keysOf(peer)).toEqual([]);
  });

  over(engine, "an unknown lease and an impossible ttl are refused", async ({ store }) => {
    const unknown = "00000000000000ff" as LeaseId;
    await expectKind(store.txn({ then: [put("before"), put("k", "", unknown)] }), storeErrors.leaseNotFound);
    expect(await keysOf(store)).toEqual([]);
    // Only the branch that is carried out counts.
    const step = { when: [{ range: { from: "" }, is: "absent" } as const], then: [put("k")] };
    expect((await store.txn({ ...step, otherwise: [put("k", "", unknown)] })).succeeded).toBe(true);
    for (const ttl of [0, -1, 1.5, limits.leaseSeconds + 1, Number.NaN])
      await expectKind(store.grantLease(ttl), storeErrors.limitExceeded);
    expect(await store.renewLease(unknown)).toBeUndefined();
    expect(await store.lease(unknown)).toBeUndefined();
    await store.revokeLease(unknown);
  });

  over(engine, "leadership by a lease passes on when the leader falls silent", async ({ store, peer }) => {
    const elect = async (through: typeof store, name: string, lease: LeaseId) =>
      through.txn({
        when: [{ range: { from: "leader", to: "leader\0" }, is: "absent" }],
        then: [put("leader", name, lease)],
      });
    const first = await elect(store, "one", await store.grantLease(ttl));
    expect(first.succeeded).toBe(true);
    const waiting = await peer.grantLease(60);
    expect((await elect(peer, "two", waiting)).succeeded).toBe(false);
    const reader = read(peer, ["leader"], first.revision + 1);
    expect((await reader.changes()).events.map(shown)).toEqual(["delete leader"]);
    expect((await elect(peer, "two", waiting)).succeeded).toBe(true);
    reader.stop();
  });
}
