import { rebuildState } from "@millwright/records/projection";
import type { LeaseId, Store } from "@millwright/store/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addNode, setCheck } from "../test/catalog.ts";
import { openTestServer, sleep, type TestServer } from "../test/harness.ts";
import { storeKinds } from "../test/stores.ts";
import { layout } from "./layout.ts";
import { schema } from "./schema.ts";
import { tables } from "./tables.ts";

const keys = ["a", "b"] as const;
const clients = 4;

/** What one client asks of one of the servers, with the session it has. */
interface Act {
  readonly client: number;
  readonly server: number;
  readonly key: (typeof keys)[number];
  readonly do: "acquire" | "lock in a transaction" | "release" | "write" | "delete" | "destroy" | "lapse";
}

const act: fc.Arbitrary<Act> = fc.record({
  client: fc.nat({ max: clients - 1 }),
  server: fc.nat({ max: 1 }),
  key: fc.constantFrom(...keys),
  do: fc.constantFrom(
    ...(["acquire", "acquire", "acquire", "lock in a transaction", "release", "release"] as const),
    ...(["write", "delete", "destroy", "lapse"] as const),
  ),
});

/** Clients that each believe what the servers told them; two that believe to hold one key at once are the failure. */
class World {
  readonly #servers: readonly TestServer[];
  readonly #store: Store;
  readonly #sessions: string[] = [];
  /** Who was told that it holds a key, and has done nothing since that ends it. */
  readonly #believed = new Map<string, string>();
  /** Counts what may have ended a lock of a key: an answer to what began before it proves nothing. */
  readonly #ends = new Map<string, number>();

  constructor(servers: readonly TestServer[], store: Store) {
    this.#servers = servers;
    this.#store = store;
  }

  async start(): Promise<void> {
    for (let i = 0; i < clients; i++) await this.#newSession(i);
  }

  async carryOut({ client, server, key, do: what }: Act): Promise<void> {
    const asked = this.#servers[server]!;
    const session = this.#sessions[client]!;
    switch (what) {
      case "acquire":
      case "lock in a transaction": {
        const began = this.#ends.get(key);
        const got =
          what === "acquire"
            ? (await asked.ask(`PUT /v1/kv/${key}?acquire=${session}`, session)).text === "true"
            : (await asked.ask("PUT /v1/txn", lockBody(key, session))).status === 200;
        if (!got || this.#ends.get(key) !== began) return;
        expect([undefined, session], `who holds ${key}`).toContain(this.#believed.get(key));
        this.#believed.set(key, session);
        return;
      }
      case "release":
        return this.#ending([key], session, () => asked.ask(`PUT /v1/kv/${key}?release=${session}`, "free"));
      case "write":
        await asked.ask(`PUT /v1/kv/${key}`, "written");
        return;
      case "delete":
        return this.#ending([key], undefined, () => asked.ask(`DELETE /v1/kv/${key}`));
      case "destroy":
        await this.#ending(keys, session, () => asked.ask(`PUT /v1/session/destroy/${session}`));
        return this.#newSession(client);
      case "lapse":
        await this.#ending(keys, session, () => lapse(this.#store, session));
        return this.#newSession(client);
    }
  }

  /** What everybody believes is so, and nothing is held by a session that is gone. */
  async check(): Promise<void> {
    const { state } = await rebuildState(schema, this.#store);
    for (const lock of state.rows("lock")) {
      expect(state.row("kv", lock.key), `the key of the lock ${lock.key}`).toBeDefined();
      if (lock.session !== "") expect(state.row("session", lock.session), `who holds ${lock.key}`).toBeDefined();
    }
    for (const [key, session] of this.#believed) expect(state.row("lock", key)?.session, key).toBe(session);
  }

  // What is asked for meanwhile may come before or behind it, and proves nothing either.
  async #ending(ended: readonly string[], session: string | undefined, work: () => Promise<unknown>): Promise<void> {
    const end = () => {
      for (const key of ended) {
        this.#ends.set(key, (this.#ends.get(key) ?? 0) + 1);
        if (session === undefined || this.#believed.get(key) === session) this.#believed.delete(key);
      }
    };
    end();
    await work();
    end();
  }

  async #newSession(client: number): Promise<void> {
    const body = JSON.stringify({ TTL: "10s", LockDelay: 0 });
    const { text } = await this.#servers[client % 2]!.ask("PUT /v1/session/create", body);
    this.#sessions[client] = (JSON.parse(text) as { ID: string }).ID;
  }
}

function lockBody(key: string, session: string): string {
  return JSON.stringify([{ KV: { Verb: "lock", Key: key, Value: "eA==", Session: session } }]);
}

// As if it had not been renewed in time.
async function lapse(store: Store, session: string): Promise<void> {
  const { entries } = await store.range({ from: layout.record(1, "session", session) }, { limit: 1 });
  const [entry] = entries;
  if (entry?.key !== layout.record(1, "session", session)) return;
  await store.revokeLease(tables.session.decode(entry.value).lease as LeaseId);
}

for (const kind of storeKinds) {
  describe(`two servers over one ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());

    test("nobody holds what another holds, and who has ended holds nothing", async () => {
      const runs = kind.name === "memory" ? 40 : 5;
      const batches = fc.array(fc.array(act, { minLength: 1, maxLength: 6 }), { minLength: 3, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(batches, async (steps) => {
          const opened = await kind.open();
          await addNode(opened.store, "n1");
          const servers = [
            await openTestServer(opened.store),
            await openTestServer((await opened.another?.()) ?? opened.store),
          ];
          const world = new World(servers, opened.store);
          await world.start();
          for (const batch of steps) {
            await Promise.all(batch.map((one) => world.carryOut(one)));
            await world.check();
          }
          await Promise.all(servers.map((server) => server.close()));
          await opened.dispose();
        }),
        { numRuns: runs, seed: 20261121 },
      );
    }, 120_000);

    test("sessions are ended by the other when the one that did so has gone", async () => {
      const opened = await kind.open();
      await addNode(opened.store, "n1");
      const a = await openTestServer(opened.store);
      const b = await openTestServer((await opened.another?.()) ?? opened.store);
      const { ID } = JSON.parse((await a.ask("PUT /v1/session/create")).text) as { ID: string };
      await a.ask(`PUT /v1/kv/a?acquire=${ID}`, "x");
      await a.close();
      await setCheck(opened.store, "n1", "serfHealth", "critical");
      for (let i = 0; (await b.ask(`GET /v1/session/info/${ID}`)).text !== "[]"; i++) {
        expect(i).toBeLessThan(200);
        await sleep(50);
      }
      expect(await b.json("GET /v1/kv/a")).toMatchObject([{ LockIndex: 1 }]);
      expect((await b.json("GET /v1/kv/a")) as object[]).not.toMatchObject([{ Session: ID }]);
      await b.close();
      await opened.dispose();
    });

    test("a delay that began on one holds on the other at once", async () => {
      const opened = await kind.open();
      await addNode(opened.store, "n1");
      const a = await openTestServer(opened.store);
      const b = await openTestServer((await opened.another?.()) ?? opened.store);
      const create = async (body: object) =>
        (JSON.parse((await a.ask("PUT /v1/session/create", JSON.stringify(body))).text) as { ID: string }).ID;
      const [first, second] = [await create({ LockDelay: "2s" }), await create({})];
      for (const key of keys) {
        expect((await a.ask(`PUT /v1/kv/${key}?acquire=${first}`, "x")).text).toBe("true");
      }
      await a.ask(`PUT /v1/session/destroy/${first}`);
      const takers = [b, b, a, b].map((server) => server.ask(`PUT /v1/kv/a?acquire=${second}`, "x"));
      for (const { text } of await Promise.all(takers)) expect(text).toBe("false");
      expect((await b.ask("PUT /v1/txn", lockBody("b", second))).text).toMatch(/due to lock delay/);
      for (let i = 0; (await b.ask(`PUT /v1/kv/a?acquire=${second}`, "x")).text !== "true"; i++) {
        expect(i).toBeLessThan(200);
        await sleep(50);
      }
      await Promise.all([a.close(), b.close()]);
      await opened.dispose();
    });
  });
}
