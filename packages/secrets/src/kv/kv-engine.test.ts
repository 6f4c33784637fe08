import { parseJson } from "@millwright/clients/json";
import { describe, expect, test } from "vitest";
import { openEngine } from "../../test/open-engine.ts";
import { genericEngine, kvEngine } from "./kv-engine.ts";

describe.each([kvEngine(), genericEngine()])("$name, version 1", (type) => {
  test("what was written is read, with the mount's lease duration", async () => {
    const kv = await openEngine(type);
    expect(await kv.call("create", "app/db", { user: "u", ports: [1, 2], deep: { a: null } })).toEqual({
      kind: "done",
    });
    expect(await kv.call("read", "app/db")).toEqual({
      kind: "data",
      data: { user: "u", ports: [1, 2], deep: { a: null } },
      leaseDuration: 2_764_800,
    });
  });

  test.each([
    { data: { ttl: "1h" }, want: 3_600 },
    { data: { ttl: 90 }, want: 90 },
    { data: { lease: "2m" }, want: 120 },
    { data: { ttl: "soon" }, want: 2_764_800 },
  ])("a field $data is told as the lease duration $want", async ({ data, want }) => {
    const kv = await openEngine(type);
    await kv.call("create", "a", data);
    expect(await kv.call("read", "a")).toMatchObject({ data, leaseDuration: want });
  });

  test("numbers come back as they were sent, beyond what a double holds too", async () => {
    const kv = await openEngine(type);
    const data = parseJson('{"big":12345678901234567890,"small":1,"part":0.25}') as Record<string, unknown>;
    await kv.call("create", "n", data);
    expect(await kv.call("read", "n")).toMatchObject({ data: { big: 12345678901234567890n, small: 1, part: 0.25 } });
  });

  test("a list names what lies in a folder, and of nothing there is none", async () => {
    const kv = await openEngine(type);
    for (const path of ["app/a", "app/b/c", "app/b"]) await kv.call("create", path, { x: 1 });
    expect(await kv.call("list", "")).toEqual({ kind: "data", data: { keys: ["app/"] } });
    expect(await kv.call("list", "app")).toEqual({ kind: "data", data: { keys: ["a", "b", "b/"] } });
    expect(await kv.call("list", "none/")).toEqual({ kind: "missing" });
  });

  test("deleted is gone, and deleting again is no mistake", async () => {
    const kv = await openEngine(type);
    await kv.call("create", "a", { x: 1 });
    expect(await kv.call("delete", "a")).toEqual({ kind: "done" });
    expect(await kv.call("delete", "a")).toEqual({ kind: "done" });
    expect(await kv.call("read", "a")).toEqual({ kind: "missing" });
  });

  test.each([
    { name: "no fields", path: "a", data: {}, want: "missing data fields" },
    { name: "a folder's path", path: "a/", data: { x: 1 }, want: "does not end with a slash" },
    { name: "an empty segment", path: "a//b", data: { x: 1 }, want: "two slashes" },
    { name: "a way upwards", path: "a/../b", data: { x: 1 }, want: '".."' },
    { name: "half a megabyte", path: "a", data: { x: "x".repeat(400_000) }, want: "at most 393216" },
  ])("a write of $name is refused", async ({ path, data, want }) => {
    const kv = await openEngine(type);
    const reply = await kv.call("create", path, data);
    expect(reply).toMatchObject({ kind: "refused", status: 400 });
    expect(JSON.stringify(reply).replaceAll("\\", "")).toContain(want);
    expect(await kv.storage.list("")).toEqual([]);
  });
});

test("a write is an update where something is there", async () => {
  const kv = await openEngine(kvEngine());
  const at = { operation: "update", path: "a", data: {}, remote: "" } as const;
  expect(await kv.engine.exists?.(at)).toBe(false);
  await kv.call("create", "a", { x: 1 });
  expect(await kv.engine.exists?.(at)).toBe(true);
});

test("versions other than 1 and 2 are refused, and so is a change of the version", () => {
  const kv = kvEngine();
  expect(kv.checkOptions?.({})).toBeUndefined();
  expect(kv.checkOptions?.({ version: "2" })).toBeUndefined();
  expect(kv.checkOptions?.({ version: "3" })).toContain('version "1" or "2", not "3"');
  expect(kv.checkTune?.({}, { version: "2" })).toContain("does not change");
  expect(kv.checkTune?.({ version: "2" }, { version: "1" })).toContain("does not change");
  expect(kv.checkTune?.({ version: "2" }, { version: "2" })).toBeUndefined();
  expect(kv.checkTune?.({ version: "2" }, {})).toBeUndefined();
});
