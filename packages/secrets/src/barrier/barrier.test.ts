import { isKind } from "@millwright/core/errors";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { prefixRange, type Store, type Watch, type WatchMessage } from "@millwright/store/contract";
import { openEtcdStore } from "@millwright/store/etcd";
import { startEtcd } from "@millwright/store/etcd-server";
import { openMemoryStore } from "@millwright/store/memory";
import { afterAll, describe, expect, test } from "vitest";
import { put, storageContract } from "../../test/storage-contract.ts";
import { secretsErrors } from "../errors.ts";
import { Barrier, prepareBarrier } from "./barrier.ts";
import { newKeyring } from "./keyring.ts";
import { Keys, wrapKeyring } from "./keys.ts";
import { layout } from "./layout.ts";

const ports = { clock: systemClock, chance: systemChance, log: silentLog };
const rootKey = systemChance.bytes(32);

storageContract({
  name: "barrier over memory",
  open: async () => {
    const store = openMemoryStore();
    return benchOver(store, store);
  },
});

describe("with two connections to one etcd", async () => {
  const etcd = await startEtcd();
  afterAll(() => etcd.stop());
  let stores = 0;
  storageContract({
    name: "barrier over etcd",
    open: async () => {
      const options = { endpoints: [etcd.endpoint], prefix: `secrets-${stores++}/` };
      return benchOver(await openEtcdStore(options), await openEtcdStore(options));
    },
  });
});

async function benchOver(store: Store, peerStore: Store) {
  await prepare(store);
  const storage = await openBarrier(store);
  const peer = await openBarrier(peerStore);
  const close = async () => {
    await Promise.all([storage.close(), peer.close()]);
    await Promise.all([...new Set([store, peerStore])].map((open) => open.close()));
  };
  return { storage, peer, close };
}

test("the store shows neither names nor values nor how many there are", async () => {
  await over(async (store) => {
    const barrier = await openBarrier(store);
    const before = await recordsOf(store);
    for (let i = 0; i < 40; i++) await barrier.commit([put(`secret/of-app-${i}`, `hunter-${i}`)]);
    const after = await recordsOf(store);
    expect(after.map(({ key, value }) => [key, value.byteLength])).toEqual(
      before.map(({ key, value }) => [key, value.byteLength]),
    );
    const raw = Buffer.concat(after.flatMap(({ key, value }) => [Buffer.from(key), value])).toString("latin1");
    expect(raw).not.toMatch(/of-app|hunter/);
    await barrier.close();
  });
});

test("a record that was moved, changed or cut is refused by its name", async () => {
  await over(async (store) => {
    const [first, second] = await recordsOf(store);
    const damaged = [second!.value, flipped(first!.value), first!.value.subarray(0, 10)];
    for (const value of damaged) {
      await store.txn({ then: [{ op: "put", key: first!.key, value }] });
      const error = await openBarrier(store).catch((thrown: unknown) => thrown);
      expect(isKind(error, secretsErrors.damaged)).toBe(true);
      expect(String(error)).toContain(first!.key);
    }
  });
});

test("after a rotation old records are read and new ones written, also by a server that did not rotate", async () => {
  await over(async (store) => {
    const [keys, peerKeys] = [await openKeys(store), await openKeys(store)];
    const barrier = await Barrier.open({ store, generation: "1", keys, ...ports });
    const peer = await Barrier.open({ store, generation: "1", keys: peerKeys, ...ports });
    await barrier.commit([put("old", "1")]);
    await keys.rotate();
    await peer.list("");
    expect(peerKeys.keyring.terms.map(({ term }) => term)).toEqual([1, 2]);
    await barrier.commit([put("new", "2")]);
    expect(Buffer.from((await peer.get("new"))!.value).toString()).toBe("2");
    expect(Buffer.from((await peer.get("old"))!.value).toString()).toBe("1");
    await peer.commit([put("newer", "3")]);
    await Promise.all([barrier.close(), peer.close()]);
    const again = await openBarrier(store);
    expect(await again.list("")).toEqual(["new", "newer", "old"]);
    await again.close();
  });
});

test("a list has what was acknowledged before it, and a write finds its place, however late the changes come", async () => {
  await over(async (store) => {
    const barrier = await openBarrier(store);
    for (let i = 0; i < 60; i++)
      await barrier.commit(Array.from({ length: 50 }, (_, n) => put(`many/${i}-${n}`, "x".repeat(1_000))));
    const late = await openBarrier(withLateWatch(store, 200));
    await barrier.commit([put("a/b", "1")]);
    expect(await late.list("a/")).toEqual(["b"]);
    for (let i = 0; i < 20; i++)
      await barrier.commit(Array.from({ length: 50 }, (_, n) => put(`more/${i}-${n}`, "x".repeat(1_000))));
    await Promise.all(Array.from({ length: 50 }, (_, n) => late.commit([put(`many/${n}-0`, "y")])));
    for (let n = 0; n < 50; n++) expect(Buffer.from((await barrier.get(`many/${n}-0`))!.value).toString()).toBe("y");
    await Promise.all([barrier.close(), late.close()]);
  });
});

test("what a client can get wrong is refused, and what only a program can is a bug", async () => {
  await over(async (store) => {
    const barrier = await openBarrier(store);
    const codeOf = (call: Promise<unknown>) =>
      call.then(
        () => "none",
        (error) => error.code ?? error.name,
      );
    expect(await codeOf(barrier.get("a//b"))).toBe("SECRETS_BAD_REQUEST");
    expect(await codeOf(barrier.get("x".repeat(3_000)))).toBe("SECRETS_BAD_REQUEST");
    expect(await codeOf(barrier.commit([put("a", "x".repeat(600_000))]))).toBe("SECRETS_TOO_LARGE");
    expect(await codeOf(barrier.commit([put("a", "1"), put("a", "2")]))).toBe("Bug");
    await barrier.close();
  });
});

test("a term that is old is followed by a new one by itself", async () => {
  await over(async (store) => {
    let now = 0;
    const keys = await Keys.open({ store, rootKey, chance: systemChance, clock: { ...systemClock, now: () => now } });
    const terms = () => keys.keyring.terms.length;
    await keys.rotateWhereWorn();
    expect(terms()).toBe(1);
    now = 31 * 24 * 60 * 60 * 1000;
    await keys.rotateWhereWorn();
    await keys.rotateWhereWorn();
    expect(terms()).toBe(2);
  });
});

test("a closed barrier gives nothing away", async () => {
  await over(async (store) => {
    const barrier = await openBarrier(store);
    await barrier.commit([put("a", "1")]);
    await barrier.close();
    for (const call of [() => barrier.get("a"), () => barrier.list(""), () => barrier.commit([put("a", "2")])])
      expect(isKind(await call().catch((thrown: unknown) => thrown), secretsErrors.sealed)).toBe(true);
  });
});

// The same store, whose watches tell each change so long after it was made.
function withLateWatch(store: Store, milliseconds: number): Store {
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      if (name !== "watch") return target[name].bind(target);
      return (...asked: Parameters<Store["watch"]>): Watch => {
        const watch = target.watch(...asked);
        return {
          requestProgress: () => watch.requestProgress(),
          [Symbol.asyncIterator]: () => delayed(watch, milliseconds),
        };
      };
    },
  });
}

async function* delayed(watch: Watch, milliseconds: number): AsyncGenerator<WatchMessage> {
  const arrived: { readonly at: number; readonly message: WatchMessage }[] = [];
  let isOpen = true;
  const reading = (async () => {
    for await (const message of watch) arrived.push({ at: Date.now(), message });
    isOpen = false;
  })();
  while (isOpen || arrived.length > 0) {
    const first = arrived[0];
    if (first && Date.now() - first.at >= milliseconds) yield arrived.shift()!.message;
    else await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await reading;
}

async function over(run: (store: Store) => Promise<void>): Promise<void> {
  const store = openMemoryStore();
  await prepare(store);
  await run(store).finally(() => store.close());
}

async function prepare(store: Store): Promise<void> {
  const keyring = newKeyring(systemChance, 0);
  await store.txn({ then: [{ op: "put", key: layout.keyring, value: wrapKeyring(rootKey, systemChance, keyring) }] });
  await prepareBarrier({ store, generation: "1", keys: await openKeys(store) });
}

function openKeys(store: Store): Promise<Keys> {
  return Keys.open({ store, rootKey, ...ports });
}

async function openBarrier(store: Store): Promise<Barrier> {
  return Barrier.open({ store, generation: "1", keys: await openKeys(store), ...ports });
}

async function recordsOf(store: Store) {
  return (await store.range(prefixRange(layout.buckets("1")))).entries;
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[40]! ^= 1;
  return copy;
}
