import { expect } from "vitest";
import type { KeyRange, RangeOptions, Store } from "../../src/contract.ts";
import { after, prefixRange, storeErrors } from "../../src/contract.ts";
import type { EngineUnderTest } from "./support.ts";
import { expectKind, get, keysOf, over, put, putEach, text } from "./support.ts";

export function rangeContract(engine: EngineUnderTest): void {
  // In the order of their UTF-8 bytes; by UTF-16 units the last but one would come before U+E000 and U+FFFD.
  const ordered = [
    "\0",
    "\0\0",
    "A",
    "a",
    "a\0",
    "a\0b",
    "a/",
    "a/b",
    "aa",
    "z",
    "\x7f",
    "é",
    "߿",
    "ࠀ",
    "\ue000",
    "\ufffd",
    "😀",
    "\u{10ffff}",
  ];

  over(engine, "keys are ordered by their UTF-8 bytes", async ({ store, peer }) => {
    await putEach(store, ...ordered.toReversed());
    expect(await keysOf(peer)).toEqual(ordered);
    for (const [i, from] of ordered.entries()) {
      expect(await keysOf(peer, from)).toEqual(ordered.slice(i));
      expect(await keysOf(peer, "", from)).toEqual(ordered.slice(0, i));
    }
    expect(await keysOf(peer, "\ufffd", "\u{10ffff}")).toEqual(["\ufffd", "😀"]);
  });

  over(engine, "a prefix takes all keys that start with it and no other", async ({ store }) => {
    await putEach(store, ...ordered);
    for (const prefix of ["", "a", "a\0", "\ufffd", "😀", "\u{10ffff}", "none"]) {
      const { entries } = await store.range(prefixRange(prefix));
      expect(entries.map((e) => e.key)).toEqual(ordered.filter((key) => key.startsWith(prefix)));
    }
  });

  over(engine, "pages at one revision stay as they were while others write", async ({ store, peer }) => {
    const keys = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(2, "0")}`);
    await store.txn({ then: keys.map((key) => put(key, "old")) });
    const seen: string[] = [];
    let from = "k";
    let revision: number | undefined;
    for (;;) {
      const page = await peer.range({ from, to: "l" }, { limit: 10, ...(revision === undefined ? {} : { revision }) });
      revision = page.revision;
      seen.push(...page.entries.map((e) => `${e.key}=${text(e.value)}`));
      expect(page.count).toBe(page.entries.length);
      expect(page.more).toBe(seen.length < 25);
      if (!page.more) break;
      from = after(page.entries.at(-1)!.key);
      await store.txn({ then: [put(`k${seen.length}x`), put("k24", "new"), { op: "delete", key: "k23" }] });
    }
    expect(seen).toEqual(keys.map((key) => `${key}=old`));
    expect(await keysOf(peer)).toHaveLength(26);
  });

  over(engine, "a large range comes whole and of one revision while others write", async ({ store, peer }) => {
    const keys = Array.from({ length: 3_000 }, (_, i) => `k${String(i).padStart(4, "0")}`);
    const value = "v".repeat(300);
    for (let at = 0; at < keys.length; at += 125) {
      await store.txn({ then: keys.slice(at, at + 125).map((key) => put(key, value)) });
    }
    let stop = false;
    const churning = (async () => {
      for (let i = 0; !stop; i = (i + 977) % keys.length) {
        await store.txn({ then: [{ op: "delete", key: keys[i]! }] });
        await store.txn({ then: [put(keys[i]!, value)] });
      }
    })();
    for (let i = 0; i < 5; i++) {
      const whole = await peer.range(prefixRange("k"));
      // One key at most is missing at any revision.
      expect(whole.entries.length).toBeGreaterThanOrEqual(keys.length - 1);
      expect(whole).toMatchObject({ count: whole.entries.length, more: false });
      const part = await peer.range(prefixRange("k"), { limit: 2_500, revision: whole.revision });
      expect(part.entries).toEqual(whole.entries.slice(0, 2_500));
      expect(part).toMatchObject({ count: 2_500, more: true });
    }
    stop = true;
    await churning;
  });

  over(engine, "a range can count, leave values out, and be read at an old revision", async ({ store, peer }) => {
    const old = await putEach(store, "a", "b");
    await store.txn({ then: [put("a", "new"), { op: "delete", key: "b" }, put("c")] });
    const ask = async (range: KeyRange, options: RangeOptions) => {
      const { entries, count, more } = await peer.range(range, options);
      return { entries: entries.map((e) => `${e.key}=${text(e.value)}`), count, more };
    };
    const all = prefixRange("");
    expect(await ask(all, {})).toEqual({ entries: ["a=new", "c="], count: 2, more: false });
    expect(await ask(all, { revision: old })).toEqual({
      entries: ["a=value of a", "b=value of b"],
      count: 2,
      more: false,
    });
    expect(await ask(all, { revision: old, keysOnly: true })).toEqual({ entries: ["a=", "b="], count: 2, more: false });
    expect(await ask(all, { countOnly: true })).toEqual({ entries: [], count: 2, more: false });
    expect(await ask(all, { limit: 1 })).toEqual({ entries: ["a=new"], count: 1, more: true });
    expect(await ask(all, { limit: 2 })).toEqual({ entries: ["a=new", "c="], count: 2, more: false });
    expect(await ask(all, { limit: 1, countOnly: true })).toEqual({ entries: [], count: 2, more: false });
    expect(await ask({ from: "x", to: "b" }, {})).toEqual({ entries: [], count: 0, more: false });
  });

  over(engine, "revision() is at least that of every commit acknowledged, whoever made it", async ({ store, peer }) => {
    for (let i = 0; i < 20; i++) {
      const { revision } = await store.txn({ then: [put("k", `${i}`)] });
      expect(await peer.revision()).toBeGreaterThanOrEqual(revision);
      expect(text((await get(peer, "k"))!.value)).toBe(`${i}`);
    }
  });

  over(engine, "a revision that is not yet there is refused", async ({ store }) => {
    await putEach(store, "k");
    const revision = (await store.revision()) + 1000;
    await expectKind(store.range(prefixRange(""), { revision }), storeErrors.futureRevision);
    await expectKind(store.compact(revision), storeErrors.futureRevision);
  });

  over(
    engine,
    "after a compaction older revisions are refused, and the rest reads as before",
    async ({ store, peer }) => {
      const [first, second] = [await putEach(store, "a"), await putEach(store, "a", "b")];
      await store.txn({ then: [{ op: "delete", key: "b" }] });
      const oldest = await putEach(store, "a");
      const last = await putEach(store, "a", "c");
      await store.compact(oldest);
      await store.compact(second);
      for (const revision of [first, second - 1, second])
        await expectKind(peer.range(prefixRange(""), { revision }), storeErrors.compacted);
      expect((await get(peer, "a", oldest))?.version).toBe(3);
      expect((await peer.range(prefixRange(""), { revision: oldest })).count).toBe(1);
      expect(await keysOf(peer)).toEqual(["a", "c"]);
      expect((await get(peer, "a"))?.version).toBe(4);
      await store.compact(last);
      expect(await snapshot(peer, last)).toEqual(await snapshot(peer));
    },
  );
}

async function snapshot(store: Store, revision?: number): Promise<unknown> {
  return (await store.range(prefixRange(""), revision === undefined ? {} : { revision })).entries;
}
