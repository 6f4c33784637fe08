import { silentLog, systemClock } from "@millwright/core/ports";
import { Projection, rebuildState } from "@millwright/records/projection";
import type { Store } from "@millwright/store/contract";
import { faultyStore, type FaultyStore } from "@millwright/store/faulty-store";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, sleep, type TestServer } from "../test/harness.ts";
import { schema } from "./schema.ts";
import type { DiscoveryState } from "./state.ts";

let inner: Store;
let store: FaultyStore;
let server: TestServer;
beforeEach(async () => {
  inner = openMemoryStore();
  store = faultyStore(inner);
  server = await openTestServer(store);
});
afterEach(async () => {
  store.mend();
  store.release();
  await server.close();
  await inner.close();
});

describe("reads see every acknowledged write", () => {
  test("a default read waits for a watch that is behind; a stale one does not", async () => {
    await server.ask("PUT /v1/kv/a", "1");
    await server.ask("GET /v1/kv/a");
    store.hold();
    await server.ask("PUT /v1/kv/a", "2");
    expect((await server.ask("GET /v1/kv/a?raw&stale")).text).toBe("1");
    let answered = false;
    const fresh = server.ask("GET /v1/kv/a?raw").then((reply) => {
      answered = true;
      return reply;
    });
    await sleep(30);
    expect(answered).toBe(false);
    store.release();
    expect((await fresh).text).toBe("2");
  });

  test("a write by another server is seen by the next read here", async () => {
    const other = await openTestServer(inner);
    for (let i = 0; i < 200; i++) {
      await other.ask("PUT /v1/kv/a", String(i));
      expect((await server.ask("GET /v1/kv/a?raw")).text).toBe(String(i));
    }
    await other.close();
  });

  test("commits outside the server's keys do not hold a read up", async () => {
    for (let i = 0; i < 20; i++) {
      await inner.txn({ then: [{ op: "put", key: `elsewhere/${i}`, value: new Uint8Array() }] });
      const began = performance.now();
      await server.ask("GET /v1/kv/none");
      // A watch that is not asked reports its progress after seconds.
      expect(performance.now() - began).toBeLessThan(2_000);
    }
  });

  test("a write made while the state is behind decides on the store, not on what was seen", async () => {
    await server.ask("PUT /v1/kv/a", "1");
    const index = await server.index("GET /v1/kv/a");
    const other = await openTestServer(inner);
    store.hold();
    await other.ask("PUT /v1/kv/a", "2");
    setTimeout(() => store.release(), 20);
    // This server still believes that "1" is there: writing it again must not be taken for no change.
    await server.ask("PUT /v1/kv/a", "1");
    expect((await other.ask("GET /v1/kv/a?raw")).text).toBe("1");
    expect((await server.ask(`PUT /v1/kv/a?cas=${index}`, "3")).text).toBe("false");
    await other.close();
  });
});

describe("a store that cannot be reached", () => {
  test("refuses reads and writes as Consul does without a leader, and serves stale reads", async () => {
    await server.ask("PUT /v1/kv/a", "1");
    await server.ask("GET /v1/kv/a");
    store.cut();
    const refusal = { status: 500, text: "No cluster leader", headers: { "x-consul-knownleader": "false" } };
    expect(await server.ask("GET /v1/kv/a")).toMatchObject(refusal);
    expect(await server.ask("GET /v1/status/leader")).toMatchObject(refusal);
    expect(await server.ask("PUT /v1/kv/a", "2")).toMatchObject(refusal);
    expect((await server.ask("GET /v1/kv/a?stale&raw")).text).toBe("1");
    store.mend();
    expect(await server.ask("PUT /v1/kv/a", "3")).toMatchObject({ status: 200 });
    expect((await server.ask("GET /v1/kv/a?raw")).text).toBe("3");
  });

  test("leaves blocked queries waiting, and they see what happened meanwhile", async () => {
    await server.ask("PUT /v1/kv/a", "1");
    const index = await server.index("GET /v1/kv/a");
    const query = server.ask(`GET /v1/kv/a?raw&index=${index}`);
    await sleep(10);
    store.cut();
    const other = await openTestServer(inner);
    await other.ask("PUT /v1/kv/a", "2");
    await sleep(50);
    store.mend();
    expect((await query).text).toBe("2");
    await other.close();
  });
});

test("a watch that has fallen behind the history is rebuilt, and its queries answer", async () => {
  await server.ask("PUT /v1/kv/a", "1");
  await server.ask("PUT /v1/kv/b", "1");
  const index = await server.index("GET /v1/kv/a");
  const query = server.ask(`GET /v1/kv/a?raw&index=${index}`);
  const stop = new AbortController();
  let otherAnswered = false;
  const otherIndex = await server.index("GET /v1/kv/b");
  const other = server.ask(`GET /v1/kv/b?raw&index=${otherIndex}`, undefined, { signal: stop.signal }).then(() => {
    otherAnswered = true;
  });
  await sleep(10);
  store.hold();
  await inner.txn({ then: [{ op: "put", key: "x", value: new Uint8Array() }] });
  const elsewhere = await openTestServer(inner);
  await elsewhere.ask("PUT /v1/kv/a", "2");
  await inner.compact(await inner.revision());
  store.compactWatches();
  store.release();
  expect((await query).text).toBe("2");
  await sleep(20);
  expect(otherAnswered, "what has not changed is not answered by the rebuild").toBe(false);
  stop.abort();
  await other;
  await elsewhere.close();
});

test("the state equals its rebuild after any traffic", async () => {
  const projection = await Projection.open(schema, { store: inner, clock: systemClock, log: silentLog });
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let i = 0; i < 600; i++) {
    const key = `k${next(4)}/${next(6)}`;
    const dice = next(10);
    if (dice < 6) await server.ask(`PUT /v1/kv/${key}`, String(next(3)));
    else if (dice < 8) await server.ask(`DELETE /v1/kv/${key}`);
    else if (dice < 9) await server.ask(`DELETE /v1/kv/${key.slice(0, 2)}?recurse`);
    else
      await server.ask(
        "PUT /v1/txn",
        JSON.stringify([0, 1, 2].map((n) => ({ KV: { Verb: "delete", Key: `k${n}/${next(6)}` } }))),
      );
    if (i % 50 !== 49) continue;
    await projection.fresh();
    const { state } = await rebuildState(schema, inner);
    expect(describeState(projection.state)).toEqual(describeState(state));
  }
  await projection.close();
});

test("closing ends the watch and the waits", async () => {
  const projection = await Projection.open(schema, { store: inner, clock: systemClock, log: silentLog });
  const waiting = projection.changed({ kind: "key", text: "a" }, new AbortController().signal);
  await projection.close();
  await waiting;
});

function describeState(state: DiscoveryState): object {
  const prefixes = ["", "k0", "k1/", "k2", "k3/", "zz"];
  const keys = Array.from({ length: 24 }, (_, i) => `k${i % 4}/${i % 6}`);
  return {
    meta: state.meta,
    floor: state.floor,
    entries: [...state.rows("kv", "")].map(({ key, value, flags, created, modified }) => [
      key,
      Buffer.from(value).toString(),
      flags,
      created,
      modified,
    ]),
    prefixes: prefixes.map((prefix) => state.changedUnder(prefix)),
    keys: keys.map((key) => state.changedKey(key)),
  };
}
