import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, sleep, type TestServer } from "../test/harness.ts";

let store: Store;
let server: TestServer;
beforeEach(async () => {
  store = openMemoryStore();
  server = await openTestServer(store);
});
afterEach(async () => {
  await server.close();
  await store.close();
});

interface Shown {
  readonly ID: string;
  readonly Name: string;
  readonly Payload: string | null;
  readonly LTime: number;
}

const list = async (query = "", node = "") =>
  JSON.parse(
    (await server.ask(`GET /v1/event/list${query}`, undefined, { headers: { "x-millwright-node": node } })).text,
  ) as Shown[];

describe("an event", () => {
  test("is listed in the order of firing, by name or all, as Consul shows it", async () => {
    const fired = JSON.parse((await server.ask("PUT /v1/event/fire/deploy", "v1")).text) as Shown;
    expect(fired).toEqual({
      ID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      Name: "deploy",
      Payload: "djE=",
      NodeFilter: "",
      ServiceFilter: "",
      TagFilter: "",
      Version: 1,
      LTime: 0,
    });
    await server.ask("PUT /v1/event/fire/other");
    await server.ask("PUT /v1/event/fire/deploy", "v2");
    expect(await list()).toMatchObject([
      { ...fired, LTime: 1 },
      { Name: "other", Payload: null, LTime: 2 },
      { Name: "deploy", LTime: 3 },
    ]);
    expect((await list("?name=deploy")).map(({ LTime }) => LTime)).toEqual([1, 3]);
    expect(await list("?name=none")).toEqual([]);
  });

  test("wakes who waits for its name, and nobody else", async () => {
    const index = await server.index("GET /v1/event/list?name=a");
    let woken = false;
    const waiting = list(`?name=a&index=${index}`).then((events) => {
      woken = true;
      return events;
    });
    await server.ask("PUT /v1/event/fire/b");
    await sleep(20);
    expect(woken).toBe(false);
    await server.ask("PUT /v1/event/fire/a");
    expect(await waiting).toMatchObject([{ Name: "a" }]);
  });

  test("goes to the nodes and services that it is meant for", async () => {
    const service = { ID: "web-1", Service: "web", Tags: ["v1"] };
    await server.ask("PUT /v1/catalog/register", JSON.stringify({ Node: "n2", Address: "10.0.0.2", Service: service }));
    for (const [name, query] of [
      ["all", ""],
      ["node", "?node=^n2$"],
      ["service", "?service=web"],
      ["tag", "?service=web&tag=v2"],
    ] as const)
      expect((await server.ask(`PUT /v1/event/fire/${name}${query}`)).status).toBe(200);
    expect((await list("", "n2")).map(({ Name }) => Name)).toEqual(["all", "node", "service"]);
    expect((await list("", "n3")).map(({ Name }) => Name)).toEqual(["all"]);
    expect((await list()).map(({ Name }) => Name)).toEqual(["all"]);
  });

  test("pushes the oldest out when there are more than 256, and the index stands", async () => {
    for (let i = 0; i < 260; i++) await server.ask(`PUT /v1/event/fire/e${i}`);
    const events = await list();
    expect(events).toHaveLength(256);
    expect([events[0]?.Name, events.at(-1)?.Name]).toEqual(["e4", "e259"]);
    const index = await server.index("GET /v1/event/list");
    await server.close();
    server = await openTestServer(store);
    expect(await server.index("GET /v1/event/list")).toBe(index);
    expect(await list()).toEqual(events);
  });

  const refusals = [
    { line: "PUT /v1/event/fire/a?node=(", body: "", status: 400, text: /Invalid node filter: error parsing regexp/ },
    {
      line: "PUT /v1/event/fire/a?tag=x",
      body: "",
      status: 400,
      text: "Cannot provide tag filter without service filter",
    },
    { line: "PUT /v1/event/fire/a", body: "x".repeat(513), status: 413, text: /too large, max size: 512/ },
  ];
  test.each(refusals)("is refused: $line", async ({ line, body, status, text }) => {
    const reply = await server.ask(line, body);
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(text);
    expect(await list()).toEqual([]);
  });
});
