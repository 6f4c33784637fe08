import { faultyStore } from "@millwright/store/faulty-store";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identity, openTestServer, standingClock, type TestServer } from "../test/harness.ts";
import { staticTokens } from "./permissions.ts";

const inner = openMemoryStore();
const store = faultyStore(inner);
const clock = standingClock();
let server: TestServer;
beforeEach(async () => {
  server = await openTestServer(store, { clock });
});
afterEach(() => server.close());

test("a server is the one voter of its store", async () => {
  expect(await server.json("GET /v1/operator/raft/configuration")).toMatchObject({
    Servers: [{ ID: identity.nodeId, Node: "n1", Address: "127.0.0.1:8300", Leader: true, Voter: true }],
    Index: 0,
  });
});

test("a server that has lost its store is not well, and says so by its status", async () => {
  expect(await server.ask("GET /v1/operator/autopilot/health")).toMatchObject({ status: 200 });
  store.cut();
  clock.advance(20_000);
  const reply = await server.ask("GET /v1/operator/autopilot/health");
  store.mend();
  expect(reply.status).toBe(429);
  expect(JSON.parse(reply.text)).toMatchObject({ Healthy: false, Servers: [{ Name: "n1", Healthy: false }] });
});

test("nodes have no coordinates", async () => {
  await server.ask("PUT /v1/catalog/register", '{"Node":"a","Address":"1"}');
  expect(await server.json("GET /v1/coordinate/datacenters")).toEqual([]);
  expect(await server.json("GET /v1/coordinate/nodes")).toEqual([]);
  expect((await server.ask("GET /v1/coordinate/node/a")).status).toBe(404);
});

test("what is said of servers needs operator:read", async () => {
  const strict = await openTestServer(store, { authorizer: staticTokens({ defaultPolicy: "deny", master: "m" }) });
  expect(await strict.ask("GET /v1/operator/raft/configuration")).toMatchObject({
    status: 403,
    text: expect.stringContaining("lacks permission 'operator:read'"),
  });
  await strict.close();
});
