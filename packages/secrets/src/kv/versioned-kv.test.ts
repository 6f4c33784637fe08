import { describe, expect, test } from "vitest";
import { openEngine } from "../../test/open-engine.ts";
import { allPaths } from "../storage.ts";
import { kvEngine } from "./kv-engine.ts";

const open = () => openEngine(kvEngine(), { options: { version: "2" } });
const firstTime = "2026-01-02T03:04:05Z";

describe("data/", () => {
  test("a write tells its version, a read the newest or the one asked for", async () => {
    const kv = await open();
    expect(await kv.call("create", "data/app/db", { data: { a: 1 } })).toEqual({
      kind: "data",
      data: { created_time: firstTime, custom_metadata: null, deletion_time: "", destroyed: false, version: 1 },
    });
    kv.time.now += 1_500;
    await kv.call("update", "data/app/db", { data: { a: 2 } });
    expect(await kv.call("read", "data/app/db")).toEqual({
      kind: "data",
      data: {
        data: { a: 2 },
        metadata: {
          ...{ created_time: "2026-01-02T03:04:06.5Z", custom_metadata: null, deletion_time: "" },
          ...{ destroyed: false, version: 2 },
        },
      },
    });
    expect(await kv.call("read", "data/app/db", { version: "1" })).toMatchObject({
      data: { data: { a: 1 }, metadata: { version: 1 } },
    });
    expect(await kv.call("read", "data/app/db", { version: "3" })).toEqual({ kind: "missing" });
    expect(await kv.call("read", "data/other")).toEqual({ kind: "missing" });
  });

  test("a deleted version is missing, with its metadata still told", async () => {
    const kv = await open();
    await kv.call("create", "data/a", { data: { x: 1 } });
    kv.time.now += 1_000;
    expect(await kv.call("delete", "data/a")).toEqual({ kind: "done" });
    expect(await kv.call("read", "data/a")).toEqual({
      kind: "missing",
      data: {
        data: null,
        metadata: {
          ...{ created_time: firstTime, custom_metadata: null, deletion_time: "2026-01-02T03:04:06Z" },
          ...{ destroyed: false, version: 1 },
        },
      },
    });
    await kv.call("update", "undelete/a", { versions: "1" });
    expect(await kv.call("read", "data/a")).toMatchObject({ kind: "data", data: { data: { x: 1 } } });
  });

  test("a destroyed version is gone from storage and cannot be brought back", async () => {
    const kv = await open();
    for (const x of [1, 2]) await kv.call("update", "data/a", { data: { x } });
    await kv.call("update", "destroy/a", { versions: [1] });
    await kv.call("update", "undelete/a", { versions: [1] });
    expect(await kv.call("read", "data/a", { version: "1" })).toMatchObject({
      kind: "missing",
      data: { data: null, metadata: { destroyed: true, version: 1 } },
    });
    expect(await allPaths(kv.storage, "")).toEqual(["metadata/a", "versions/a/2"]);
  });

  test.each([
    {
      name: "cas of another version",
      write: { data: { x: 2 }, options: { cas: 7 } },
      want: "did not match the current",
    },
    { name: "no data", write: { options: {} }, want: "no data provided" },
    { name: "an oversized secret", write: { data: { x: "x".repeat(400_000) } }, want: "at most 393216" },
  ])("a write with $name is refused and leaves the version", async ({ write, want }) => {
    const kv = await open();
    await kv.call("create", "data/a", { data: { x: 1 } });
    const reply = await kv.call("update", "data/a", write);
    expect(reply).toMatchObject({ kind: "refused", status: 400 });
    expect(JSON.stringify(reply)).toContain(want);
    expect(await kv.call("read", "data/a")).toMatchObject({ data: { metadata: { version: 1 } } });
  });

  test("cas 0 writes only what is not there, and cas_required asks for it, of one secret and of all", async () => {
    const kv = await open();
    expect(await kv.call("create", "data/a", { data: { x: 1 }, options: { cas: 0 } })).toMatchObject({ kind: "data" });
    expect(await kv.call("update", "data/a", { data: { x: 1 }, options: { cas: 0 } })).toMatchObject({ status: 400 });
    await kv.call("update", "metadata/a", { cas_required: true });
    const refused = await kv.call("update", "data/a", { data: { x: 2 } });
    expect(JSON.stringify(refused)).toContain("check-and-set parameter required for this call");
    expect(await kv.call("update", "data/a", { data: { x: 2 }, options: { cas: "1" } })).toMatchObject({
      kind: "data",
    });
    await kv.call("update", "config", { cas_required: "true" });
    expect(await kv.call("create", "data/b", { data: { x: 2 } })).toMatchObject({ status: 400 });
  });

  test("a patch merges, takes away what is null, and needs a version to merge into", async () => {
    const kv = await open();
    expect(await kv.call("patch", "data/a", { data: { x: 1 } })).toEqual({ kind: "missing" });
    await kv.call("create", "data/a", { data: { keep: 1, drop: 2, deep: { a: 1, b: 2 } } });
    expect(await kv.call("patch", "data/a", { data: { drop: null, deep: { b: null, c: 3 } } })).toMatchObject({
      data: { version: 2 },
    });
    expect(await kv.call("read", "data/a")).toMatchObject({ data: { data: { keep: 1, deep: { a: 1, c: 3 } } } });
    await kv.call("delete", "data/a");
    expect(await kv.call("patch", "data/a", { data: { x: 1 } })).toMatchObject({
      kind: "missing",
      data: { data: null, metadata: { version: 2 } },
    });
  });

  test("a version ends by itself after delete_version_after, the shorter of the engine's and the secret's", async () => {
    const kv = await open();
    await kv.call("update", "config", { delete_version_after: "1h" });
    await kv.call("update", "metadata/a", { delete_version_after: "30s" });
    await kv.call("create", "data/a", { data: { x: 1 } });
    await kv.call("create", "data/b", { data: { x: 1 } });
    expect(await kv.call("read", "data/a")).toMatchObject({
      kind: "data",
      data: { metadata: { deletion_time: "2026-01-02T03:04:35Z" } },
    });
    kv.time.now += 31_000;
    expect(await kv.call("read", "data/a")).toMatchObject({ kind: "missing", data: { data: null } });
    expect(await kv.call("read", "data/b")).toMatchObject({ kind: "data" });
  });
});

describe("metadata/", () => {
  test("tells the versions, and only so many are kept", async () => {
    const kv = await open();
    await kv.call("create", "metadata/a", { max_versions: 2, custom_metadata: { owner: "ops" } });
    for (const x of [1, 2, 3]) await kv.call("update", "data/a", { data: { x } });
    const version = { created_time: firstTime, deletion_time: "", destroyed: false };
    expect(await kv.call("read", "metadata/a")).toEqual({
      kind: "data",
      data: {
        ...{ cas_required: false, created_time: firstTime, current_version: 3, custom_metadata: { owner: "ops" } },
        ...{ delete_version_after: "0s", max_versions: 2, oldest_version: 2, updated_time: firstTime },
        versions: { 2: version, 3: version },
      },
    });
    expect(await kv.call("read", "data/a", { version: 1 })).toEqual({ kind: "missing" });
    expect(await allPaths(kv.storage, "")).toEqual(["metadata/a", "versions/a/2", "versions/a/3"]);
  });

  test("a lowered max_versions drops the rest over the next writes, ten being kept where nothing is said", async () => {
    const kv = await open();
    await kv.call("update", "config", { max_versions: 100 });
    for (let x = 1; x <= 70; x++) await kv.call("update", "data/a", { data: { x } });
    await kv.call("update", "config", { max_versions: 0 });
    await kv.call("update", "data/a", { data: { x: 71 } });
    await kv.call("update", "data/a", { data: { x: 72 } });
    const reply = await kv.call("read", "metadata/a");
    expect(reply).toMatchObject({ data: { oldest_version: 63, current_version: 72 } });
    expect(await allPaths(kv.storage, "versions/")).toHaveLength(10);
  });

  test("lists names without versions, and deletes a secret with all of them", async () => {
    const kv = await open();
    await kv.call("update", "config", { max_versions: 200 });
    for (let x = 1; x <= 120; x++) await kv.call("update", "data/app/a", { data: { x } });
    await kv.call("create", "data/app/b/c", { data: { x: 1 } });
    expect(await kv.call("list", "metadata/app")).toEqual({ kind: "data", data: { keys: ["a", "b/"] } });
    expect(await kv.call("list", "metadata")).toEqual({ kind: "data", data: { keys: ["app/"] } });
    expect(await kv.call("delete", "metadata/app/a")).toEqual({ kind: "done" });
    expect(await kv.call("list", "metadata/app/")).toEqual({ kind: "data", data: { keys: ["b/"] } });
    expect(await allPaths(kv.storage, "versions/app/a/")).toEqual([]);
  });

  test("custom_metadata is replaced by a write and merged by a patch", async () => {
    const kv = await open();
    expect(await kv.call("patch", "metadata/a", { custom_metadata: { a: "1" } })).toEqual({ kind: "missing" });
    await kv.call("create", "metadata/a", { custom_metadata: { a: "1", b: "2" } });
    await kv.call("patch", "metadata/a", { custom_metadata: { a: null, c: "3" } });
    expect(await kv.call("read", "metadata/a")).toMatchObject({ data: { custom_metadata: { b: "2", c: "3" } } });
    await kv.call("update", "metadata/a", { custom_metadata: { d: "4" } });
    expect(await kv.call("read", "metadata/a")).toMatchObject({ data: { custom_metadata: { d: "4" } } });
    expect(await kv.call("update", "metadata/a", { custom_metadata: { d: 4 } })).toMatchObject({ status: 400 });
  });
});

test("subkeys/ tells the names without what they hold", async () => {
  const kv = await open();
  await kv.call("create", "data/a", { data: { user: "u", deep: { a: 1, b: { c: 2 } } } });
  expect(await kv.call("read", "subkeys/a")).toMatchObject({
    data: { subkeys: { user: null, deep: { a: null, b: { c: null } } }, metadata: { version: 1 } },
  });
  expect(await kv.call("read", "subkeys/a", { depth: "2" })).toMatchObject({
    data: { subkeys: { user: null, deep: { a: null, b: null } } },
  });
});

test.each(["app/db", "", "config/x"])(
  "the path %j, which is none of the engine's, says which there are",
  async (path) => {
    const kv = await open();
    const reply = await kv.call("read", path);
    expect(reply).toMatchObject({ kind: "refused", status: 404 });
    expect(JSON.stringify(reply)).toContain("Invalid path for a versioned K/V secrets engine");
  },
);

test("delete/ without versions says what is missing", async () => {
  const kv = await open();
  const reply = await kv.call("update", "delete/a", {});
  expect(JSON.stringify(reply)).toContain("No version number provided");
});

test("config tells what was set and warns of what it does not know", async () => {
  const kv = await open();
  expect(await kv.call("update", "config", { max_versions: "5", speed: 1 })).toEqual({
    kind: "done",
    warnings: ["Endpoint ignored these unrecognized parameters: [speed]"],
  });
  expect(await kv.call("read", "config")).toEqual({
    kind: "data",
    data: { cas_required: false, delete_version_after: "0s", max_versions: 5 },
  });
  await expect(kv.call("update", "config", { max_versions: 5_000 })).rejects.toThrow("0 (for the default) to 1000");
});
