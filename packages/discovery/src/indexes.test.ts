import { type Clock, systemClock } from "@millwright/core/ports";
import { rebuildState } from "@millwright/records/projection";
import { openMemoryStore } from "@millwright/store/memory";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../test/harness.ts";
import { storeKinds } from "../test/stores.ts";
import { schema } from "./schema.ts";

/**
 * What a client could have seen: the highest index ever given out for each question. No answer may be below it, and one
 * whose content has changed must be above it.
 */
class Witness {
  readonly #seen = new Map<string, { readonly index: number; readonly content: string }>();

  async ask(server: TestServer): Promise<void> {
    for (const line of questions) {
      const reply = await server.ask(line);
      const index = Number(reply.headers["x-consul-index"]);
      const content = contentOf(reply.text);
      const before = this.#seen.get(line);
      expect(index, `${line} is above 1`).toBeGreaterThan(1);
      if (before) {
        expect(index, `${line} does not go back`).toBeGreaterThanOrEqual(before.index);
        if (content !== before.content) expect(index, `${line} has changed`).toBeGreaterThan(before.index);
      }
      this.#seen.set(line, { index, content });
    }
  }
}

const questions = [
  ...["a", "a/1", "a/2", "a/b/1", "b", "ab"].map((key) => `GET /v1/kv/${key}`),
  ...["", "a", "a/", "a/b/", "b", "c"].flatMap((prefix) => [
    `GET /v1/kv/${prefix}?recurse`,
    `GET /v1/kv/${prefix}?keys`,
  ]),
];

// A restore gives every key a new index, with or without a change of its value: only values count as content.
function contentOf(text: string): string {
  if (text === "") return "";
  const list = JSON.parse(text) as (string | { Key: string; Value: string | null })[];
  return JSON.stringify(list.map((item) => (typeof item === "string" ? item : [item.Key, item.Value])));
}

type Step =
  | { readonly do: "put"; readonly key: string; readonly value: string }
  | { readonly do: "delete" | "deleteTree"; readonly key: string }
  | { readonly do: "transaction"; readonly keys: readonly string[] }
  | { readonly do: "sweep" | "reopen" | "save" | "restore" | "move" };

const key = fc.constantFrom("a", "a/1", "a/2", "a/b/1", "b", "ab");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("put" as const), key, value: fc.constantFrom("1", "2") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("deleteTree" as const), key: fc.constantFrom("", "a", "a/", "b") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("transaction" as const),
      keys: fc.array(key, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("sweep" as const, "reopen" as const, "save" as const, "restore" as const, "move" as const),
    }),
  },
);

test("no index ever goes back, and every change raises it: sweeps, restarts, restores and other stores included", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      let store = openMemoryStore();
      let hours = 0;
      const clock: Clock = { ...systemClock, now: () => Date.now() + hours * 3_600_000 };
      let server = await openTestServer(store, { clock });
      let archive: Uint8Array | undefined;
      const witness = new Witness();
      const reopen = async () => {
        await server.close();
        server = await openTestServer(store, { clock });
      };
      await witness.ask(server);
      for (const taken of steps) {
        switch (taken.do) {
          case "put":
            await server.ask(`PUT /v1/kv/${taken.key}`, taken.value);
            break;
          case "delete":
            await server.ask(`DELETE /v1/kv/${taken.key}`);
            break;
          case "deleteTree":
            await server.ask(`DELETE /v1/kv/${taken.key}?recurse`);
            break;
          case "transaction": {
            const operations = taken.keys.map((name, i) => ({
              KV: { Verb: i % 2 === 0 ? "delete" : "set", Key: name, Value: "eA==" },
            }));
            await server.ask("PUT /v1/txn", JSON.stringify(operations));
            break;
          }
          case "sweep":
            hours += 1;
            await server.discovery.sweep();
            break;
          case "reopen":
            await reopen();
            break;
          case "save":
            archive = (await server.ask("GET /v1/snapshot")).bytes;
            break;
          case "restore":
            if (archive) expect((await server.ask("PUT /v1/snapshot", archive)).status).toBe(200);
            break;
          case "move": {
            const bytes = (await server.ask("GET /v1/snapshot")).bytes;
            const old = store;
            await server.close();
            store = openMemoryStore();
            server = await openTestServer(store, { clock });
            expect((await server.ask("PUT /v1/snapshot", bytes)).status).toBe(200);
            await old.close();
            break;
          }
        }
        await witness.ask(server);
      }
      await reopen();
      await witness.ask(server);
      await server.close();
      await store.close();
    }),
    { numRuns: 60, seed: 20161121 },
  );
}, 120_000);

for (const kind of storeKinds) {
  describe(`indexes over ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    test("a list's index counts a deletion, also after the tombstone was swept and after a rebuild", async () => {
      const opened = await kind.open();
      let server = await openTestServer(opened.store);
      await server.ask("PUT /v1/kv/a/1", "x");
      await server.ask("PUT /v1/kv/a/2", "x");
      const before = await server.index("GET /v1/kv/a/?recurse");
      await server.ask("DELETE /v1/kv/a/2");
      const deleted = await server.index("GET /v1/kv/a/?recurse");
      expect(deleted).toBeGreaterThan(before);
      expect(await server.index("GET /v1/kv/a/2")).toBe(deleted);
      await server.close();

      const store = (await opened.reopen?.()) ?? opened.store;
      server = await openTestServer(store, { clock: { ...systemClock, now: () => Date.now() + 3_600_000 } });
      expect(await server.index("GET /v1/kv/a/?recurse")).toBe(deleted);
      expect(await server.index("GET /v1/kv/a/1")).toBeLessThan(deleted);
      await server.discovery.sweep();
      expect(await server.index("GET /v1/kv/a/?recurse")).toBeGreaterThanOrEqual(deleted);
      const { state } = await rebuildState(schema, store);
      expect(state.indexOf(state.changedUnder("a/"))).toBeGreaterThanOrEqual(deleted);
      await server.close();
      await opened.dispose();
    });

    test("data moved to this store by an archive goes on above every index of the old one", async () => {
      const old = openMemoryStore();
      const source = await openTestServer(old);
      for (let i = 0; i < 50; i++) await source.ask(`PUT /v1/kv/k${i % 5}`, String(i));
      const archive = (await source.ask("GET /v1/snapshot")).bytes;
      // The old one goes on for a while, and clients see its indexes.
      for (let i = 0; i < 500; i++) await source.ask("PUT /v1/kv/k0", `later ${i}`);
      const highest = await source.index("GET /v1/kv/?recurse");
      await source.close();
      await old.close();

      const opened = await kind.open();
      const target = await openTestServer(opened.store);
      expect((await target.ask("PUT /v1/snapshot", archive)).status).toBe(200);
      expect(await target.json("GET /v1/kv/?keys")).toEqual(["k0", "k1", "k2", "k3", "k4"]);
      for (const line of ["GET /v1/kv/?recurse", "GET /v1/kv/k0", "GET /v1/kv/none"]) {
        expect(await target.index(line)).toBeGreaterThan(highest);
      }
      await target.close();
      await opened.dispose();
    });

    test("an index of before a restore never passes a check-and-set", async () => {
      const opened = await kind.open();
      const server = await openTestServer(opened.store);
      await server.ask("PUT /v1/kv/a", "1");
      const index = await server.index("GET /v1/kv/a");
      const archive = (await server.ask("GET /v1/snapshot")).bytes;
      await server.ask("PUT /v1/snapshot", archive);
      expect((await server.ask(`PUT /v1/kv/a?cas=${index}`, "2")).text).toBe("false");
      expect((await server.ask(`PUT /v1/kv/a?cas=${await server.index("GET /v1/kv/a")}`, "2")).text).toBe("true");
      await server.close();
      await opened.dispose();
    });
  });
}
