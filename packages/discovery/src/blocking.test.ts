import { type Clock, systemClock } from "@millwright/core/ports";
import { openMemoryStore } from "@millwright/store/memory";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noJitter, openTestServer, sleep, type TestReply, type TestServer } from "../test/harness.ts";
import { storeKinds, type TestStore } from "../test/stores.ts";

for (const kind of storeKinds) {
  describe(`blocking queries over ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    let store: TestStore;
    let server: TestServer;
    beforeEach(async () => {
      store = await kind.open();
      server = await openTestServer(store.store, { chance: noJitter });
    });
    afterEach(async () => {
      await server.close();
      await store.dispose();
    });

    const put = (key: string, value: string) => server.ask(`PUT /v1/kv/${key}`, value);

    test("a key's query answers when that key is written", async () => {
      await put("a", "1");
      const query = watch(server, `GET /v1/kv/a?index=${await server.index("GET /v1/kv/a")}`);
      await sleep(20);
      expect(query.answered()).toBe(false);
      await put("a", "2");
      expect(await value(query)).toBe("2");
    });

    test("a key's query sleeps through every other change", async () => {
      await put("a", "1");
      await put("a/b", "1");
      const query = watch(server, `GET /v1/kv/a?index=${await server.index("GET /v1/kv/a")}`);
      await put("a/b", "2");
      await put("ab", "1");
      await put("", "1");
      await server.ask("DELETE /v1/kv/a/?recurse");
      await server.ask("DELETE /v1/kv/ab");
      await put("a", "1");
      await sleep(50);
      expect(query.answered()).toBe(false);
      await server.ask("DELETE /v1/kv/a");
      expect(await query.reply).toMatchObject({ status: 404 });
    });

    test("a missing key's query answers when the key appears, and not before", async () => {
      await put("other", "1");
      const query = watch(server, `GET /v1/kv/a?index=${await server.index("GET /v1/kv/a")}`);
      await put("b", "1");
      await put("a/b", "1");
      await server.ask("DELETE /v1/kv/b");
      await sleep(50);
      expect(query.answered()).toBe(false);
      await put("a", "now");
      expect(await value(query)).toBe("now");
    });

    const prefixes = [
      { name: "recurse", query: "recurse" },
      { name: "keys", query: "keys" },
    ];
    for (const { name, query: parameter } of prefixes) {
      test(`${name}: answers to a write, a new key and a delete under the prefix, and to nothing else`, async () => {
        await put("a/1", "1");
        const line = async () => `GET /v1/kv/a/?${parameter}&index=${await server.index(`GET /v1/kv/a/?${parameter}`)}`;
        const changes = [() => put("a/1", "2"), () => put("a/2", "1"), () => server.ask("DELETE /v1/kv/a/2")];
        for (const change of changes) {
          const query = watch(server, await line());
          await put("b", String(Math.random()));
          await put("a", String(Math.random()));
          await server.ask("DELETE /v1/kv/b");
          await sleep(30);
          expect(query.answered()).toBe(false);
          await change();
          expect((await query.reply).status).toBe(200);
        }
      });
    }

    test("deleting a shorter prefix, or all, answers queries below it", async () => {
      await put("a/b/c", "1");
      for (const line of ["DELETE /v1/kv/a?recurse", "DELETE /v1/kv/?recurse"]) {
        await put("a/b/c", "1");
        const key = watch(server, `GET /v1/kv/a/b/c?index=${await server.index("GET /v1/kv/a/b/c")}`);
        const tree = watch(server, `GET /v1/kv/a/b/?recurse&index=${await server.index("GET /v1/kv/a/b/?recurse")}`);
        await server.ask(line);
        expect((await key.reply).status).toBe(404);
        expect((await tree.reply).status).toBe(404);
      }
    });

    test("an index that has been passed answers at once", async () => {
      await put("a", "1");
      const index = await server.index("GET /v1/kv/a");
      await put("a", "2");
      expect(await value(watch(server, `GET /v1/kv/a?index=${index}&wait=10s`))).toBe("2");
    });

    test("the wait ends with what there is and the same index", async () => {
      await put("a", "1");
      const index = await server.index("GET /v1/kv/a");
      const began = performance.now();
      const reply = await server.ask(`GET /v1/kv/a?index=${index}&wait=80ms`);
      expect(performance.now() - began).toBeGreaterThanOrEqual(78);
      expect(reply).toMatchObject({ status: 200, headers: { "x-consul-index": String(index) } });
    });

    test("a write that changes nothing wakes nobody", async () => {
      await put("a", "same");
      const query = watch(server, `GET /v1/kv/a?index=${await server.index("GET /v1/kv/a")}`);
      await put("a", "same");
      await sleep(30);
      expect(query.answered()).toBe(false);
      query.stop();
    });

    test("a query whose client has gone ends", async () => {
      await put("a", "1");
      const query = watch(server, `GET /v1/kv/a?index=${await server.index("GET /v1/kv/a")}`);
      await sleep(10);
      query.stop();
      expect((await query.reply).status).toBe(200);
    });

    test("closing the server answers everybody", async () => {
      await put("a", "1");
      const index = await server.index("GET /v1/kv/a");
      const queries = Array.from({ length: 50 }, () => watch(server, `GET /v1/kv/a?index=${index}`));
      // A request that came after them has been answered: they wait.
      await server.index("GET /v1/kv/a");
      await sleep(50);
      await server.close();
      for (const query of queries) expect((await query.reply).status).toBe(200);
    });

    test("a sweep of tombstones wakes nobody", async () => {
      await put("a/1", "1");
      await put("a/2", "1");
      await server.ask("DELETE /v1/kv/a/2");
      const query = watch(server, `GET /v1/kv/a/?recurse&index=${await server.index("GET /v1/kv/a/?recurse")}`);
      const missing = watch(server, `GET /v1/kv/a/2?index=${await server.index("GET /v1/kv/a/2")}`);
      const later = await openTestServer(store.store, { clock: hoursAhead(1) });
      await later.discovery.sweep();
      await later.close();
      await sleep(30);
      expect(query.answered() || missing.answered()).toBe(false);
      query.stop();
      missing.stop();
    });
  });
}

describe("how long a query waits", () => {
  const cases = [
    { name: "five minutes by default", query: "", fraction: 0, want: 300_000 },
    { name: "what it asks for", query: "&wait=30s", fraction: 0, want: 30_000 },
    { name: "ten minutes at most", query: "&wait=1h", fraction: 0, want: 600_000 },
    { name: "the default when it asks for nothing", query: "&wait=0s", fraction: 0, want: 300_000 },
    { name: "up to a sixteenth longer by chance", query: "&wait=16s", fraction: 0.5, want: 16_500 },
  ];
  test.each(cases)("$name", async ({ query, fraction, want }) => {
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      sleep: (milliseconds, signal) => {
        waits.push(milliseconds);
        return systemClock.sleep(milliseconds, signal);
      },
    };
    const store = openMemoryStore();
    const server = await openTestServer(store, { clock, chance: { ...noJitter, fraction: () => fraction } });
    await server.ask("PUT /v1/kv/a", "1");
    const index = await server.index("GET /v1/kv/a");
    waits.length = 0;
    const waiting = watch(server, `GET /v1/kv/a?index=${index}${query}`);
    await sleep(10);
    expect(waits).toContain(want);
    waiting.stop();
    await server.close();
    await store.close();
  });
});

interface Watched {
  readonly reply: Promise<TestReply>;
  answered(): boolean;
  stop(): void;
}

function watch(server: TestServer, line: string): Watched {
  const stop = new AbortController();
  let answered = false;
  const reply = server.ask(line, undefined, { signal: stop.signal }).then((given) => {
    answered = true;
    return given;
  });
  return { reply, answered: () => answered, stop: () => stop.abort() };
}

async function value({ reply }: Watched): Promise<string> {
  const [entry] = JSON.parse((await reply).text) as { Value: string }[];
  return Buffer.from(entry!.Value, "base64").toString();
}

function hoursAhead(hours: number): Clock {
  return { ...systemClock, now: () => Date.now() + hours * 3_600_000 };
}
