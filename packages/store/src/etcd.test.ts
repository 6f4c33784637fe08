import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { contractSuite } from "../test/contract-suite.ts";
import type { EtcdServer, EtcdServerOptions } from "../test/etcd-server.ts";
import { startEtcd, startEtcdCluster } from "../test/etcd-server.ts";
import { expectKind, get, keysOf, put, putEach, read, shown, text } from "../test/suite/support.ts";
import { startProxy } from "../test/tcp-proxy.ts";
import type { Store } from "./contract.ts";
import { prefixRange, storeErrors } from "./contract.ts";
import type { EtcdOptions } from "./etcd.ts";
import { openEtcdStore } from "./etcd.ts";

let etcd: EtcdServer;
let prefixes = 0;
const newPrefix = () => `test-${prefixes++}/`;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd?.stop());

contractSuite({
  name: "etcd",
  dense: false,
  shortestLease: 2,
  open: async () => {
    const options = { endpoints: [etcd.endpoint], prefix: newPrefix() };
    const [store, peer] = [await openEtcdStore(options), await openEtcdStore(options)];
    const close = async () => {
      await store.close();
      await peer.close();
    };
    return { store, peer, close };
  },
});

describe("beside others in one etcd", () => {
  test("a store sees only what is under its prefix", async () => {
    // The second begins where the first has its tick, the third right behind it.
    const [one, two, three] = [
      await open({ prefix: "near/" }),
      await open({ prefix: "near/l" }),
      await open({ prefix: "near0" }),
    ];
    const first = await putEach(one, "a");
    await putEach(one, "\u{10ffff}");
    for (const other of [two, three]) await putEach(other, "b");
    const reader = read(one, [""], first);
    expect(await keysOf(one)).toEqual(["a", "\u{10ffff}"]);
    expect(await keysOf(two)).toEqual(["b"]);
    expect((await reader.changes()).events.map(shown)).toEqual(["put a=value of a"]);
    await one.txn({ then: [{ op: "deleteRange", range: prefixRange("") }] });
    expect(await keysOf(two)).toEqual(["b"]);
    reader.stop();
  });

  test("a watch keeps up with revisions that others made", async () => {
    const [store, other] = [await open(), await open()];
    await putEach(store, "k");
    const reader = read(store, ["k"], (await store.revision()) + 1);
    for (let i = 0; i < 5; i++) {
      const foreign = await putEach(other, "elsewhere");
      expect(await store.revision()).toBeGreaterThanOrEqual(foreign);
      reader.watch.requestProgress();
      const message = await reader.next();
      expect(message?.type).toBe("progress");
      expect(message?.revision).toBeGreaterThanOrEqual(foreign);
    }
    reader.stop();
  });
});

describe("history", () => {
  test("a store opened later delivers the past from etcd, then what comes, and progress", async () => {
    const writer = await open();
    const revisions: number[] = [];
    for (let i = 0; i < 20; i++) revisions.push(await putEach(writer, `k${i}`, "other"));
    const store = await open({ prefix: prefixOf(writer) });
    const reader = read(store, ["k"], revisions[0]! - 1);
    for (let i = 0; i < 20; i++)
      expect((await reader.changes()).events.map(shown)).toEqual([`put k${i}=value of k${i}`]);
    const pending = reader.changes();
    const next = await putEach(writer, "k-next");
    expect((await pending).revision).toBe(next);
    const quiet = read(store, ["nothing"], revisions[0]!);
    quiet.watch.requestProgress();
    expect((await quiet.next())?.revision).toBeGreaterThanOrEqual(next);
    reader.stop();
    quiet.stop();
  });

  test("is compacted after ten minutes, unless that is turned off", async () => {
    // A clock on which ten minutes take three seconds.
    const clock: Clock = {
      now: () => Date.now(),
      monotonic: () => performance.now() * 200,
      sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 200, signal),
    };
    const server = await start();
    const options = { endpoints: [server.endpoint], clock };
    const keeping = await open({ ...options, compaction: false });
    const old = await putEach(keeping, "k");
    await putEach(keeping, "k");
    await pause(4_500);
    expect((await get(keeping, "k", old))?.modified).toBe(old);
    const compacting = await open(options);
    await putEach(compacting, "k");
    await expect
      .poll(() => get(keeping, "k", old).then(() => "kept", messageOf), { timeout: 10_000 })
      .toMatch("compacted");
    expect((await get(keeping, "k"))?.version).toBe(2);
  });
});

describe("when etcd fails", () => {
  test("one that cannot be reached is STORE_UNAVAILABLE, naming its address, at opening and later", async () => {
    const proxy = await proxied();
    const store = await open({ endpoints: [proxy.endpoint] });
    await putEach(store, "k");
    proxy.cut();
    const address = proxy.endpoint.slice("http://".length);
    await pause(50);
    for (const call of [
      store.txn({ then: [put("k")] }),
      store.range({ from: "" }),
      store.grantLease(9),
      store.revision(),
    ]) {
      const error = await call.catch((thrown: unknown) => thrown);
      await expectKind(Promise.reject(error), storeErrors.unavailable);
      expect(messageOf(error)).toMatch(`etcd cannot be reached at ${address}`);
    }
    const opening = openEtcdStore({ endpoints: [proxy.endpoint], prefix: "x/" });
    await expectKind(opening, storeErrors.unavailable);
    proxy.heal();
    await expect
      .poll(() => store.txn({ then: [put("k", "again")] }).catch(() => undefined), { timeout: 5_000 })
      .toBeTruthy();
  });

  test("a write whose answer is lost is STORE_UNDECIDED, a read STORE_UNAVAILABLE", async () => {
    const proxy = await proxied();
    const store = await open({ endpoints: [proxy.endpoint] });
    const direct = await open({ prefix: prefixOf(store) });
    await putEach(store, "k");
    proxy.loseAnswers();
    await expectKind(store.txn({ then: [put("k", "written all the same")] }), storeErrors.undecided);
    // Whoever is cut off does not know when what was sent arrives.
    const there = async () => text((await get(direct, "k"))!.value);
    await expect.poll(there, { timeout: 5_000 }).toBe("written all the same");
    proxy.heal();
    await expect.poll(() => get(store, "k").catch(() => undefined), { timeout: 5_000 }).toBeTruthy();
    proxy.loseAnswers();
    await expectKind(store.range({ from: "" }), storeErrors.unavailable);
  });

  test("one that is silent is given up after the time for a call", async () => {
    const server = await start();
    const store = await open({ endpoints: [server.endpoint], timeoutMilliseconds: 300 });
    await putEach(store, "k");
    await server.freeze();
    const calls = [store.txn({ then: [put("k", "late")] }), store.range({ from: "" })] as const;
    await expectKind(calls[0], storeErrors.undecided);
    await expectKind(calls[1], storeErrors.unavailable);
    server.thaw();
    // Undecided: what it got before the call was given up it may do, or not.
    const value = () => get(store, "k").then((entry) => text(entry!.value), messageOf);
    await expect.poll(value, { timeout: 5_000 }).toMatch(/^(late|value of k)$/);
  });

  test("kill -9 and a restart lose nothing that was acknowledged, and watches go on without gap or repeat", async () => {
    const server = await start();
    const store = await open({ endpoints: [server.endpoint] });
    const reader = read(store, ["k/"], 1);
    const acknowledged: number[] = [];
    let stop = false;
    const writing = Array.from({ length: 5 }, async (_, writer) => {
      for (let n = 0; !stop; n++) {
        const written = await store.txn({ then: [put(`k/${writer}/${n}`)] }).catch(() => undefined);
        if (written) acknowledged.push(written.revision);
        else await pause(20);
      }
    });
    for (let round = 0; round < 3; round++) {
      await pause(300);
      await server.kill();
      await server.start();
    }
    await pause(500);
    stop = true;
    await Promise.all(writing);
    const { entries, revision } = await store.range(prefixRange("k/"));
    const there = new Set(entries.map((entry) => entry.modified));
    expect(acknowledged.filter((at) => !there.has(at))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(100);
    const seen: number[] = [];
    while (seen.at(-1) !== revision) seen.push((await reader.changes()).revision);
    expect(seen).toEqual([...there].toSorted((a, b) => a - b));
    reader.stop();
  });

  test("a watch that was cut off while its next revisions were compacted fails instead of leaving them out", async () => {
    const proxy = await proxied();
    const store = await open({ endpoints: [proxy.endpoint] });
    const direct = await open({ prefix: prefixOf(store) });
    const reader = read(store, ["k"], (await store.revision()) + 1);
    await putEach(direct, "k");
    await reader.changes();
    proxy.cut();
    await putEach(direct, "k", "k");
    await direct.compact(await putEach(direct, "k"));
    proxy.heal();
    await expectKind(reader.next(), storeErrors.compacted);
    // A watch from what is there now goes on as ever.
    const again = read(store, ["k"], (await store.revision()) + 1);
    await putEach(direct, "k");
    expect((await again.changes()).events.map(shown)).toEqual(["put k=value of k"]);
    again.stop();
  });

  test("a full etcd refuses writes and serves reads", async () => {
    const server = await start({ flags: ["--quota-backend-bytes", "3000000"] });
    const store = await open({ endpoints: [server.endpoint] });
    let error: unknown;
    let tried = 0;
    while (!error && tried < 50) {
      error = await store.txn({ then: [put(`k${tried++}`, "v".repeat(500_000))] }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    }
    // etcd may have carried out the very write that it says it has no room for.
    await expectKind(Promise.reject(error), storeErrors.undecided);
    expect(messageOf(error)).toMatch(/database space exceeded.*etcdctl alarm disarm.*may or may not have been done/);
    const { count } = await store.range(prefixRange("k"));
    expect([tried - 1, tried]).toContain(count);
  });

  test("a cluster goes on when the member that was used dies", async () => {
    const members = await startEtcdCluster(3);
    onTestFinished(async () => void (await Promise.all(members.map((member) => member.stop()))));
    const store = await open({ endpoints: members.map((member) => member.endpoint) });
    const reader = read(store, ["k"], 1);
    const lease = await store.grantLease(60);
    await store.txn({ then: [put("k", "before", lease)] });
    await reader.changes();
    await members[0]!.kill();
    await expect
      .poll(() => store.txn({ then: [put("k", "after", lease)] }).catch(() => 0), { timeout: 10_000 })
      .toBeTruthy();
    expect(text((await get(store, "k"))!.value)).toBe("after");
    expect(await store.renewLease(lease)).toBe(60);
    expect((await reader.changes()).events.map(shown)).toEqual(["put k=after"]);
    reader.stop();
  });
});

describe("connection", () => {
  test("user name and password are used, renewed after a restart of etcd, and a wrong one is said to be", async () => {
    const server = await start();
    const admin = async (path: string, body: object) => {
      const response = await fetch(`${server.endpoint}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
      expect(response.status).toBe(200);
    };
    await admin("auth/user/add", { name: "root", password: "secret" });
    await admin("auth/role/add", { name: "root" });
    await admin("auth/user/grant", { user: "root", role: "root" });
    await admin("auth/enable", {});
    const endpoints = [server.endpoint];
    const store = await open({ endpoints, credentials: { username: "root", password: "secret" } });
    await putEach(store, "k");
    await server.kill();
    await server.start();
    await expect.poll(() => get(store, "k").catch(() => undefined), { timeout: 5_000 }).toBeTruthy();
    const reader = read(store, ["k"], (await store.revision()) + 1);
    await putEach(store, "k");
    expect((await reader.changes()).events).toHaveLength(1);
    reader.stop();
    const wrong = await openEtcdStore({
      endpoints,
      prefix: "x/",
      credentials: { username: "root", password: "wrong" },
    }).catch((thrown: unknown) => thrown);
    expect(messageOf(wrong)).toMatch(/authentication failed.*Check user name and password/);
    const nobody = await openEtcdStore({ endpoints, prefix: "x/" }).catch((thrown: unknown) => thrown);
    expect(messageOf(nobody)).toMatch(/asks for a user name and password/);
  });

  test("TLS is spoken to https endpoints, and a certificate that is not trusted is refused", async () => {
    const server = await start({ tls: true });
    const ca = readFileSync(join(server.folder, "fixtures", "client", "cert.pem"));
    const store = await open({ endpoints: [server.endpoint], tls: { ca } });
    await putEach(store, "k");
    expect(await keysOf(store)).toEqual(["k"]);
    await expectKind(openEtcdStore({ endpoints: [server.endpoint], prefix: "x/" }), storeErrors.unavailable);
  });
});

const prefixesInUse = new WeakMap<Store, string>();

function prefixOf(store: Store): string {
  return prefixesInUse.get(store)!;
}

// A store that is closed with the test: by default on the shared etcd, under a prefix of its own.
async function open(options: Partial<EtcdOptions> = {}): Promise<Store> {
  const all = { endpoints: [etcd.endpoint], prefix: newPrefix(), ...options };
  const store = await openEtcdStore(all);
  onTestFinished(() => store.close());
  prefixesInUse.set(store, all.prefix);
  return store;
}

async function start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const server = await startEtcd(options);
  onTestFinished(() => server.stop());
  return server;
}

async function proxied() {
  const proxy = await startProxy(etcd.endpoint);
  onTestFinished(() => proxy.close());
  return proxy;
}
