import type { LeaseId, Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addNode, removeNode, setCheck } from "../test/catalog.ts";
import { noJitter, openTestServer, sleep, type TestServer } from "../test/harness.ts";
import { layout } from "./layout.ts";
import { tables } from "./tables.ts";

let store: Store;
let server: TestServer;
beforeEach(async () => {
  store = openMemoryStore();
  await addNode(store, "n1");
  server = await openTestServer(store, { chance: noJitter });
});
afterEach(async () => {
  await server.close();
  await store.close();
});

async function create(body: object = {}): Promise<string> {
  const reply = await server.ask("PUT /v1/session/create", JSON.stringify(body));
  expect(reply.text).toMatch(/^\{"ID":/);
  return (JSON.parse(reply.text) as { ID: string }).ID;
}

const ask = async (line: string, body?: string) => (await server.ask(line, body)).text;
const acquire = (key: string, session: string, value = "v") => ask(`PUT /v1/kv/${key}?acquire=${session}`, value);

async function entry(key: string): Promise<Record<string, unknown> | undefined> {
  const reply = await server.ask(`GET /v1/kv/${key}`);
  return reply.status === 404 ? undefined : (JSON.parse(reply.text) as Record<string, unknown>[])[0];
}

/** Ends the session's time to live, as if it had not been renewed. */
async function lapse(id: string): Promise<void> {
  const range = await store.range({ from: layout.record(1, "session", id) }, { limit: 1 });
  const { lease } = tables.session.decode(range.entries[0]!.value);
  expect(lease).not.toBe("");
  await store.revokeLease(lease as LeaseId);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error("it did not come to be so within two seconds");
}

const isGone = (id: string) => until(async () => (await ask(`GET /v1/session/info/${id}`)) === "[]");

describe("a session", () => {
  test("has Consul's defaults, and is shown by id, by node and in the list", async () => {
    const id = await create();
    const index = await server.index(`GET /v1/session/info/${id}`);
    const shown = {
      ID: id,
      Name: "",
      Node: "n1",
      LockDelay: 15_000_000_000,
      Behavior: "release",
      TTL: "",
      NodeChecks: ["serfHealth"],
      ServiceChecks: null,
      CreateIndex: index,
      ModifyIndex: index,
    };
    for (const path of [`info/${id}`, "node/n1", "node/N1", "list"])
      expect(await server.json(`GET /v1/session/${path}`)).toEqual([shown]);
    expect(await ask("GET /v1/session/info/none")).toBe("[]");
    expect(await ask("GET /v1/session/node/n2")).toBe("[]");
  });

  test("is what it was asked to be, in either spelling", async () => {
    const id = await create({ name: "x", lock_delay: 5, Behavior: "delete", TTL: "10s", node_checks: [], Node: "n1" });
    expect(await server.json(`GET /v1/session/info/${id}`)).toMatchObject([
      { Name: "x", LockDelay: 5_000_000_000, Behavior: "delete", TTL: "10s", NodeChecks: [] },
    ]);
  });

  test("belongs to the node that passes its request on", async () => {
    await addNode(store, "n2");
    const headers = { "x-millwright-node": "n2" };
    const { ID } = JSON.parse((await server.ask("PUT /v1/session/create", "", { headers })).text) as { ID: string };
    expect(await server.json(`GET /v1/session/info/${ID}`)).toMatchObject([{ Node: "n2" }]);
  });

  const refusals = [
    { name: "no JSON", body: "{", status: 400, text: /^Request decode failed: / },
    { name: "a field of another type", body: '{"TTL":5}', status: 400, text: /TTL is no text/ },
    { name: "a short time to live", body: '{"TTL":"9s"}', status: 400, text: /between \[10s=24h0m0s\]/ },
    { name: "a long time to live", body: '{"TTL":"25h"}', status: 400, text: /between \[10s=24h0m0s\]/ },
    { name: "a time to live that is none", body: '{"TTL":"x"}', status: 400, text: /Session TTL 'x' invalid/ },
    { name: "another behavior", body: '{"Behavior":"keep"}', status: 400, text: /Invalid Behavior setting 'keep'/ },
    { name: "a delay that is none", body: '{"LockDelay":"x"}', status: 400, text: /Invalid LockDelay "x"/ },
    { name: "an unknown node", body: '{"Node":"n9"}', status: 500, text: /^Missing node registration/ },
    { name: "an unknown check", body: '{"NodeChecks":["c"]}', status: 500, text: "Missing check 'c' registration" },
    { name: "a critical check", body: '{"Checks":["bad"]}', status: 500, text: "Check 'bad' is in critical state" },
    {
      name: "a service's",
      body: '{"ServiceChecks":[{"ID":"s"}]}',
      status: 500,
      text: "Missing check 's' registration",
    },
  ];
  test.each(refusals)("is refused for $name", async ({ body, status, text }) => {
    await setCheck(store, "n1", "bad", "critical");
    const reply = await server.ask("PUT /v1/session/create", body);
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(text);
    expect(await ask("GET /v1/session/list")).toBe("[]");
  });

  test("is renewed without a commit, and not once it has ended", async () => {
    const id = await create({ TTL: "10s" });
    const before = await store.revision();
    expect(await server.json(`PUT /v1/session/renew/${id}`)).toMatchObject([{ ID: id, TTL: "10s" }]);
    expect(await store.revision()).toBe(before);
    expect(await ask(`PUT /v1/session/destroy/${id}`)).toBe("true");
    const reply = await server.ask(`PUT /v1/session/renew/${id}`);
    expect(reply).toMatchObject({ status: 404, text: `Session id '${id}' not found` });
    expect(await ask("PUT /v1/session/destroy/none")).toBe("true");
  });

  test("lists wait for one that comes or goes, and for no other node's", async () => {
    await addNode(store, "n2");
    const index = await server.index("GET /v1/session/node/n1");
    let woken = false;
    const waiting = server.json(`GET /v1/session/node/n1?index=${index}`).then((value) => {
      woken = true;
      return value;
    });
    await create({ Node: "n2" });
    await sleep(20);
    expect(woken).toBe(false);
    const id = await create();
    expect(await waiting).toMatchObject([{ ID: id }]);
  });
});

describe("a lock", () => {
  test("is held by one, taken again by its holder, and given back", async () => {
    const [a, b] = [await create(), await create()];
    expect(await acquire("k", a, "1")).toBe("true");
    expect(await entry("k")).toMatchObject({ Session: a, LockIndex: 1, Value: "MQ==" });
    expect(await acquire("k", b, "2")).toBe("false");
    expect(await acquire("k", a, "3")).toBe("true");
    expect(await entry("k")).toMatchObject({ Session: a, LockIndex: 1, Value: "Mw==" });
    expect(await ask(`PUT /v1/kv/k?release=${b}`, "4")).toBe("false");
    expect(await ask(`PUT /v1/kv/k?release=${a}`, "5")).toBe("true");
    expect(await entry("k")).toMatchObject({ LockIndex: 1, Value: "NQ==" });
    expect((await entry("k"))?.Session).toBeUndefined();
    expect(await acquire("k", b, "6")).toBe("true");
    expect(await entry("k")).toMatchObject({ Session: b, LockIndex: 2 });
    expect(await ask("PUT /v1/kv/none?release=x", "")).toBe("false");
  });

  test("stays with writes of its key's value, and goes with the key", async () => {
    const a = await create();
    for (const remove of ["DELETE /v1/kv/k", "DELETE /v1/kv/k?recurse", "DELETE /v1/kv/?recurse"]) {
      await acquire("k", a);
      await ask("PUT /v1/kv/k", "other");
      await ask("PUT /v1/kv/k?cas=0", "not written");
      expect(await entry("k")).toMatchObject({ Session: a, LockIndex: 1, Value: "b3RoZXI=" });
      await ask(remove);
      await ask("PUT /v1/kv/k", "new");
      expect(await entry("k")).toMatchObject({ LockIndex: 0 });
    }
  });

  test("is shown in lists and by transactions", async () => {
    const a = await create();
    await acquire("t/1", a);
    await ask("PUT /v1/kv/t/2", "x");
    const list = (await server.json("GET /v1/kv/t/?recurse")) as Record<string, unknown>[];
    expect(list.map(({ Session, LockIndex }) => [Session, LockIndex])).toEqual([
      [a, 1],
      [undefined, 0],
    ]);
    expect(await server.json("PUT /v1/txn", '[{"KV":{"Verb":"get","Key":"t/1"}}]')).toMatchObject({
      Results: [{ KV: { Session: a, LockIndex: 1 } }],
    });
  });

  test("wakes who waits for its key when it is taken and when it is given back with the same value", async () => {
    const a = await create();
    await ask("PUT /v1/kv/k", "v");
    for (const step of [() => acquire("k", a), () => ask(`PUT /v1/kv/k?release=${a}`, "v")]) {
      const index = await server.index("GET /v1/kv/k");
      const waiting = server.index(`GET /v1/kv/k?index=${index}`);
      await step();
      expect(await waiting).toBeGreaterThan(index);
    }
  });

  test("is taken, checked and given back by transactions, with all or nothing", async () => {
    const [a, b] = [await create(), await create()];
    const txn = (...operations: object[]) =>
      server.json("PUT /v1/txn", JSON.stringify(operations.map((KV) => ({ KV })))) as Promise<{
        Errors: { OpIndex: number; What: string }[] | null;
      }>;
    const taken = await txn(
      { Verb: "lock", Key: "k", Value: "eA==", Session: a },
      { Verb: "check-session", Key: "k", Session: a },
    );
    expect(taken).toMatchObject({ Results: [{ KV: { Session: a, LockIndex: 1 } }, { KV: { Session: a } }] });
    const refused = await txn(
      { Verb: "set", Key: "other", Value: "eA==" },
      { Verb: "lock", Key: "k", Session: b },
      { Verb: "unlock", Key: "k", Session: b },
      { Verb: "check-session", Key: "k", Session: b },
      { Verb: "check-session", Key: "none", Session: b },
      { Verb: "lock", Key: "k", Session: "none" },
    );
    expect(refused.Errors?.map(({ OpIndex, What }) => `${OpIndex} ${What}`)).toEqual([
      '1 failed to lock key "k", lock is already held',
      `2 failed to unlock key "k", lock isn't held, or is held by another session`,
      `3 failed session check for key "k", current session "${a}" != "${b}"`,
      `4 failed to check session, key "none" doesn't exist`,
      '5 invalid session "none"',
    ]);
    expect(await entry("other")).toBeUndefined();
    expect((await txn({ Verb: "unlock", Key: "k", Session: a }, { Verb: "lock", Key: "k", Session: b })).Errors).toBe(
      null,
    );
    expect(await entry("k")).toMatchObject({ Session: b, LockIndex: 2 });
    expect((await txn({ Verb: "delete", Key: "k" }, { Verb: "set", Key: "k", Value: "eA==" })).Errors).toBe(null);
    expect(await entry("k")).toMatchObject({ LockIndex: 0 });
    expect((await txn({ Verb: "lock", Key: "k", Session: b }, { Verb: "delete-tree", Key: "" })).Errors).toBe(null);
    await ask("PUT /v1/kv/k", "new");
    expect(await entry("k")).toMatchObject({ LockIndex: 0 });
  });
});

describe("the end of a session", () => {
  const ends: { readonly name: string; end(id: string): Promise<unknown> }[] = [
    { name: "its destruction", end: (id) => ask(`PUT /v1/session/destroy/${id}`) },
    { name: "no renewal in time", end: lapse },
    { name: "a check that becomes critical", end: () => setCheck(store, "n1", "serfHealth", "critical") },
    { name: "a check that is removed", end: () => setCheck(store, "n1", "serfHealth", undefined) },
    {
      name: "a node that is removed",
      end: () => removeNode(store, "n1"),
    },
  ];
  test.each(ends)("by $name gives its keys back, and keeps others waiting for the delay", async ({ end }) => {
    await addNode(store, "n2");
    const other = await create({ Node: "n2" });
    const id = await create({ TTL: "10s", LockDelay: "1s" });
    await acquire("k", id, "mine");
    await end(id);
    await isGone(id);
    expect(await entry("k")).toMatchObject({ LockIndex: 1, Value: Buffer.from("mine").toString("base64") });
    expect((await entry("k"))?.Session).toBeUndefined();
    expect((await server.ask(`PUT /v1/kv/k?acquire=${id}`, "x")).status).toBe(500);
    expect(await acquire("k", other)).toBe("false");
    expect(await ask("PUT /v1/txn", `[{"KV":{"Verb":"lock","Key":"k","Session":"${other}"}}]`)).toMatch(
      /due to lock delay/,
    );
    expect(await ask("PUT /v1/kv/k", "a plain write")).toBe("true");
    expect(await acquire("free", other)).toBe("true");
    await until(async () => (await acquire("k", other)) === "true");
    expect(await entry("k")).toMatchObject({ Session: other, LockIndex: 2 });
  });

  test("keeps nobody waiting where its delay is nothing, or where the holder let go first", async () => {
    const other = await create();
    for (const [key, body, release] of [
      ["a", { LockDelay: "0s" }, false],
      ["b", {}, true],
    ] as const) {
      const id = await create(body);
      await acquire(key, id);
      if (release) await ask(`PUT /v1/kv/${key}?release=${id}`, "");
      await ask(`PUT /v1/session/destroy/${id}`);
      expect(await acquire(key, other)).toBe("true");
    }
  });

  test("deletes its keys where that is its behavior, also of many and large ones", async () => {
    const id = await create({ Behavior: "delete", LockDelay: "0s" });
    for (let i = 0; i < 100; i++) expect(await acquire(`t/${i}`, id, "x".repeat(i < 5 ? 300_000 : 1))).toBe("true");
    await ask("PUT /v1/kv/t/free", "x");
    await ask(`PUT /v1/session/destroy/${id}`);
    expect(await server.json("GET /v1/kv/?keys")).toEqual(["t/free"]);
    expect(await ask(`GET /v1/session/info/${id}`)).toBe("[]");
  });

  test("that a server did not finish is finished by the next", async () => {
    const id = await create({ LockDelay: "0s" });
    await acquire("k", id);
    await server.close();
    const key = layout.record(1, "session", id);
    const session = tables.session.decode((await store.range({ from: key }, { limit: 1 })).entries[0]!.value);
    await store.txn({ then: [{ op: "put", key, value: tables.session.encode({ ...session, ending: true }) }] });
    server = await openTestServer(store);
    await isGone(id);
    expect((await entry("k"))?.Session).toBeUndefined();
  });

  test("leaves no lease behind", async () => {
    const id = await create({ TTL: "10s" });
    const range = await store.range({ from: layout.record(1, "session", id) }, { limit: 1 });
    const { lease } = tables.session.decode(range.entries[0]!.value);
    await ask(`PUT /v1/session/destroy/${id}`);
    expect(await store.lease(lease as LeaseId)).toBeUndefined();
  });
});

test("sessions and locks outlive a restart and a restore", async () => {
  const id = await create({ TTL: "10s" });
  await acquire("k", id);
  const archive = (await server.ask("GET /v1/snapshot")).bytes;
  await server.close();
  server = await openTestServer(store);
  expect(await entry("k")).toMatchObject({ Session: id });
  expect((await server.ask("PUT /v1/snapshot", archive)).status).toBe(200);
  expect(await entry("k")).toMatchObject({ Session: id, LockIndex: 1 });
  expect(await server.json(`PUT /v1/session/renew/${id}`)).toMatchObject([{ ID: id }]);
});
