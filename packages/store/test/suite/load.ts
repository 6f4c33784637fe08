import { expect } from "vitest";
import type { Store } from "../../src/contract.ts";
import { prefixRange } from "../../src/contract.ts";
import type { EngineUnderTest } from "./support.ts";
import { over, put, read, shown, text } from "./support.ts";

export function loadContract(engine: EngineUnderTest): void {
  over(
    engine,
    "many watches under thousands of commits each see every change once, in order",
    async ({ store, peer }) => {
      const writers = 10;
      const perWriter = 200;
      const from = (await store.revision()) + 1;
      const follow = async (through: Store, prefix: string, expected: number, start: Promise<number>) => {
        const reader = read(through, [prefix], await start);
        const seen: string[] = [];
        let last = 0;
        while (seen.length < expected) {
          const { revision, events } = await reader.changes();
          expect(revision).toBeGreaterThan(last);
          last = revision;
          // The two keys of a step come together.
          expect(events.length).toBe(2);
          seen.push(shown(events[0]!));
        }
        reader.stop();
        return seen;
      };
      const started = Promise.resolve(from);
      // A third of the watches begin when half of the writing is done, from the past.
      const halfway = Promise.withResolvers<number>();
      const watches = Array.from({ length: 60 }, (_, i) =>
        follow(i % 2 ? store : peer, `w${i % writers}/`, perWriter, i % 3 ? started : halfway.promise),
      );
      const write = async (writer: number) => {
        for (let n = 0; n < perWriter; n++) {
          await (n % 2 ? store : peer).txn({ then: [put(`w${writer}/n`, `${n}`), put(`w${writer}/twin`, `${n}`)] });
          if (writer === 0 && n === perWriter / 2) halfway.resolve(from);
        }
      };
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
      for (const [i, seen] of (await Promise.all(watches)).entries())
        expect(seen).toEqual(Array.from({ length: perWriter }, (_, n) => `put w${i % writers}/n=${n}`));
    },
  );

  over(engine, "callers that never pause leave the event loop to others", async ({ store }) => {
    await store.txn({ then: [put("k")] });
    const idle = { when: [{ range: { from: "k" }, is: "absent" } as const], then: [] };
    for (const call of [() => store.range({ from: "k" }), () => store.revision(), () => store.txn(idle)]) {
      let stop = false;
      setTimeout(() => {
        stop = true;
      }, 30);
      while (!stop) await call();
    }
  });

  over(engine, "a reader at an old revision sees one state while others write", async ({ store, peer }) => {
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
    const { revision: first } = await store.txn({ then: keys.map((key) => put(key, "0")) });
    let stop = false;
    const writing = (async () => {
      for (let n = 1; !stop; n++) await store.txn({ then: keys.map((key) => put(key, `${n}`)) });
    })();
    for (let i = 0; i < 50; i++) {
      const now = await peer.range(prefixRange("k"));
      expect(new Set(now.entries.map((e) => text(e.value))).size).toBe(1);
      const again = await peer.range(prefixRange("k"), { revision: now.revision });
      expect(again.entries).toEqual(now.entries);
      const old = await peer.range(prefixRange("k"), { revision: first });
      expect(old.entries.every((e) => text(e.value) === "0")).toBe(true);
    }
    stop = true;
    await writing;
  });

  over(engine, "a projection fed by a watch equals its rebuild", async ({ store, peer }) => {
    const snapshot = await peer.range(prefixRange(""));
    const projection = new Map(snapshot.entries.map((e) => [e.key, e]));
    const reader = read(peer, [""], snapshot.revision + 1);
    let written = 0;
    const write = async (writer: number) => {
      for (let n = 0; n < 50; n++) {
        const key = `k${(n * 7 + writer) % 23}`;
        const step =
          n % 5 === 4 ? ({ op: "deleteRange", range: { from: key, to: "k9" } } as const) : put(key, `${writer}.${n}`);
        written = Math.max(written, (await store.txn({ then: [step] })).revision);
      }
    };
    await Promise.all([0, 1, 2, 3].map(write));
    reader.watch.requestProgress();
    for (;;) {
      const message = (await reader.next())!;
      if (message.type === "progress" && message.revision >= written) break;
      if (message.type === "changes")
        for (const event of message.events) {
          if (event.type === "put") projection.set(event.entry.key, event.entry);
          else projection.delete(event.key);
        }
    }
    reader.stop();
    const rebuilt = await store.range(prefixRange(""));
    expect([...projection.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual(rebuilt.entries);
  });
}
