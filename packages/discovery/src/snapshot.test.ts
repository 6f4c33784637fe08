import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { prefixRange } from "@millwright/store/contract";
import { type FaultyStore, faultyStore } from "@millwright/store/faulty-store";
import { openMemoryStore } from "@millwright/store/memory";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, sleep, type TestServer } from "../test/harness.ts";
import { storeKinds } from "../test/stores.ts";
import { layout } from "./layout.ts";

describe("an archive of one engine restores into any", () => {
  beforeAll(async () => void (await Promise.all(storeKinds.map((kind) => kind.start()))));
  afterAll(async () => void (await Promise.all(storeKinds.map((kind) => kind.stop()))));

  for (const from of storeKinds) {
    for (const to of storeKinds) {
      test(`from ${from.name} to ${to.name}, and replaces what is there`, async () => {
        const [source, target] = await Promise.all([from.open(), to.open()]);
        const [a, b] = await Promise.all([openTestServer(source.store), openTestServer(target.store)]);
        for (let i = 0; i < 250; i++) await a.ask(`PUT /v1/kv/tree/${i}?flags=${i}`, "v".repeat(i * 20));
        await a.ask(
          "PUT /v1/kv/bin",
          Uint8Array.from({ length: 256 }, (_, i) => i),
        );
        await a.ask("PUT /v1/kv/large", new Uint8Array(524_288));
        await b.ask("PUT /v1/kv/old", "x");
        const saved = await a.ask("GET /v1/snapshot");
        expect(saved).toMatchObject({ status: 200, headers: { "content-type": "application/x-gzip" } });
        expect(Number(saved.headers["x-consul-index"])).toBeGreaterThan(250);
        expect(await b.ask("PUT /v1/snapshot", saved.bytes)).toMatchObject({ status: 200 });
        expect(await contents(b)).toEqual(await contents(a));
        // Nothing of the generation that was replaced is left in the store.
        const left = await target.store.range(prefixRange(layout.generation(1)), { countOnly: true });
        expect(left.count).toBe(0);
        await Promise.all([a.close(), b.close()]);
        await Promise.all([source.dispose(), target.dispose()]);
      });
    }
  }
});

describe("a restore", () => {
  let inner = openMemoryStore();
  let store: FaultyStore;
  let server: TestServer;
  beforeEach(async () => {
    inner = openMemoryStore();
    store = faultyStore(inner);
    server = await openTestServer(store);
    for (let i = 0; i < 300; i++) await server.ask(`PUT /v1/kv/k${i}`, "archived");
  });
  afterEach(async () => {
    store.mend();
    await server.close();
    await inner.close();
  });

  const save = async () => (await server.ask("GET /v1/snapshot")).bytes;

  test("answers blocked queries with what was restored", async () => {
    const archive = await save();
    await server.ask("PUT /v1/kv/k0", "changed");
    const query = server.ask(`GET /v1/kv/k0?raw&index=${await server.index("GET /v1/kv/k0")}`);
    await sleep(10);
    await server.ask("PUT /v1/snapshot", archive);
    expect((await query).text).toBe("archived");
  });

  test("is seen whole or not at all, by every server", async () => {
    const archive = await save();
    await server.ask("DELETE /v1/kv/?recurse");
    await server.ask("PUT /v1/kv/only", "x");
    const other = await openTestServer(inner);
    const seen = new Set<number>();
    let done = false;
    const reading = (async () => {
      while (!done) {
        seen.add(((await other.json("GET /v1/kv/?keys")) as string[]).length);
        await sleep(0);
      }
    })();
    await server.ask("PUT /v1/snapshot", archive);
    done = true;
    await reading;
    expect([...seen].every((count) => count === 1 || count === 300)).toBe(true);
    expect(await other.json("GET /v1/kv/?keys")).toHaveLength(300);
    await other.close();
  });

  test("loses no write that comes at the same time into nothing: it is before the restore or after it", async () => {
    const archive = await save();
    const writes: Promise<unknown>[] = [];
    const restoring = server.ask("PUT /v1/snapshot", archive);
    for (let i = 0; i < 100; i++) {
      writes.push(server.ask(`PUT /v1/kv/during${i}`, "x"));
      await sleep(0);
    }
    await Promise.all([restoring, ...writes]);
    await server.ask("PUT /v1/kv/last", "x");
    expect((await server.ask("GET /v1/kv/last")).status).toBe(200);
    const kept = (await inner.range(prefixRange(layout.generation(1)), { countOnly: true })).count;
    expect(kept, "no write landed in the generation that was replaced").toBe(0);
  });

  test("that dies half-way changes nothing, and the next one clears up after it", async () => {
    const archive = await save();
    await server.ask("PUT /v1/kv/k0", "changed");
    const before = await contents(server);
    let steps = 0;
    store.beforeTxn = async () => {
      if (++steps === 3) store.cut();
    };
    expect((await server.ask("PUT /v1/snapshot", archive)).status).toBeGreaterThanOrEqual(500);
    store.beforeTxn = async () => undefined;
    store.mend();
    expect(await contents(server)).toEqual(before);
    // What the dead restore held is given back when its lease ends; here it could still be revoked, or not.
    for (const { key } of (await inner.range(prefixRange(layout.restoring))).entries) {
      await inner.txn({ then: [{ op: "delete", key }] });
    }
    expect((await server.ask("PUT /v1/snapshot", archive)).status).toBe(200);
    expect((await server.ask("GET /v1/kv/k0?raw")).text).toBe("archived");
  });

  test("is refused while another is under way", async () => {
    const archive = await save();
    const gate = Promise.withResolvers<void>();
    const slow = (async function* pieces() {
      yield archive.subarray(0, 10);
      await gate.promise;
      yield archive.subarray(10);
    })();
    const first = server.ask("PUT /v1/snapshot", slow);
    await sleep(20);
    expect(await server.ask("PUT /v1/snapshot", archive)).toMatchObject({
      status: 503,
      text: expect.stringMatching(/under way/),
    });
    gate.resolve();
    expect((await first).status).toBe(200);
  });

  describe("of a damaged archive changes nothing", () => {
    const relined = (change: (lines: string[]) => string[]) => (archive: Uint8Array) =>
      gzipSync(change(gunzipSync(archive).toString().split("\n")).join("\n"));
    const resealed = (change: (lines: string[]) => string[]) =>
      relined((lines) => {
        const body = change(lines.slice(0, -2));
        const hash = createHash("sha256")
          .update(`${body.join("\n")}\n`)
          .digest("hex");
        return [...body, JSON.stringify({ entries: body.length - 1, sha256: hash }), ""];
      });
    const entry = (name: string, bytes: number[]) =>
      JSON.stringify({ k: name, v: Buffer.from(bytes).toString("base64") });
    const damages: { name: string; of: (archive: Uint8Array) => Uint8Array; why: RegExp }[] = [
      { name: "empty", of: () => new Uint8Array(), why: /restored/ },
      { name: "no gzip", of: () => Buffer.from("hello"), why: /header/ },
      { name: "cut in the middle", of: (a) => a.subarray(0, a.length >> 1), why: /unexpected end|early/ },
      { name: "without its last byte", of: (a) => a.subarray(0, -1), why: /unexpected end/ },
      {
        name: "a byte changed",
        of: (a) => Uint8Array.from(a, (byte, i) => (i === a.length >> 1 ? byte ^ 255 : byte)),
        why: /restored/,
      },
      { name: "without its last line", of: relined((l) => [...l.slice(0, -2), ""]), why: /early/ },
      { name: "without one entry", of: relined((l) => l.filter((_, i) => i !== 5)), why: /299/ },
      {
        name: "an entry changed",
        of: relined((l) => l.map((line, i) => (i === 5 ? line.replace("kv/k", "kv/K") : line))),
        why: /checksum/,
      },
      { name: "followed by more", of: relined((l) => [...l.slice(0, -1), "{}", ""]), why: /follows/ },
      {
        name: "of another kind",
        of: resealed((l) => [l[0]!.replace("millwright", "other"), ...l.slice(1)]),
        why: /another kind/,
      },
      {
        name: "of a later format",
        of: resealed((l) => [l[0]!.replace('"format":1', '"format":2'), ...l.slice(1)]),
        why: /format 2/,
      },
      {
        name: "with an unknown table",
        of: resealed((l) => [...l, entry("locks/a", [1, 0, 0, 0, 0, 0, 0, 0, 0])]),
        why: /locks\/a/,
      },
      { name: "with an unknown record", of: resealed((l) => [...l, entry("kv/a", [9, 9])]), why: /record format 9/ },
      { name: "with an entry twice", of: resealed((l) => [...l, l[1]!]), why: /twice/ },
      { name: "with a line that is no object", of: resealed((l) => [...l, "7"]), why: /no JSON object/ },
    ];
    test.each(damages)("$name", async ({ of, why }) => {
      const archive = await save();
      await server.ask("PUT /v1/kv/k0", "changed");
      const before = await server.ask("GET /v1/kv/?recurse");
      const reply = await server.ask("PUT /v1/snapshot", of(archive));
      expect(reply.status).toBe(400);
      expect(reply.text).toMatch(/^The archive cannot be restored: .*Nothing was changed\.$/);
      expect(reply.text).toMatch(why);
      expect(await server.ask("GET /v1/kv/?recurse")).toEqual(before);
      expect((await server.ask("PUT /v1/snapshot", archive)).status).toBe(200);
    });
  });
});

async function contents(server: TestServer): Promise<unknown> {
  const { status, text } = await server.ask("GET /v1/kv/?recurse");
  if (status === 404) return [];
  const entries = JSON.parse(text) as { Key: string; Value: string | null; Flags: number }[];
  return entries.map(({ Key, Value, Flags }) => [Key, Value, Flags]);
}
