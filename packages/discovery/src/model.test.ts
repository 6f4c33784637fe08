import { compareKeys } from "@millwright/store/keys";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestServer } from "../test/harness.ts";
import { storeKinds } from "../test/stores.ts";

interface Held {
  readonly value: string;
  readonly flags: number;
  /** Changes with every write that changes something; stands for the modify index. */
  readonly stamp: number;
}

/** The key-value store as a plain map. */
class Model {
  readonly keys = new Map<string, Held>();
  #stamp = 0;

  set(key: string, value: string, flags: number): void {
    const held = this.keys.get(key);
    if (held?.value === value && held.flags === flags) return;
    this.keys.set(key, { value, flags, stamp: ++this.#stamp });
  }

  deleteTree(prefix: string): void {
    for (const key of [...this.keys.keys()]) if (key.startsWith(prefix)) this.keys.delete(key);
  }

  under(prefix: string): string[] {
    return [...this.keys.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
  }
}

const key = fc.constantFrom("a", "a/1", "a/2", "a/2/x", "b", "ab", "\u{1F600}", "\uFFFD");
const prefix = fc.constantFrom("", "a", "a/", "a/2", "b", "zz");
const value = fc.constantFrom("", "1", "2");
const flags = fc.constantFrom(0, 7);
/** Which of the indexes seen so far a check compares: that of the key now, one of before, or 0. */
const guess = fc.constantFrom("now", "old", "zero");

const command = fc.oneof(
  fc.record({ do: fc.constant("put" as const), key, value, flags }),
  fc.record({ do: fc.constant("cas" as const), key, value, flags, guess }),
  fc.record({ do: fc.constant("delete" as const), key }),
  fc.record({ do: fc.constant("deleteCas" as const), key, guess }),
  fc.record({ do: fc.constant("deleteTree" as const), prefix }),
  fc.record({ do: fc.constant("list" as const), prefix }),
  fc.record({ do: fc.constant("txn" as const), key, value, other: key, prefix, shape: fc.nat(3) }),
);

for (const kind of storeKinds) {
  describe(`over ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    test("any sequence of operations gives what a plain map gives", async () => {
      const runs = kind.name === "memory" ? 150 : 15;
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 60 }), async (commands) => {
          const opened = await kind.open();
          const server = await openTestServer(opened.store);
          const model = new Model();
          /** The last index of each stamp, as the server told it. */
          const indexes = new Map<string, number>();
          const guessed = async (name: string, which: string): Promise<{ index: number; right: boolean }> => {
            const held = model.keys.get(name);
            if (which === "zero") return { index: 0, right: held === undefined };
            const now = held ? await server.index(`GET /v1/kv/${encodeURI(name)}`) : 1;
            const before = indexes.get(name);
            indexes.set(name, now);
            if (which === "now") return { index: now, right: held !== undefined };
            return { index: before ?? 1, right: held !== undefined && before === now };
          };
          for (const c of commands) {
            switch (c.do) {
              case "put":
                expect((await server.ask(`PUT /v1/kv/${encodeURI(c.key)}?flags=${c.flags}`, c.value)).text).toBe(
                  "true",
                );
                model.set(c.key, c.value, c.flags);
                break;
              case "cas": {
                const { index, right } = await guessed(c.key, c.guess);
                const reply = await server.ask(`PUT /v1/kv/${encodeURI(c.key)}?flags=${c.flags}&cas=${index}`, c.value);
                expect(reply.text).toBe(String(right));
                if (right) model.set(c.key, c.value, c.flags);
                break;
              }
              case "delete":
                expect((await server.ask(`DELETE /v1/kv/${encodeURI(c.key)}`)).text).toBe("true");
                model.keys.delete(c.key);
                break;
              case "deleteCas": {
                const { index, right } = await guessed(c.key, c.guess);
                const gone = right || !model.keys.has(c.key);
                expect((await server.ask(`DELETE /v1/kv/${encodeURI(c.key)}?cas=${index}`)).text).toBe(String(gone));
                if (gone) model.keys.delete(c.key);
                break;
              }
              case "deleteTree":
                expect((await server.ask(`DELETE /v1/kv/${c.prefix}?recurse`)).text).toBe("true");
                model.deleteTree(c.prefix);
                break;
              case "list": {
                const reply = await server.ask(`GET /v1/kv/${c.prefix}?recurse`);
                const names =
                  reply.status === 404 ? [] : (JSON.parse(reply.text) as { Key: string }[]).map(({ Key }) => Key);
                expect(names).toEqual(model.under(c.prefix));
                break;
              }
              case "txn": {
                const all = [
                  { KV: { Verb: "delete-tree", Key: c.prefix } },
                  { KV: { Verb: "set", Key: c.key, Value: Buffer.from(c.value).toString("base64") } },
                  { KV: { Verb: "delete", Key: c.other } },
                  { KV: { Verb: "get-tree", Key: "" } },
                ];
                const operations = c.shape === 0 ? all : all.slice(1);
                // One shape in four fails at its end, and must leave no trace.
                if (c.shape === 3) operations.push({ KV: { Verb: "get", Key: c.other } });
                const reply = await server.ask("PUT /v1/txn", JSON.stringify(operations));
                if (c.shape === 3) {
                  expect(reply.status).toBe(409);
                  break;
                }
                if (c.shape === 0) model.deleteTree(c.prefix);
                model.set(c.key, c.value, 0);
                model.keys.delete(c.other);
                const { Results } = JSON.parse(reply.text) as { Results: { KV: { Key: string } }[] };
                expect(Results.slice(1).map(({ KV }) => KV.Key)).toEqual(model.under(""));
                break;
              }
            }
          }
          const reply = await server.ask("GET /v1/kv/?recurse");
          const entries =
            reply.status === 404
              ? []
              : (JSON.parse(reply.text) as { Key: string; Value: string | null; Flags: number }[]);
          expect(
            entries.map(({ Key, Value, Flags }) => [Key, Buffer.from(Value ?? "", "base64").toString(), Flags]),
          ).toEqual(model.under("").map((name) => [name, model.keys.get(name)!.value, model.keys.get(name)!.flags]));
          await server.close();
          await opened.dispose();
        }),
        { numRuns: runs, seed: 8500 },
      );
    }, 120_000);
  });
}
