import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import type { EngineType } from "../engine.ts";
import { memoryStorage } from "../memory-storage.ts";
import { allPaths, type SecretStorage } from "../storage.ts";
import { plainConfig } from "./mount-table.ts";
import { LiveMounts } from "./mounts.ts";

test("the data of a mount go with it", async () => {
  const storage = memoryStorage();
  const mounts = openOver(storage, [notes]);
  await mounts.open();
  await mounts.mount(spec("a/"));
  for (let i = 0; i < 120; i++) await write(mounts, "a/", `deep/${i}`);
  expect((await allPaths(storage, "logical/")).length).toBe(120);
  await mounts.unmount("a/", noLeases);
  expect(await allPaths(storage, "logical/")).toEqual([]);
  await mounts.close();
});

test("data that a removed mount has left are removed at the next start", async () => {
  const storage = memoryStorage();
  const first = openOver(storage, [notes]);
  await first.open();
  await first.mount(spec("a/"));
  await write(first, "a/", "kept");
  await first.close();
  await storage.commit([{ op: "put", path: "logical/gone/x", value: Buffer.from("1") }]);
  const second = openOver(storage, [notes]);
  await second.open();
  expect((await allPaths(storage, "logical/")).map((path) => path.split("/").at(-1))).toEqual(["kept"]);
  await second.close();
});

test("an engine that does not open is not left in the table, and keeps no other from opening", async () => {
  const storage = memoryStorage();
  const broken: EngineType = {
    name: "broken",
    class: "secret",
    open: async () => {
      throw new Error("it does not open");
    },
  };
  const mounts = openOver(storage, [notes, broken]);
  await mounts.open();
  await expect(mounts.mount({ ...spec("b/"), type: "broken" })).rejects.toThrow("it does not open");
  expect(mounts.entries).toEqual([]);
  await mounts.mount(spec("a/"));
  await mounts.close();
  const again = openOver(storage, [{ ...broken, name: "notes" }]);
  await again.open();
  expect(again.entries).toEqual([]);
  await again.close();
  const more = openOver(storage, [
    { ...broken, name: "notes" },
    { ...notes, name: "other" },
  ]);
  await more.open();
  await more.mount({ ...spec("c/"), type: "other" });
  await more.unmount("c/", noLeases);
  await more.close();
  const healed = openOver(storage, [notes]);
  await healed.open();
  expect(healed.entries.map(({ path }) => path)).toEqual(["a/"]);
  await healed.close();
});

for (const { name, path, fault } of [
  { name: "a new path", path: "b/", fault: undefined },
  { name: "a path beside a longer one", path: "ab/", fault: undefined },
  { name: "the same path", path: "a/", fault: /already in use at a\// },
  { name: "a path below another", path: "a/b/", fault: /already in use at a\// },
  { name: "a path of the server's own", path: "sys/", fault: /cannot mount "sys\/"/ },
  { name: "a path with a space", path: "a b/", fault: /cannot be mounted/ },
  { name: "a path with ..", path: "b/../c/", fault: /cannot be mounted/ },
]) {
  test(`${name} ${fault ? "is refused" : "is mounted"}`, async () => {
    const mounts = openOver(memoryStorage(), [notes]);
    await mounts.open();
    await mounts.mount(spec("a/"));
    const mounting = mounts.mount(spec(path));
    if (fault) await expect(mounting).rejects.toThrow(fault);
    else await mounting;
    await mounts.close();
  });
}

test("of mounts the one with the longest path answers", async () => {
  const mounts = openOver(memoryStorage(), [notes]);
  await mounts.open();
  for (const path of ["a/", "ab/c/", "ab/cd/"]) await mounts.mount(spec(path));
  expect(["a/x", "ab/c/x", "ab/cd", "ab/x", "abc"].map((path) => mounts.at(path)?.mount.path)).toEqual([
    "a/",
    "ab/c/",
    "ab/cd/",
    undefined,
    undefined,
  ]);
  await mounts.close();
});

const notes: EngineType = {
  name: "notes",
  class: "secret",
  open: async ({ storage }) => ({
    handle: async ({ path }) => {
      await storage.commit([{ op: "put", path, value: Buffer.from("1") }]);
      return { kind: "done" };
    },
  }),
};

const noLeases = { revokePrefix: async () => undefined };

function spec(path: string) {
  return { class: "secret", path, type: "notes", description: "", options: {}, config: plainConfig } as const;
}

function openOver(storage: SecretStorage, types: readonly EngineType[]): LiveMounts {
  const ports = { clock: systemClock, chance: systemChance, log: silentLog };
  return new LiveMounts({ storage, types, ttl: { defaultTtl: 60, maxTtl: 600 }, ...ports });
}

async function write(mounts: LiveMounts, mount: string, path: string): Promise<void> {
  await mounts.find(mount)?.engine.handle({ operation: "update", path, data: {}, remote: "" });
}
