import { silentLog } from "@millwright/core/ports";
import { Draft } from "@millwright/records/draft";
import { Projection } from "@millwright/records/projection";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, sleep, type TestServer, type TestServerOptions } from "../test/harness.ts";
import { type ManualClock, manualClock } from "../test/manual-clock.ts";
import { takeDown } from "./membership.ts";
import { staticTokens } from "./permissions.ts";
import { schema } from "./schema.ts";

const n1 = { Node: "n1", ID: "00000000-0000-4000-8000-000000000001", Address: "10.0.0.1" };
const n2 = { Node: "n2", ID: "00000000-0000-4000-8000-000000000002", Address: "10.0.0.2" };

let clock: ManualClock;
let store: Store;
let server: TestServer;
const others: TestServer[] = [];

const open = (options: TestServerOptions = {}) => openTestServer(store, { clock, joinToken: "sesame", ...options });

beforeEach(async () => {
  clock = manualClock();
  store = openMemoryStore({ clock });
  server = await open();
});
afterEach(async () => {
  for (const other of others.splice(0)) await other.close();
  await server.close();
  await store.close();
});

async function join(node: object = n1, at = server): Promise<string> {
  const reply = await at.ask("PUT /v1/millwright/join", JSON.stringify({ JoinToken: "sesame", ...node }));
  expect(reply).toMatchObject({ status: 200 });
  const { NodeToken, ...rest } = JSON.parse(reply.text) as { NodeToken: string };
  expect(rest).toEqual({ Datacenter: "dc1", LivenessTTL: "10s" });
  return NodeToken;
}

const as = (token: string) => ({ headers: { "x-consul-token": token } });

const renew = (token: string, { Node, ID }: { Node: string; ID: string } = n1, at = server) =>
  at.ask("PUT /v1/millwright/liveness", JSON.stringify({ Node, ID }), as(token));

async function health(node = "n1", at = server): Promise<unknown> {
  const checks = (await at.json(`GET /v1/health/node/${node}`)) as {
    CheckID: string;
    Status: string;
    Output: string;
  }[];
  return checks.filter(({ CheckID }) => CheckID === "serfHealth").map(({ Status, Output }) => `${Status}: ${Output}`);
}

const alive = ["passing: Agent alive and reachable"];
const down = ["critical: Agent not live or unreachable"];

describe("joining", () => {
  test("puts the node into the catalog, alive, and gives it a token of its own", async () => {
    const token = await join({ ...n1, Meta: { os: "linux" }, TaggedAddresses: { lan: "10.0.0.1" } });
    expect(await server.json("GET /v1/catalog/node/n1")).toMatchObject({
      Node: { ...n1, Meta: { os: "linux" }, TaggedAddresses: { lan: "10.0.0.1" } },
    });
    expect(await health()).toEqual(alive);
    expect(await renew(token)).toMatchObject({ status: 200, text: '{"TTL":"10s","Known":true,"Nodes":1}' });
  });

  test("needs no token where everybody may", async () => {
    const everybodys = await open({ joinToken: undefined, openJoin: true });
    others.push(everybodys);
    expect(await everybodys.ask("PUT /v1/millwright/join", JSON.stringify(n1))).toMatchObject({ status: 200 });
    expect(await health("n1", everybodys)).toEqual(alive);
  });

  test("lets others ask which node a token is of", async () => {
    const token = await join();
    expect(await server.ask("GET /v1/millwright/whoami", "", as(token))).toMatchObject({
      status: 200,
      text: JSON.stringify({ Node: n1.Node, ID: n1.ID }),
    });
    expect(await server.ask("GET /v1/millwright/whoami", "", as("x"))).toMatchObject({ status: 403 });
    expect(await server.ask("GET /v1/millwright/whoami")).toMatchObject({ status: 403 });
  });

  test("is told to whoever waits for another list of nodes", async () => {
    await join();
    const { Version, Nodes } = (await server.json("GET /v1/millwright/nodes")) as { Version: string; Nodes: unknown };
    expect(Nodes).toEqual([{ Node: n1.Node, ID: n1.ID, Alive: true }]);
    const waiting = server.json(`GET /v1/millwright/nodes?version=${Version}`) as Promise<{ Nodes: unknown[] }>;
    await join(n2);
    expect((await waiting).Nodes).toHaveLength(2);
  });

  const refusals = [
    {
      name: "a wrong join token",
      body: { ...n1, JoinToken: "x" },
      status: 403,
      text: /Permission denied: the join token/,
    },
    { name: "no join token", body: n1, status: 403, text: /Permission denied: .* none was given/ },
    { name: "no ID", body: { ...n1, JoinToken: "sesame", ID: "" }, status: 400, text: /Bad node ID: "" is no UUID/ },
    { name: "no name", body: { ...n1, JoinToken: "sesame", Node: "" }, status: 400, text: /joins with its name/ },
    {
      name: "another datacenter",
      body: { ...n1, JoinToken: "sesame", Datacenter: "dc2" },
      status: 400,
      text: /datacenter "dc1", and the node of "dc2"/,
    },
  ];
  test.each(refusals)("is refused with $name, and leaves nothing", async ({ body, status, text }) => {
    const before = await store.revision();
    expect(await server.ask("PUT /v1/millwright/join", JSON.stringify(body))).toMatchObject({
      status,
      text: expect.stringMatching(text),
    });
    expect(await store.revision()).toBe(before);
    expect(await server.json("GET /v1/catalog/nodes")).toEqual([]);
  });

  test("is refused where the server has no join token", async () => {
    const closed = await open({ joinToken: undefined });
    others.push(closed);
    expect(await closed.ask("PUT /v1/millwright/join", JSON.stringify({ JoinToken: "", ...n1 }))).toMatchObject({
      status: 403,
      text: "Permission denied: this server takes no nodes in: it was started without a join token",
    });
  });

  test("under the name of a node that is alive is refused, and works once that one is down", async () => {
    const token = await join(n1);
    const thief = { ...n2, Node: "N1", JoinToken: "sesame" };
    expect(await server.ask("PUT /v1/millwright/join", JSON.stringify(thief))).toMatchObject({
      status: 409,
      text: expect.stringMatching(/Node name N1 is reserved by node 0.*1 with name n1 \(10\.0\.0\.1\)/),
    });
    await clock.advance(15_000);
    await join(thief);
    expect(await renew(token), "the old node's token is worth nothing now").toMatchObject({
      status: 403,
      text: "ACL not found",
    });
  });

  test("again ends the token of before", async () => {
    const first = await join();
    const second = await join();
    expect(second).not.toBe(first);
    expect(await renew(first)).toMatchObject({ status: 403, text: "ACL not found" });
    expect(await renew(second)).toMatchObject({ status: 200 });
  });

  test("the store keeps no token in clear", async () => {
    const token = await join();
    const { entries } = await store.range({ from: "a" });
    const all = entries.map(({ key, value }) => key + Buffer.from(value).toString()).join("\n");
    expect(all).toContain("n1");
    expect(all).not.toContain(token);
    expect(all).not.toContain("sesame");
  });
});

describe("liveness", () => {
  test("a renewed node stays alive, and renewals commit nothing", async () => {
    const token = await join();
    const before = await store.revision();
    for (let i = 0; i < 20; i++) {
      await clock.advance(3_000);
      expect(await renew(token)).toMatchObject({ status: 200 });
    }
    // Who leads says so by a lease that it renews; that is no commit either.
    expect(await store.revision()).toBe(before);
    expect(await health()).toEqual(alive);
  });

  test("a node that is silent is critical within 12 seconds, and passes again with its next renewal", async () => {
    const token = await join();
    await clock.advance(9_000);
    expect(await health()).toEqual(alive);
    await clock.advance(3_000);
    expect(await health()).toEqual(down);
    expect(await renew(token)).toMatchObject({ status: 200 });
    expect(await health()).toEqual(alive);
    await clock.advance(12_000);
    expect(await health()).toEqual(down);
  });

  test("a blocked query for a service on the node answers when the node goes down", async () => {
    await join();
    await server.ask("PUT /v1/catalog/register", JSON.stringify({ ...n1, Service: { Service: "web" } }));
    const line = "GET /v1/health/service/web?passing";
    const query = server.json(`${line}&index=${await server.index(line)}`);
    await clock.advance(12_000);
    expect(await query).toEqual([]);
  });

  test("is renewed at any server over the same store, and one of them says who is down", async () => {
    const second = await open();
    others.push(second);
    const token = await join();
    for (let i = 0; i < 6; i++) {
      await clock.advance(4_000);
      expect(await renew(token, n1, i % 2 === 0 ? second : server)).toMatchObject({ status: 200 });
    }
    expect(await health("n1", second)).toEqual(alive);
    await clock.advance(12_000);
    expect(await health("n1", second)).toEqual(down);
    expect(await health()).toEqual(down);
  });

  test("outlives the server: nodes are undisturbed by its restart, and what it missed it sees when it is back", async () => {
    const token = await join();
    await join(n2);
    await server.close();
    await clock.advance(8_000);
    server = await open();
    expect(await renew(token)).toMatchObject({ status: 200 });
    await clock.advance(5_000);
    expect(await health("n1")).toEqual(alive);
    expect(await health("n2")).toEqual(down);
  });

  test("outlives a restore, which may say something else of the node", async () => {
    const token = await join();
    const early = (await server.ask("GET /v1/snapshot")).bytes;
    await clock.advance(12_000);
    const late = (await server.ask("GET /v1/snapshot")).bytes;
    await renew(token);
    for (const archive of [late, early]) {
      expect((await server.ask("PUT /v1/snapshot", archive)).status).toBe(200);
      expect(await renew(token)).toMatchObject({ status: 200 });
      expect(await health()).toEqual(alive);
    }
    await clock.advance(12_000);
    expect(await health()).toEqual(down);
  });

  test("a node that somebody took out of the catalog is told so, and registers itself again", async () => {
    const token = await join();
    await server.ask("PUT /v1/catalog/deregister", '{"Node":"n1"}');
    expect((await renew(token)).text).toBe('{"TTL":"10s","Known":false,"Nodes":0}');
    await server.ask("PUT /v1/catalog/register", JSON.stringify(n1), as(token));
    expect((await renew(token)).text).toBe('{"TTL":"10s","Known":true,"Nodes":1}');
    expect(await health()).toEqual(alive);
  });

  test("a node is forgotten after 72 hours of silence, and its token with it", async () => {
    const token = await join();
    await clock.advance(12_000);
    const hours = async (count: number) => {
      // Standing still for most of it: nothing happens but the minute's look.
      for (let i = 0; i < count; i++) await clock.advance(60_000);
    };
    await hours(5);
    expect(await health()).toEqual(down);
    clock.jump(72 * 3_600_000);
    await hours(3);
    expect(await server.json("GET /v1/catalog/node/n1")).toBeNull();
    expect(await renew(token)).toMatchObject({ status: 403, text: "ACL not found" });
  });

  test("a request that says that a silent node passes is put right within a minute", async () => {
    await join();
    await clock.advance(12_000);
    const check = { CheckID: "serfHealth", Name: "by hand", Status: "passing" };
    await server.ask("PUT /v1/catalog/register", JSON.stringify({ ...n1, Check: check }));
    await clock.advance(61_000);
    expect(await health()).toEqual(down);
  });

  test("a node whose renewal came in between is not taken down", async () => {
    await join();
    const projection = await Projection.open(schema, { store, clock, log: silentLog });
    const draft = new Draft(projection.state);
    expect(takeDown(draft, "n1", clock.now())).toBe(false);
    expect(draft.isEmpty).toBe(true);
    await projection.close();
  });

  test("a node that was registered by hand is nobody's to say down", async () => {
    const check = { CheckID: "serfHealth", Name: "by hand", Status: "passing" };
    await server.ask("PUT /v1/catalog/register", JSON.stringify({ ...n1, Check: check }));
    await clock.advance(130_000);
    expect(await health()).toEqual(["passing: "]);
  });
});

describe("a node's token", () => {
  let token: string;
  beforeEach(async () => {
    token = await join(n1);
    await join(n2);
  });

  const mine = [
    { line: "PUT /v1/catalog/register", body: { ...n1, Service: { Service: "web" }, Check: { Name: "c" } } },
    { line: "PUT /v1/catalog/deregister", body: { Node: "n1", ServiceID: "web" } },
    { line: "GET /v1/catalog/nodes" },
    { line: "GET /v1/health/state/any" },
    { line: "GET /v1/kv/none?keys" },
  ];
  test.each(mine)("may $line for its own node", async ({ line, body }) => {
    expect((await server.ask(line, body && JSON.stringify(body), as(token))).status).not.toBe(403);
  });

  const denied = 'Permission denied: the identity of node "n1" lacks permission';
  const theirs = [
    { line: "PUT /v1/catalog/register", body: { ...n2, Address: "6.6.6.6" }, text: `${denied} 'node:write' on "n2"` },
    {
      line: "PUT /v1/catalog/register",
      body: { ...n2, Service: { Service: "web" } },
      text: `${denied} 'service:write' on "web" of node "n2"`,
    },
    { line: "PUT /v1/catalog/register", body: { ...n2, Check: { Name: "c" } }, text: `${denied} 'node:write' on "n2"` },
    { line: "PUT /v1/catalog/deregister", body: { Node: "n2" }, text: `${denied} 'node:write' on "n2"` },
    { line: "PUT /v1/kv/a", body: {}, text: `${denied} 'key:write' on "a"` },
    { line: "GET /v1/snapshot", body: {}, text: `${denied} 'acl:write'` },
  ];
  test.each(theirs)("may not $line for another: $text", async ({ line, body, text }) => {
    const reply = await server.ask(line, JSON.stringify(body), as(token));
    expect(reply.status).toBe(403);
    expect(reply.text.startsWith(text)).toBe(true);
  });

  test.each([
    { line: "PUT /v1/catalog/register", body: { ...n1, ID: n2.ID } },
    { line: "PUT /v1/txn", body: [{ Node: { Verb: "set", Node: { ...n1, ID: n2.ID } } }] },
  ])("may not take another's ID, and with it the other's place, by $line", async ({ line, body }) => {
    await server.ask("PUT /v1/catalog/deregister", '{"Node":"n1"}', as(token));
    const reply = await server.ask(line, JSON.stringify(body), as(token));
    expect(reply.text).toContain(`${denied} 'node:write' on "n2"`.replaceAll('"', line.endsWith("txn") ? '\\"' : '"'));
    expect(await server.json("GET /v1/catalog/nodes")).toMatchObject([n2]);
  });

  test("may not renew another node's liveness", async () => {
    expect(await renew(token, n2)).toMatchObject({
      status: 403,
      text: expect.stringMatching(/identity of node "n1" .* asked for the liveness of "n2"/),
    });
    expect(await renew(token, { ...n1, ID: n2.ID })).toMatchObject({ status: 403 });
  });

  test("is asked of every renewal: none, or a made-up one, is unknown", async () => {
    for (const other of ["", "x"]) expect(await renew(other)).toMatchObject({ status: 403, text: "ACL not found" });
  });

  test("reads the catalog, and no keys, where nobody may do anything without a token", async () => {
    const strict = await open({ authorizer: staticTokens({ defaultPolicy: "deny", master: "m" }) });
    others.push(strict);
    await strict.ask("PUT /v1/kv/a", "x", as("m"));
    expect(JSON.parse((await strict.ask("GET /v1/catalog/nodes", undefined, as(token))).text)).toHaveLength(2);
    expect((await strict.ask("GET /v1/kv/a", undefined, as(token))).status).toBe(403);
    expect((await strict.ask("GET /v1/catalog/nodes")).text).toBe("[]");
    expect(await strict.ask("GET /v1/catalog/nodes", undefined, as("other"))).toMatchObject({
      status: 403,
      text: "ACL not found",
    });
    const fresh = await join({ ...n1, Node: "n3", ID: "00000000-0000-4000-8000-000000000003" }, server);
    expect((await strict.ask("GET /v1/catalog/nodes", undefined, as(fresh))).status).toBe(200);
  });
});

test("in real time: a silent node is down after its lease, and up with the next renewal", async () => {
  const real = openMemoryStore();
  const quick = await openTestServer(real, { joinToken: "sesame", livenessSeconds: 1 });
  const reply = await quick.ask("PUT /v1/millwright/join", JSON.stringify({ JoinToken: "sesame", ...n1 }));
  const { NodeToken } = JSON.parse(reply.text) as { NodeToken: string };
  await expect.poll(() => health("n1", quick), { timeout: 5_000 }).toEqual(down);
  expect(await renew(NodeToken, n1, quick)).toMatchObject({ status: 200 });
  expect(await health("n1", quick)).toEqual(alive);
  await sleep(500);
  expect(await health("n1", quick)).toEqual(alive);
  await quick.close();
  await real.close();
});
