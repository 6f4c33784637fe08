import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../test/harness.ts";
import { storeKinds, type TestStore } from "../test/stores.ts";

for (const kind of storeKinds) {
  describe(`/v1/kv over ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    let opened: { readonly store: TestStore; readonly server: TestServer } | undefined;
    const start = async (): Promise<TestServer> => {
      const store = await kind.open();
      opened = { store, server: await openTestServer(store.store) };
      return opened.server;
    };
    afterEach(async () => {
      await opened?.server.close();
      await opened?.store.dispose();
      opened = undefined;
    });

    test("a written key comes back with value, flags and indexes", async () => {
      const server = await start();
      expect(await server.ask("PUT /v1/kv/app/a?flags=18446744073709551615", "hello")).toMatchObject({
        status: 200,
        text: "true",
      });
      const reply = await server.ask("GET /v1/kv/app/a");
      const index = Number(reply.headers["x-consul-index"]);
      expect(index).toBeGreaterThan(1);
      expect(reply.text).toBe(
        `[{"LockIndex":0,"Key":"app/a","Flags":18446744073709551615,"Value":"aGVsbG8=","CreateIndex":${index},"ModifyIndex":${index}}]`,
      );
      expect(reply.headers).toMatchObject({
        "content-type": "application/json",
        "x-consul-knownleader": "true",
        "x-consul-lastcontact": "0",
        "x-consul-effective-consistency": "leader",
        "x-consul-query-backend": "blocking-query",
        "x-consul-default-acl-policy": "allow",
      });
    });

    test("a second write keeps the create index and raises the modify index", async () => {
      const server = await start();
      await server.ask("PUT /v1/kv/a", "1");
      const [first] = (await server.json("GET /v1/kv/a")) as Entry[];
      await server.ask("PUT /v1/kv/a", "2");
      const [second] = (await server.json("GET /v1/kv/a")) as Entry[];
      expect(second!.CreateIndex).toBe(first!.CreateIndex);
      expect(second!.ModifyIndex).toBeGreaterThan(first!.ModifyIndex);
    });

    test("writing the same value and flags again changes no index", async () => {
      const server = await start();
      await server.ask("PUT /v1/kv/a?flags=7", "1");
      const before = await server.index("GET /v1/kv/a");
      await server.ask("PUT /v1/kv/a?flags=7", "1");
      await server.ask(`PUT /v1/kv/a?flags=7&cas=${before}`, "1");
      expect(await server.index("GET /v1/kv/a")).toBe(before);
      await server.ask("PUT /v1/kv/a?flags=8", "1");
      expect(await server.index("GET /v1/kv/a")).toBeGreaterThan(before);
    });

    test("a missing key is an empty 404 with an index", async () => {
      const server = await start();
      const reply = await server.ask("GET /v1/kv/none");
      expect(reply).toMatchObject({ status: 404, text: "" });
      expect(Number(reply.headers["x-consul-index"])).toBeGreaterThan(1);
    });

    test("an empty value is null", async () => {
      const server = await start();
      await server.ask("PUT /v1/kv/empty", "");
      expect(await server.json("GET /v1/kv/empty")).toMatchObject([{ Key: "empty", Value: null }]);
      expect(await server.ask("GET /v1/kv/empty?raw")).toMatchObject({ status: 200, text: "" });
    });

    test("raw gives the bytes, and headers that keep a browser from running them", async () => {
      const server = await start();
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      await server.ask("PUT /v1/kv/bin", bytes);
      const reply = await server.ask("GET /v1/kv/bin?raw");
      expect(Buffer.compare(reply.bytes, bytes)).toBe(0);
      expect(reply.headers).toMatchObject({
        "content-type": "text/plain",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
      });
    });

    test("recurse gives a tree in byte order, by prefix and not by folder", async () => {
      const server = await start();
      for (const key of ["app/b", "app/a", "apple", "app", "b", "app/%F0%9F%98%80", "app/%EF%BF%BD"]) {
        await server.ask(`PUT /v1/kv/${key}`, "x");
      }
      const keys = async (line: string) => ((await server.json(line)) as Entry[]).map(({ Key }) => Key);
      expect(await keys("GET /v1/kv/app?recurse")).toEqual([
        "app",
        "app/a",
        "app/b",
        "app/\uFFFD",
        "app/\u{1F600}",
        "apple",
      ]);
      expect(await keys("GET /v1/kv/?recurse=true")).toHaveLength(7);
      expect(await server.ask("GET /v1/kv/zzz?recurse")).toMatchObject({ status: 404, text: "" });
    });

    test("keys are cut behind the separator, which may be misspelt", async () => {
      const server = await start();
      for (const key of ["a/1/x", "a/1/y", "a/2", "b", "a/1"]) await server.ask(`PUT /v1/kv/${key}`, "x");
      const cases = [
        { query: "?keys", want: ["a/1", "a/1/x", "a/1/y", "a/2", "b"] },
        { query: "?keys&separator=/", want: ["a/", "b"] },
        { query: "?keys&seperator=/", want: ["a/", "b"] },
        { query: "a/?keys&separator=/", want: ["a/1", "a/1/", "a/2"] },
        { query: "a?keys&separator=/", want: ["a/"] },
        { query: "a/1?keys&separator=/", want: ["a/1", "a/1/"] },
        { query: "?keys&separator=1/", want: ["a/1", "a/1/", "a/2", "b"] },
      ];
      for (const { query, want } of cases) expect(await server.json(`GET /v1/kv/${query}`), query).toEqual(want);
      expect(await server.ask("GET /v1/kv/none?keys")).toMatchObject({ status: 404, text: "" });
    });

    test("the root of an empty store has an empty list of keys", async () => {
      const server = await start();
      expect(await server.ask("GET /v1/kv/?keys")).toMatchObject({ status: 200, text: "[]" });
    });

    test("keys may hold anything that can be seen", async () => {
      const server = await start();
      for (const key of ["a b", "ü/€", "x?y#z", "a//b", "../up", "/lead", "100%", "q=1&r"]) {
        await server.ask(`PUT /v1/kv/${key.split("/").map(encodeURIComponent).join("/")}`, key);
      }
      const entries = (await server.json("GET /v1/kv/?recurse")) as Entry[];
      expect(entries.map(({ Key }) => Key).sort()).toEqual(
        entries.map(({ Value }) => Buffer.from(Value ?? "", "base64").toString()).sort(),
      );
      expect(entries).toHaveLength(8);
    });

    test("check-and-set writes only at the index it names", async () => {
      const server = await start();
      expect((await server.ask("PUT /v1/kv/a?cas=0", "1")).text).toBe("true");
      expect((await server.ask("PUT /v1/kv/a?cas=0", "2")).text).toBe("false");
      const index = await server.index("GET /v1/kv/a");
      for (const wrong of [1, 5, index - 1, index + 1, "18446744073709551615"]) {
        expect(await server.ask(`PUT /v1/kv/a?cas=${wrong}`, "2")).toMatchObject({ status: 200, text: "false" });
      }
      expect((await server.ask(`PUT /v1/kv/a?cas=${index}`, "3")).text).toBe("true");
      expect((await server.ask(`PUT /v1/kv/none?cas=${index}`, "x")).text).toBe("false");
      expect((await server.ask("GET /v1/kv/a?raw")).text).toBe("3");
    });

    test("of many check-and-sets at one index one wins", async () => {
      const server = await start();
      await server.ask("PUT /v1/kv/n", "0");
      const index = await server.index("GET /v1/kv/n");
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, i) => server.ask(`PUT /v1/kv/n?cas=${index}`, `w${i}`)),
      );
      expect(replies.filter(({ text }) => text === "true")).toHaveLength(1);
    });

    test("delete takes a key away, and is true also where there is none", async () => {
      const server = await start();
      await server.ask("PUT /v1/kv/a", "1");
      expect(await server.ask("DELETE /v1/kv/a")).toMatchObject({ status: 200, text: "true" });
      expect((await server.ask("GET /v1/kv/a")).status).toBe(404);
      expect(await server.ask("DELETE /v1/kv/a")).toMatchObject({ status: 200, text: "true" });
    });

    test("delete with cas wants the key's index", async () => {
      const server = await start();
      await server.ask("PUT /v1/kv/a", "1");
      const index = await server.index("GET /v1/kv/a");
      expect((await server.ask("DELETE /v1/kv/a?cas=0")).text).toBe("false");
      expect((await server.ask(`DELETE /v1/kv/a?cas=${index + 1}`)).text).toBe("false");
      expect((await server.ask(`DELETE /v1/kv/a?cas=${index}`)).text).toBe("true");
      expect((await server.ask(`DELETE /v1/kv/a?cas=${index}`)).text).toBe("true");
    });

    test("delete with recurse takes the whole prefix and nothing beside it", async () => {
      const server = await start();
      for (const key of ["a/1", "a/2/3", "ab", "b"]) await server.ask(`PUT /v1/kv/${key}`, "x");
      expect((await server.ask("DELETE /v1/kv/a/?recurse")).text).toBe("true");
      expect(await server.json("GET /v1/kv/?keys")).toEqual(["ab", "b"]);
      expect((await server.ask("DELETE /v1/kv/?recurse")).text).toBe("true");
      expect(await server.json("GET /v1/kv/?keys")).toEqual([]);
    });

    test("a tree larger than one step is deleted whole, while others write beside it", async () => {
      const server = await start();
      const write = (key: string) => server.ask(`PUT /v1/kv/${key}`, "x");
      for (let i = 0; i < 2_500; i += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, j) => write(`t/${String(i + j).padStart(5, "0")}`)));
      }
      const writing = Promise.all(Array.from({ length: 50 }, (_, i) => write(`t/new${i}`)));
      await server.ask("DELETE /v1/kv/t/?recurse");
      await writing;
      const left = (await server.json("GET /v1/kv/?keys")) as string[];
      expect(left.filter((key) => !key.startsWith("t/new"))).toEqual([]);
    });

    test("a value may have 512 KiB and no more", async () => {
      const server = await start();
      const largest = new Uint8Array(524_288).fill(120);
      expect((await server.ask("PUT /v1/kv/large", largest)).text).toBe("true");
      expect((await server.ask("GET /v1/kv/large?raw")).bytes).toHaveLength(524_288);
      const reply = await server.ask("PUT /v1/kv/larger", new Uint8Array(524_289));
      expect(reply.status).toBe(413);
      expect(reply.text).toMatch(/Request body\(524289 bytes\) too large, max size: 524288 bytes/);
      const pieces = (async function* endless() {
        for (;;) yield new Uint8Array(65_536);
      })();
      expect((await server.ask("PUT /v1/kv/endless", pieces)).status).toBe(413);
    });
  });
}

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}
