import { type FaultyStore, faultyStore } from "@millwright/store/faulty-store";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../test/harness.ts";

/** Another server writes between the moment a request is worked out here and the moment the store gets it. */
let inner = openMemoryStore();
let store: FaultyStore;
let server: TestServer;
let other: TestServer;
beforeEach(async () => {
  inner = openMemoryStore();
  store = faultyStore(inner);
  server = await openTestServer(store);
  other = await openTestServer(inner);
});
afterEach(async () => {
  await Promise.all([server.close(), other.close()]);
  await inner.close();
});

const kv = (Verb: string, Key: string, rest: object = {}) => ({ KV: { Verb, Key, ...rest } });
const set = (key: string, value: string) => kv("set", key, { Value: Buffer.from(value).toString("base64") });
const many = Array.from({ length: 120 }, (_, i) => `m/${String(i).padStart(3, "0")}`);

async function keys(): Promise<string[]> {
  return (await server.json("GET /v1/kv/?keys")) as string[];
}

/** Before the next step of this server reaches the store, `lines` are carried out by the other one. */
function interfere(...lines: string[]): void {
  store.beforeTxn = async () => {
    store.beforeTxn = async () => undefined;
    for (const line of lines) await other.ask(line, line.startsWith("PUT") ? "other" : undefined);
  };
}

describe("a transaction", () => {
  const cases: {
    name: string;
    before: object[];
    meanwhile: string[];
    operations: object[];
    status: number;
    left: string[];
  }[] = [
    {
      name: "is refused where its key was changed",
      before: [set("a", "1")],
      meanwhile: ["PUT /v1/kv/a"],
      operations: [kv("cas", "a", { Value: "eA==", Index: 12 }), set("b", "1")],
      status: 409,
      left: ["a"],
    },
    {
      name: "is refused where its key was deleted",
      before: [set("a", "1")],
      meanwhile: ["DELETE /v1/kv/a"],
      operations: [kv("get", "a"), set("b", "1")],
      status: 409,
      left: [],
    },
    {
      name: "is refused where its key appeared",
      before: [],
      meanwhile: ["PUT /v1/kv/a"],
      operations: [kv("check-not-exists", "a"), set("b", "1")],
      status: 409,
      left: ["a"],
    },
    {
      name: "deletes a key that was added to its tree",
      before: [set("t/a", "1")],
      meanwhile: ["PUT /v1/kv/t/b"],
      operations: [kv("delete-tree", "t/"), set("u", "1")],
      status: 200,
      left: ["u"],
    },
    {
      name: "passes by a key of its tree that was deleted",
      before: [set("t/a", "1"), set("t/b", "1")],
      meanwhile: ["DELETE /v1/kv/t/a"],
      operations: [kv("get-tree", "t/"), set("u", "1")],
      status: 200,
      left: ["t/b", "u"],
    },
    {
      name: "passes by a change that it has nothing to do with",
      before: [set("a", "1")],
      meanwhile: ["PUT /v1/kv/z", "DELETE /v1/kv/none"],
      operations: [kv("get", "a"), set("b", "1")],
      status: 200,
      left: ["a", "b", "z"],
    },
    {
      name: "does not take a new key along that lies between many it deletes",
      before: many.map((key) => set(key, "1")),
      meanwhile: ["PUT /v1/kv/m/005x"],
      operations: [...many.map((key) => kv("delete", key)), ...Array.from({ length: 8 }, (_, i) => set(`n${i}`, "1"))],
      status: 200,
      left: ["m/005x", ...Array.from({ length: 8 }, (_, i) => `n${i}`)],
    },
  ];
  test.each(cases)("$name", async ({ before, meanwhile, operations, status, left }) => {
    if (before.length > 0) await server.ask("PUT /v1/txn", JSON.stringify(before));
    await keys();
    interfere(...meanwhile);
    const reply = await server.ask("PUT /v1/txn", JSON.stringify(operations));
    expect(reply.status).toBe(status);
    expect(await keys()).toEqual(left);
  });

  const shown = [
    {
      name: "what was written",
      meanwhile: ["PUT /v1/kv/t/b", "PUT /v1/kv/t/a"],
      want: ["t/a=other", "t/b=other", "u="],
    },
    { name: "what is gone", meanwhile: ["DELETE /v1/kv/t/a"], want: ["u="] },
    { name: "what is gone with its tree", meanwhile: ["DELETE /v1/kv/t?recurse"], want: ["u="] },
  ];
  test.each(shown)("shows $name meanwhile, and not what it had first seen", async ({ meanwhile, want }) => {
    await server.ask("PUT /v1/kv/t/a", "1");
    interfere(...meanwhile);
    const reply = await server.ask("PUT /v1/txn", JSON.stringify([kv("get-tree", "t/"), set("u", "1")]));
    const { Results } = JSON.parse(reply.text) as { Results: { KV: { Key: string; Value: string | null } }[] };
    expect(Results.map(({ KV }) => `${KV.Key}=${Buffer.from(KV.Value ?? "", "base64")}`)).toEqual(want);
  });
});

describe("deleting a tree", () => {
  test("leaves what was written into it meanwhile, and takes the rest", async () => {
    await server.ask("PUT /v1/txn", JSON.stringify(["t/a", "t/b", "t/c", "t/d"].map((key) => set(key, "1"))));
    interfere("PUT /v1/kv/t/b", "PUT /v1/kv/t/new", "DELETE /v1/kv/t/c");
    await server.ask("DELETE /v1/kv/t/?recurse");
    expect(await keys()).toEqual(["t/b", "t/new"]);
  });

  test("raises the index of the list whichever way it went", async () => {
    await server.ask("PUT /v1/txn", JSON.stringify([set("t/a", "1"), set("t/b", "1")]));
    const before = await server.index("GET /v1/kv/t/?recurse");
    interfere("PUT /v1/kv/t/new");
    await server.ask("DELETE /v1/kv/t/?recurse");
    await other.ask("DELETE /v1/kv/t/new");
    expect(await server.index("GET /v1/kv/t/?recurse")).toBeGreaterThan(before);
    expect(await server.index("GET /v1/kv/t/a")).toBeGreaterThan(before);
  });
});

describe("a single write", () => {
  test("of the value that was there is written again when it has gone meanwhile", async () => {
    await server.ask("PUT /v1/kv/a", "1");
    await server.ask("GET /v1/kv/a");
    interfere("DELETE /v1/kv/a");
    await server.ask("PUT /v1/kv/a", "1");
    expect((await other.ask("GET /v1/kv/a?raw")).text).toBe("1");
  });

  test("lands in the generation that holds when a restore switches in between", async () => {
    await server.ask("PUT /v1/kv/a", "1");
    const archive = (await other.ask("GET /v1/snapshot")).bytes;
    const requests = ["PUT /v1/kv/b", "PUT /v1/kv/c?cas=0", "DELETE /v1/kv/none", "DELETE /v1/kv/a?cas=12"];
    for (const request of requests) {
      store.beforeTxn = async () => {
        store.beforeTxn = async () => undefined;
        await other.ask("PUT /v1/snapshot", archive);
      };
      const { status, text } = await server.ask(request, "x");
      expect({ request, status }).toEqual({ request, status: 200 });
      // The index is one of before the restore, which no key has now.
      expect(text).toBe(String(!request.includes("cas=12")));
      if (request.startsWith("PUT")) expect((await other.ask(`GET /v1/kv/${request[11]}?raw`)).text).toBe("x");
      expect((await other.ask("GET /v1/kv/a?raw")).text).toBe("1");
    }
  });
});
