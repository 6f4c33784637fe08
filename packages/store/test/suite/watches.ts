import { expect } from "vitest";
import { storeErrors } from "../../src/contract.ts";
import type { EngineUnderTest } from "./support.ts";
import { expectKind, over, put, putEach, read, shown } from "./support.ts";

export function watchContract(engine: EngineUnderTest): void {
  over(engine, "all events of a revision come together, in the order they were made", async ({ store, peer }) => {
    const from = (await putEach(store, "a/1", "a/2")) + 1;
    const reader = read(peer, [""], from);
    const { revision } = await store.txn({
      then: [put("z", "1"), { op: "deleteRange", range: { from: "a/", to: "a0" } }, put("b", "2")],
    });
    const message = await reader.changes();
    expect(message.revision).toBe(revision);
    expect(message.events.map(shown)).toEqual(["put z=1", "delete a/1", "delete a/2", "put b=2"]);
    reader.stop();
  });

  over(engine, "events carry the entry, its revision and what was there before", async ({ store, peer }) => {
    const first = await putEach(store, "k");
    const reader = read(peer, ["k"], first);
    const second = await putEach(store, "k");
    const { revision: third } = await store.txn({ then: [{ op: "delete", key: "k" }] });
    const entry = { key: "k", value: new TextEncoder().encode("value of k"), created: first };
    const [v1, v2] = [
      { ...entry, modified: first, version: 1 },
      { ...entry, modified: second, version: 2 },
    ];
    expect((await reader.changes()).events).toEqual([{ type: "put", entry: v1 }]);
    expect((await reader.changes()).events).toEqual([{ type: "put", entry: v2, previous: v1 }]);
    expect((await reader.changes()).events).toEqual([{ type: "delete", key: "k", revision: third, previous: v2 }]);
    reader.stop();
  });

  over(
    engine,
    "a revision as large as a step may be comes whole, with all that was there before",
    async ({ store, peer }) => {
      const keys = Array.from({ length: 128 }, (_, i) => `k${i}`);
      const write = (letter: string) => store.txn({ then: keys.map((key) => put(key, letter.repeat(8_180))) });
      const before = await write("a");
      const reader = read(peer, ["k"], before.revision + 1);
      const { revision } = await write("b");
      const message = await reader.changes();
      expect(message.revision).toBe(revision);
      const letters = message.events.map(
        (event) => event.type === "put" && [event.previous, event.entry].map((e) => e?.value[0]),
      );
      expect(letters).toEqual(keys.map(() => [97, 98]));
      reader.stop();
    },
  );

  over(
    engine,
    "a watch sees what is under any of its prefixes, and a revision without it not at all",
    async ({ store, peer }) => {
      const from = (await store.revision()) + 1;
      const reader = read(peer, ["a/", "c/", "c/d/"], from);
      const none = read(peer, [], from);
      await store.txn({ then: [put("a/1"), put("b/1"), put("c/d/1")] });
      await putEach(store, "b/2", "ab", "c");
      await store.txn({ then: [put("c/2", "2"), put("b/3")] });
      expect((await reader.changes()).events.map(shown)).toEqual(["put a/1=", "put c/d/1="]);
      expect((await reader.changes()).events.map(shown)).toEqual(["put c/2=2"]);
      none.watch.requestProgress();
      expect((await none.next())?.type).toBe("progress");
      reader.stop();
      none.stop();
    },
  );

  over(
    engine,
    "a watch from the past delivers from that revision on, and goes on with what comes",
    async ({ store, peer }) => {
      const revisions: number[] = [];
      for (let i = 0; i < 30; i++) revisions.push(await putEach(store, `k${i}`));
      for (const start of [0, 10, 29]) {
        const reader = read(peer, ["k"], revisions[start]!);
        for (let i = start; i < revisions.length; i++) expect((await reader.changes()).revision).toBe(revisions[i]);
        revisions.push(await putEach(store, "k-next"));
        expect((await reader.changes()).revision).toBe(revisions.at(-1));
        reader.stop();
      }
    },
  );

  over(engine, "a watch from a revision to come waits for it", async ({ store, peer }) => {
    const now = await putEach(store, "k");
    const reader = read(peer, ["k"], now + 3);
    const later: number[] = [];
    for (let i = 0; i < 5; i++) later.push(await putEach(store, "k"));
    expect((await reader.changes()).revision).toBe(later.find((revision) => revision >= now + 3));
    reader.stop();
  });

  over(
    engine,
    "asked for progress, a watch answers behind everything that was committed before",
    async ({ store, peer }) => {
      const reader = read(peer, ["k/"], (await store.revision()) + 1);
      for (let round = 0; round < 10; round++) {
        const written = await putEach(store, "k/1", "other/1");
        reader.watch.requestProgress();
        let delivered = 0;
        for (;;) {
          const message = (await reader.next())!;
          if (message.type === "changes") delivered++;
          else if (message.revision >= written) break;
        }
        expect(delivered).toBe(1);
      }
      reader.stop();
    },
  );

  over(engine, "a quiet watch reports progress within 5 s", async ({ store, peer }) => {
    const revision = await putEach(store, "other");
    const reader = read(peer, ["k/"], revision + 1);
    const started = performance.now();
    expect((await reader.next())?.type).toBe("progress");
    expect(performance.now() - started).toBeLessThan(5_500);
    reader.stop();
  });

  over(engine, "a watch ends at its abort, at a break, and at the close of the store", async ({ store, peer }) => {
    const from = (await store.revision()) + 1;
    const stopped = read(peer, ["k"], from);
    const pending = stopped.next();
    setTimeout(() => stopped.stop(), 20);
    expect(await pending).toBeUndefined();
    await putEach(store, "k");
    for await (const message of peer.watch(["k"], from, new AbortController().signal)) {
      expect(message.type).toBe("changes");
      break;
    }
    const aborted = read(peer, ["k"], from);
    aborted.stop();
    expect(await aborted.next()).toBeUndefined();
    const closed = read(peer, ["nothing"], from);
    const last = closed.next();
    setTimeout(() => void peer.close(), 20);
    expect(await last).toBeUndefined();
  });

  over(engine, "a watch from before the history that is kept fails with STORE_COMPACTED", async ({ store, peer }) => {
    const first = await putEach(store, "k", "k", "k");
    const oldest = await putEach(store, "k");
    const deleted = await store.txn({ then: [{ op: "delete", key: "k" }] });
    await putEach(store, "other");
    await store.compact(oldest);
    await expectKind(read(store, ["k"], first).next(), storeErrors.compacted);
    const reader = read(peer, ["k"], oldest);
    expect((await reader.changes()).events.map(shown)).toEqual(["put k=value of k"]);
    reader.stop();
    // A deletion at the oldest revision itself is still delivered.
    await store.compact(deleted.revision);
    const atDelete = read(peer, ["k"], deleted.revision);
    expect((await atDelete.changes()).events.map(shown)).toEqual(["delete k"]);
    atDelete.stop();
  });
}
