import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { clientErrors } from "@millwright/clients/errors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startTestServer, type TestRunning } from "../test/running.ts";

let running: TestRunning;
let client: ConsulClient;
beforeEach(async () => {
  running = await startTestServer();
  client = running.client;
});
afterEach(() => running.close());

describe("our client against our server", () => {
  test("gives entries with bytes, 64-bit flags and indexes", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(await client.kv.put("a/b c#?%", bytes, { flags: 18446744073709551615n })).toBe(true);
    const { value, index, knownLeader } = await client.kv.get("a/b c#?%");
    expect(value).toMatchObject({
      key: "a/b c#?%",
      flags: 18446744073709551615n,
      modifyIndex: index,
      createIndex: index,
    });
    expect(Buffer.compare(value!.value, bytes)).toBe(0);
    expect(knownLeader).toBe(true);
    expect((await client.kv.get("none")).value).toBeUndefined();
  });

  test("lists trees and keys, empty ones too", async () => {
    for (const key of ["a/1", "a/2/x"]) await client.kv.put(key, key);
    expect((await client.kv.list("a/")).value.map(({ key }) => key)).toEqual(["a/1", "a/2/x"]);
    expect((await client.kv.keys("a/", { separator: "/" })).value).toEqual(["a/1", "a/2/"]);
    expect((await client.kv.list("none")).value).toEqual([]);
    expect((await client.kv.keys("none")).value).toEqual([]);
  });

  test("checks and sets, and deletes", async () => {
    expect(await client.kv.put("a", "1", { cas: 0 })).toBe(true);
    expect(await client.kv.put("a", "2", { cas: 0 })).toBe(false);
    const { value } = await client.kv.get("a");
    expect(await client.kv.delete("a", { cas: value!.modifyIndex + 1 })).toBe(false);
    expect(await client.kv.delete("a", { cas: value!.modifyIndex })).toBe(true);
    await client.kv.put("t/1", "x");
    await client.kv.deleteTree("t/");
    expect((await client.kv.keys("")).value).toEqual([]);
  });

  test("runs transactions: done, or refused with each reason", async () => {
    const done = await client.transaction([
      { verb: "set", key: "a", value: "1", flags: 3n },
      { verb: "get", key: "a" },
    ]);
    expect(done).toMatchObject({ done: true, entries: [{ key: "a" }, { key: "a", flags: 3n }] });
    const refused = await client.transaction([
      { verb: "get", key: "a" },
      { verb: "check-not-exists", key: "a" },
    ]);
    expect(refused).toEqual({ done: false, errors: [{ operation: 1, what: 'key "a" exists' }] });
  });

  test("watches a key through its life", async () => {
    const stop = new AbortController();
    const seen: (string | undefined)[] = [];
    const steps = [
      () => client.kv.put("w", "1"),
      () => client.kv.put("w", "2"),
      () => client.kv.delete("w"),
      async () => stop.abort(),
    ];
    for await (const { value } of client.watchKey("w", { signal: stop.signal })) {
      seen.push(value && Buffer.from(value.value).toString());
      await steps.shift()?.();
    }
    expect(seen).toEqual([undefined, "1", "2", undefined]);
  });

  test("saves and restores", async () => {
    await client.kv.put("a", "1");
    const pieces: Uint8Array[] = [];
    for await (const piece of (await client.saveSnapshot()).value) pieces.push(piece);
    await client.kv.deleteTree("");
    await client.restoreSnapshot(Buffer.concat(pieces));
    expect((await client.kv.get("a")).value?.key).toBe("a");
    await expect(client.restoreSnapshot(Buffer.from("junk"))).rejects.toMatchObject({ kind: clientErrors.badRequest });
  });

  test("a stale read and a consistent one are told apart", async () => {
    await client.kv.put("a", "1");
    expect((await client.kv.get("a", { consistency: "consistent" })).value?.key).toBe("a");
    expect((await client.kv.get("a", { consistency: "stale" })).value?.key).toBe("a");
  });

  test("the signal ends a wait", async () => {
    await client.kv.put("a", "1");
    const { index } = await client.kv.get("a");
    const reason = new Error("enough");
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 30);
    await expect(client.kv.get("a", { index, signal: stop.signal })).rejects.toBe(reason);
  });

  test("a large list comes whole", async () => {
    const value = "x".repeat(1000);
    const batch = Array.from({ length: 100 }, (_, i) => i);
    for (let i = 0; i < 20; i++) {
      await client.transaction(batch.map((j) => ({ verb: "set", key: `k/${i}/${j}`, value }) as const));
    }
    expect((await client.kv.list("k/")).value).toHaveLength(2000);
  });
});

describe("tokens", () => {
  test("come from the configuration, the call or a file, and a refusal says what to check", async () => {
    const guarded = await startTestServer({ acl: { defaultPolicy: "deny", masterToken: "s3cret" } });
    const folder = await mkdtemp(join(tmpdir(), "millwright-token-"));
    await writeFile(join(folder, "token"), "s3cret\n");
    await expect(guarded.client.kv.get("a")).rejects.toMatchObject({
      kind: clientErrors.denied,
      message: expect.stringMatching(
        /403: Permission denied: anonymous token lacks permission 'key:read' on "a".*\nCheck the token/,
      ),
    });
    const address = guarded.url;
    const clients = [
      new ConsulClient({ address, token: "s3cret" }),
      new ConsulClient({ address, tokenFile: join(folder, "token"), token: "wrong" }),
    ];
    for (const allowed of clients) expect((await allowed.kv.get("a")).value).toBeUndefined();
    await guarded.client.kv.put("a", "1", { token: "s3cret" });
    for (const used of clients) await used.close();
    await guarded.close();
    await rm(folder, { recursive: true });
  });
});

test("an unreachable server is named with what to check", async () => {
  await running.server.close();
  await expect(new ConsulClient({ address: running.url }).kv.get("a")).rejects.toMatchObject({
    kind: clientErrors.unreachable,
    message: `Cannot reach ${running.url}: connection refused. Check that a server runs there, and that the address and port are right.`,
  });
});
