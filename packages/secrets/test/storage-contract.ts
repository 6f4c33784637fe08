import { expect, test } from "vitest";
import type { SecretStorage } from "../src/storage.ts";

export interface StorageUnderTest {
  readonly name: string;
  open(): Promise<StorageBench>;
}

/** An empty storage, through two objects over the same state where it can be shared. */
export interface StorageBench {
  readonly storage: SecretStorage;
  readonly peer: SecretStorage;
  close(): Promise<void>;
}

/** What every {@link SecretStorage} promises. */
export function storageContract(under: StorageUnderTest): void {
  const over = (name: string, run: (bench: StorageBench) => Promise<void>) =>
    test(`${under.name}: ${name}`, async () => {
      const bench = await under.open();
      try {
        await run(bench);
      } finally {
        await bench.close();
      }
    });

  over("a path that was never written holds nothing", async ({ storage }) => {
    expect(await storage.get("a/b")).toBeUndefined();
    expect(await storage.list("")).toEqual([]);
    expect(await storage.list("a/")).toEqual([]);
  });

  over("what was written is read, here and by a peer", async ({ storage, peer }) => {
    expect(await storage.commit([put("a/b", "1"), put("a", "2")])).toBe(true);
    expect(await textAt(storage, "a/b")).toBe("1");
    expect(await textAt(peer, "a")).toBe("2");
  });

  over("a value may be empty, small, large, and change between them", async ({ storage, peer }) => {
    for (const length of [0, 1, 2_048, 2_049, 100_000, 10, 512 * 1024, 0]) {
      const value = Buffer.alloc(length, length % 251);
      await storage.commit([{ op: "put", path: "a/big", value }]);
      expect(Buffer.compare((await peer.get("a/big"))!.value, value)).toBe(0);
    }
    await storage.commit([{ op: "put", path: "a/big", value: Buffer.alloc(5_000) }]);
    await storage.commit([{ op: "delete", path: "a/big" }]);
    expect(await peer.get("a/big")).toBeUndefined();
  });

  over("a folder is listed by bytes, and a name may be a value and a folder", async ({ storage, peer }) => {
    const paths = ["b", "a", "a/x", "a/y/z", "ä", "\u{1F600}", "\uFF5E", "a b/c"];
    for (const path of paths) await storage.commit([put(path, "")]);
    expect(await peer.list("")).toEqual(["a", "a b/", "a/", "b", "ä", "\uFF5E", "\u{1F600}"]);
    expect(await peer.list("a/")).toEqual(["x", "y/"]);
    expect(await peer.list("a/y/")).toEqual(["z"]);
    await storage.commit([{ op: "delete", path: "a/y/z" }]);
    expect(await peer.list("a/")).toEqual(["x"]);
  });

  over("a revision changes with every write of its path, and never comes again", async ({ storage }) => {
    const seen = new Set<number>();
    for (let i = 0; i < 20; i++) {
      await storage.commit([put("a", "same")]);
      seen.add((await storage.get("a"))!.revision);
      if (i % 3 === 0) await storage.commit([{ op: "delete", path: "a" }]);
    }
    expect(seen.size).toBe(20);
    expect(seen.has(0)).toBe(false);
    await storage.commit([put("a", "1")]);
    const before = (await storage.get("a"))!.revision;
    await storage.commit([put("b", "1")]);
    expect((await storage.get("a"))!.revision).toBe(before);
  });

  over("conditions decide over all changes, also those of a peer", async ({ storage, peer }) => {
    expect(await storage.commit([put("a", "1")], [{ path: "a", revision: 0 }])).toBe(true);
    const { revision } = (await peer.get("a"))!;
    expect(await peer.commit([put("a", "2"), put("b", "2")], [{ path: "a", revision: 0 }])).toBe(false);
    expect(await storage.get("b")).toBeUndefined();
    expect(await peer.commit([put("a", "2")], [{ path: "a", revision }])).toBe(true);
    expect(await storage.commit([put("a", "3")], [{ path: "a", revision }])).toBe(false);
    expect(await storage.commit([], [{ path: "a", revision }])).toBe(false);
    expect(await storage.commit([], [{ path: "c", revision: 0 }])).toBe(true);
    expect(await textAt(storage, "a")).toBe("2");
  });

  over("of many who count at once none is lost", async ({ storage, peer }) => {
    const count = async (through: SecretStorage) => {
      for (let i = 0; i < 20; ) {
        const held = await through.get("count");
        const next = String(Number(held ? Buffer.from(held.value).toString() : "0") + 1);
        if (await through.commit([put("count", next)], [{ path: "count", revision: held?.revision ?? 0 }])) i++;
      }
    };
    await Promise.all([storage, peer, storage, peer, storage].map(count));
    expect(await textAt(peer, "count")).toBe("100");
  });

  over("thousands of paths written by two servers at once are all there", async ({ storage, peer }) => {
    const write = async (through: SecretStorage, name: string) => {
      for (let i = 0; i < 1_500; i += 30) {
        const paths = Array.from({ length: 30 }, (_, n) => `many/${name}/${i + n}`);
        await through.commit(paths.map((path) => put(path, `value of ${path} ${"x".repeat(1_200)}`)));
      }
    };
    await Promise.all([write(storage, "a"), write(peer, "b")]);
    expect((await peer.list("many/a/")).length).toBe(1_500);
    expect((await storage.list("many/b/")).length).toBe(1_500);
    for (const path of ["many/a/0", "many/a/1499", "many/b/777"])
      expect(await textAt(storage, path)).toMatch(`value of ${path} `);
  });

  over("a scan gives every path below its folder once, with its value, small or large", async ({ storage, peer }) => {
    const size = (i: number) => (i % 50 === 0 ? 5_000 : 100);
    for (let i = 0; i < 600; i += 60) {
      const paths = Array.from({ length: 60 }, (_, n) => i + n);
      await storage.commit(paths.map((n) => put(`${n % 2 === 0 ? "a/b" : "ab"}/${n}`, String(n).repeat(size(n)))));
    }
    const found = new Map<string, string>();
    for await (const piece of peer.scan("a/")) {
      for (const { path, value, revision } of piece) {
        expect(found.has(path)).toBe(false);
        expect(revision).toBe((await storage.get(path))?.revision);
        found.set(path, Buffer.from(value).toString());
      }
    }
    expect(found.size).toBe(300);
    for (const [path, text] of found) expect(text).toBe(await textAt(storage, path));
    for await (const _ of storage.scan("b/")) throw new Error("there is nothing below b/");
  });

  over("a follower is told of what changed below its folder, also by a peer", async ({ storage, peer }) => {
    const told = new Set<string>();
    const end = storage.follow("a/", (paths) => paths.forEach((path) => told.add(path)));
    await peer.commit([put("a/1", "x"), put("b/1", "x")]);
    await storage.commit([put("a/2", "x")]);
    await peer.commit([{ op: "delete", path: "a/1" }]);
    await storage.list("a/");
    expect([...told].sort()).toEqual(["a/1", "a/2"]);
    end();
    await storage.commit([put("a/3", "x")]);
    await storage.list("a/");
    expect(told.has("a/3")).toBe(false);
  });
}

export function put(path: string, value: string) {
  return { op: "put", path, value: Buffer.from(value) } as const;
}

async function textAt(storage: SecretStorage, path: string): Promise<string | undefined> {
  const held = await storage.get(path);
  return held && Buffer.from(held.value).toString();
}
