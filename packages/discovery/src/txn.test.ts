import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../test/harness.ts";
import { storeKinds, type TestStore } from "../test/stores.ts";

const b64 = (text: string) => Buffer.from(text).toString("base64");
const kv = (Verb: string, Key: string, rest: object = {}) => ({ KV: { Verb, Key, ...rest } });
const set = (key: string, value: string, rest: object = {}) => kv("set", key, { Value: b64(value), ...rest });

interface Reply {
  readonly status: number;
  readonly Results:
    | { KV: { Key: string; Value: string | null; Flags: number; CreateIndex: number; ModifyIndex: number } }[]
    | null;
  readonly Errors: { OpIndex: number; What: string }[] | null;
}

for (const kind of storeKinds) {
  describe(`/v1/txn over ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    let store: TestStore;
    let server: TestServer;
    beforeEach(async () => {
      store = await kind.open();
      server = await openTestServer(store.store);
    });
    afterEach(async () => {
      await server.close();
      await store.dispose();
    });

    const txn = async (...operations: object[]): Promise<Reply> => {
      const { status, text } = await server.ask("PUT /v1/txn", JSON.stringify(operations));
      return { status, ...JSON.parse(text) };
    };
    const shown = ({ Results }: Reply) =>
      Results?.map(({ KV }) => `${KV.Key}=${KV.Value === null ? "" : Buffer.from(KV.Value, "base64").toString()}`);
    const keys = () => server.json("GET /v1/kv/?keys");

    test("all operations take effect at one index, each seeing those before it", async () => {
      const reply = await txn(
        set("a", "1", { Flags: 7 }),
        kv("get", "a"),
        set("b", "2"),
        kv("get-tree", ""),
        kv("delete", "a"),
        kv("get-or-empty", "a"),
      );
      expect(reply).toMatchObject({ status: 200, Errors: null });
      expect(shown(reply)).toEqual(["a=", "a=1", "b=", "a=1", "b=2", "a="]);
      const indexes = new Set(reply.Results?.slice(0, 5).map(({ KV }) => KV.ModifyIndex));
      expect([...indexes]).toEqual([await server.index("GET /v1/kv/b")]);
      expect(reply.Results?.[1]?.KV.Flags).toBe(7);
      expect(reply.Results?.[5]?.KV).toMatchObject({ CreateIndex: 0, ModifyIndex: 0 });
      expect(await keys()).toEqual(["b"]);
    });

    test("one failure undoes all, and every failure is told", async () => {
      await txn(set("a", "1"));
      const index = await server.index("GET /v1/kv/a");
      const reply = await txn(
        set("new", "x"),
        kv("cas", "a", { Value: b64("2"), Index: index + 1 }),
        kv("cas", "a", { Value: b64("2"), Index: 0 }),
        kv("get", "none"),
        kv("check-index", "a", { Index: 5 }),
        kv("check-index", "none", { Index: 5 }),
        kv("check-not-exists", "a"),
        kv("delete-cas", "a", { Index: 5 }),
        kv("set", "", { Value: "" }),
        kv("frobnicate", "a"),
      );
      expect(reply.status).toBe(409);
      expect(reply.Results).toBeNull();
      expect(reply.Errors).toEqual([{ OpIndex: 9, What: 'unknown KV verb "frobnicate"' }]);
      const again = await txn(
        set("new", "x"),
        kv("cas", "a", { Value: b64("2"), Index: index + 1 }),
        kv("cas", "a", { Value: b64("2"), Index: 0 }),
        kv("get", "none"),
        kv("check-index", "a", { Index: 5 }),
        kv("check-index", "none", { Index: 5 }),
        kv("check-not-exists", "a"),
        kv("delete-cas", "a", { Index: 5 }),
        kv("set", "", { Value: "" }),
      );
      expect(again.Errors).toEqual([
        { OpIndex: 1, What: 'failed to set key "a", index is stale' },
        { OpIndex: 2, What: 'failed to set key "a", index is stale' },
        { OpIndex: 3, What: 'key "none" doesn\'t exist' },
        { OpIndex: 4, What: `failed index check for key "a", current modify index ${index} != 5` },
        { OpIndex: 5, What: 'failed to check index, key "none" doesn\'t exist' },
        { OpIndex: 6, What: 'key "a" exists' },
        { OpIndex: 7, What: 'failed to delete key "a", index is stale' },
        { OpIndex: 8, What: "Must provide key" },
      ]);
      expect(await keys()).toEqual(["a"]);
    });

    test("conditions that hold let the rest pass", async () => {
      await txn(set("a", "1"));
      const index = await server.index("GET /v1/kv/a");
      const reply = await txn(
        kv("check-index", "a", { Index: index }),
        kv("check-not-exists", "b"),
        kv("cas", "b", { Value: b64("new"), Index: 0 }),
        kv("cas", "a", { Value: b64("2"), Index: index }),
        kv("delete-cas", "none", { Index: 3 }),
      );
      expect(reply).toMatchObject({ status: 200, Errors: null });
      expect(shown(reply)).toEqual(["a=", "b=", "a="]);
      expect((await server.ask("GET /v1/kv/a?raw")).text).toBe("2");
    });

    test("names may be in snake_case, and flags may have 64 bits", async () => {
      const body = `[{"kv":{"verb":"set","key":"a","value":"eA==","flags":18446744073709551615}}]`;
      expect((await server.ask("PUT /v1/txn", body)).status).toBe(200);
      expect((await server.ask("GET /v1/kv/a")).text).toContain('"Flags":18446744073709551615');
    });

    test("a deleted tree may be written to in the same transaction", async () => {
      await txn(...["t/a", "t/b", "t/c", "u"].map((key) => set(key, "old")));
      const reply = await txn(
        kv("delete-tree", "t/"),
        set("t/b", "new"),
        set("t/d", "new"),
        kv("delete-tree", "t/b/"),
        kv("get-tree", "t/"),
      );
      expect(shown(reply)).toEqual(["t/b=", "t/d=", "t/b=new", "t/d=new"]);
      expect(await keys()).toEqual(["t/b", "t/d", "u"]);
    });

    test("a key may be deleted and written again", async () => {
      await txn(set("a", "1"));
      await txn(kv("delete", "a"), set("a", "2"));
      expect((await server.ask("GET /v1/kv/a?raw")).text).toBe("2");
    });

    test("setting what is there already changes no index", async () => {
      await txn(set("a", "1"));
      const index = await server.index("GET /v1/kv/a");
      const reply = await txn(set("a", "1"));
      expect(reply.Results?.[0]?.KV.ModifyIndex).toBe(index);
      expect(await server.index("GET /v1/kv/?recurse")).toBe(index);
    });

    test("128 writes are taken, and as many deletions of one folder; 129 operations are not", async () => {
      const names = Array.from({ length: 129 }, (_, i) => `k/${String(i).padStart(3, "0")}`);
      expect(await txn(...names.slice(0, 128).map((key) => set(key, "x")))).toMatchObject({ status: 200 });
      const all = await server.ask("PUT /v1/txn", JSON.stringify(names.map((key) => set(key, "x"))));
      expect(all).toMatchObject({ status: 413, text: "Transaction contains too many operations (129 > 128)" });
      expect(await txn(...names.slice(0, 128).map((key) => kv("delete", key)))).toMatchObject({ status: 200 });
      expect(await keys()).toEqual([]);
      expect(await server.index("GET /v1/kv/k/005")).toBe(await server.index("GET /v1/kv/k/?recurse"));
    });

    test("128 deletions that stand alone are one too many", async () => {
      const names = Array.from({ length: 256 }, (_, i) => `k/${String(i).padStart(3, "0")}`);
      await txn(...names.slice(0, 128).map((key) => set(key, "x")));
      await txn(...names.slice(128).map((key) => set(key, "x")));
      const every2nd = names.filter((_, i) => i % 2 === 0);
      const reply = await server.ask("PUT /v1/txn", JSON.stringify(every2nd.map((key) => kv("delete", key))));
      expect(reply).toMatchObject({ status: 413, text: expect.stringMatching(/127 at most/) });
      expect(await txn(...every2nd.slice(1).map((key) => kv("delete", key)))).toMatchObject({ status: 200 });
      expect(await keys()).toHaveLength(129);
    });

    test("concurrent transactions lose no update", async () => {
      await txn(set("n", "0"), set("m", "0"));
      const raise = async (): Promise<void> => {
        const entries = (await server.json("GET /v1/kv/?recurse")) as {
          Key: string;
          Value: string;
          ModifyIndex: number;
        }[];
        const next = entries.map(({ Key, Value, ModifyIndex }) =>
          kv("cas", Key, {
            Value: b64(String(Number(Buffer.from(Value, "base64").toString()) + 1)),
            Index: ModifyIndex,
          }),
        );
        if ((await txn(...next)).status === 409) await raise();
      };
      await Promise.all(Array.from({ length: 10 }, raise));
      expect((await server.ask("GET /v1/kv/n?raw")).text).toBe("10");
      expect((await server.ask("GET /v1/kv/m?raw")).text).toBe("10");
    });

    const refused = [
      { name: "no list", body: "{}", status: 400, text: /expected a list/ },
      { name: "no JSON", body: "[", status: 400, text: /^Failed to parse body/ },
      { name: "no KV", body: "[{}]", status: 400, text: /operation 0 has no KV/ },
      {
        name: "a value that is no base 64",
        body: JSON.stringify([kv("set", "a", { Value: "***" })]),
        status: 400,
        text: /decode value/,
      },
      {
        name: "a number that is none",
        body: JSON.stringify([kv("set", "a", { Flags: "x" })]),
        status: 400,
        text: /Flags/,
      },
      { name: "half a surrogate pair", body: JSON.stringify([set("\ud800", "x")]), status: 400, text: /well-formed/ },
      {
        name: "another table",
        body: JSON.stringify([{ Session: { Verb: "delete" } }]),
        status: 501,
        text: /do not end sessions/,
      },
      {
        name: "a body above 512 KiB",
        body: JSON.stringify([set("a", "x".repeat(400_000))]),
        status: 413,
        text: /too large/,
      },
    ];
    for (const { name, body, status, text } of refused) {
      test(`refused: ${name}`, async () => {
        const reply = await server.ask("PUT /v1/txn", body);
        expect(reply.status).toBe(status);
        expect(reply.text).toMatch(text);
      });
    }

    test("locks need a session that is there, and are refused operation by operation", async () => {
      const reply = await txn(
        set("a", "1"),
        kv("lock", "a", { Session: "s" }),
        kv("unlock", "a", { Session: "s" }),
        kv("check-session", "a", { Session: "s" }),
      );
      expect(reply.status).toBe(409);
      expect(reply.Errors?.map(({ OpIndex, What }) => `${OpIndex} ${What}`)).toEqual([
        '1 invalid session "s"',
        `2 failed to unlock key "a", lock isn't held, or is held by another session`,
        '3 failed session check for key "a", current session "" != "s"',
      ]);
      expect(await keys()).toEqual([]);
    });
  });
}
