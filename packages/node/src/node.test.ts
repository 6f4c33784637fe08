import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeDiscovery, fakeDiscovery, json } from "../test/fake-discovery.ts";
import { type RunningNode, runNode, until } from "../test/running-node.ts";
import { comparePause } from "./anti-entropy.ts";

let server: FakeDiscovery;
let folder: string;
const running: RunningNode[] = [];
beforeEach(async () => {
  server = await fakeDiscovery();
  folder = await mkdtemp(join(tmpdir(), "node-"));
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function start(options: Parameters<typeof runNode>[0] = {}): Promise<RunningNode> {
  const one = await runNode({ servers: [server.address], ...options });
  running.push(one);
  return one;
}

async function stop(one: RunningNode): Promise<void> {
  running.splice(running.indexOf(one), 1);
  await one.close();
}

const webService = { Name: "web", Port: 80, Check: { TTL: "30s" } };

describe("joining", () => {
  test("a node joins, and its services and checks come into the catalog", async () => {
    const one = await start();
    await one.node.ready();
    await one.ask("PUT /v1/agent/service/register", webService);
    await until("the catalog has the check", () => server.checks.get("service:web"));
    expect(server.services.get("web")).toMatchObject({ ID: "web", Service: "web", Port: 80 });
    expect(server.checks.get("service:web")).toMatchObject({ Status: "critical", ServiceID: "web", Type: "ttl" });
    expect(server.lastOf("/v1/catalog/register")?.token).toBe("node-token");
  });

  test("who registers or deregisters finds it in the catalog at once, also where the catalog takes its time", async () => {
    const one = await start();
    await one.node.ready();
    server.writeMilliseconds = 50;
    await one.ask("PUT /v1/agent/service/register", webService);
    expect([server.services.has("web"), server.checks.has("service:web")]).toEqual([true, true]);
    await one.ask("PUT /v1/agent/check/register", { Name: "own", TTL: "1m" });
    expect(server.checks.has("own")).toBe(true);
    await one.ask("PUT /v1/agent/maintenance?enable=true");
    expect(server.checks.has("_node_maintenance")).toBe(true);
    await one.ask("PUT /v1/agent/check/deregister/own");
    await one.ask("PUT /v1/agent/service/deregister/web");
    expect([server.services.has("web"), server.checks.has("own")]).toEqual([false, false]);
  });

  test("nobody is kept waiting by a catalog that does not answer", async () => {
    const one = await start();
    await one.node.ready();
    server.writeMilliseconds = 5_000;
    const began = performance.now();
    expect((await one.ask("PUT /v1/agent/service/register", webService)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test("its token is kept, so that it does not join again after a restart", async () => {
    const first = await start({ dataFolder: folder });
    await first.node.ready();
    await stop(first);
    const before = server.requests.length;
    const second = await start({ dataFolder: folder });
    await second.node.ready();
    expect(server.requests.slice(before)).not.toContain("PUT /v1/millwright/join");
    for (const name of await readdir(join(folder, "node")))
      expect((await stat(join(folder, "node", name))).mode & 0o777, name).toBe(0o600);
  });

  test("a node that cannot keep its token works on with it", async () => {
    await mkdir(join(folder, "node", "node-token.json.new"), { recursive: true });
    const one = await start({ dataFolder: folder });
    await one.node.ready();
    expect(one.node.token()).toBe("node-token");
  });

  test("a node whose token is forgotten joins again with its join token", async () => {
    const one = await start({ dataFolder: folder, joinToken: async () => "secret" });
    server.joinToken = "secret";
    await until("joined", () => server.nodes.has("web-1"), 20_000);
    server.liveness = "forgotten";
    server.nodes.clear();
    await until("joined again", () => server.nodes.has("web-1"), 10_000);
    await one.node.ready();
  }, 30_000);

  test("the next server is asked where one does not answer", async () => {
    const dead = await fakeDiscovery();
    await dead.stop();
    const one = await start({ servers: [dead.address, server.address] });
    await one.node.ready();
    expect(server.nodes.has("web-1")).toBe(true);
  });

  test("a node without servers answers for itself, and joins when it is told one", async () => {
    const one = await start({ servers: [] });
    expect((await one.ask("GET /v1/agent/self")).json).toMatchObject({ Config: { NodeName: "web-1", Server: false } });
    expect((await one.ask("GET /v1/agent/members")).json).toMatchObject([{ Name: "web-1", Status: 1 }]);
    expect((await one.ask("GET /v1/kv/x")).text).toContain("No cluster leader");
    expect((await one.ask(`PUT /v1/agent/join/${server.address}`)).status).toBe(200);
    expect(server.nodes.has("web-1")).toBe(true);
  });

  test("leaving takes the node out of the catalog, and it does not come back", async () => {
    let hasLeft = false;
    const one = await start({ onLeave: () => (hasLeft = true) });
    await one.node.ready();
    await until("in the catalog", () => server.nodes.has("web-1"));
    expect((await one.ask("PUT /v1/agent/leave")).status).toBe(200);
    expect(server.nodes.has("web-1")).toBe(false);
    expect(hasLeft).toBe(true);
  });
});

describe("anti-entropy", () => {
  test("what the catalog has and the node does not know is removed, but not the liveness check", async () => {
    server.nodes.set("web-1", { Node: "web-1" });
    server.services.set("zombie", { ID: "zombie", Service: "zombie" });
    server.checks.set("serfHealth", { CheckID: "serfHealth", Status: "passing" });
    server.checks.set("stray", { CheckID: "stray", Status: "passing" });
    const one = await start();
    await one.node.ready();
    await until("removed", () => !server.services.has("zombie") && !server.checks.has("stray"));
    expect(server.checks.has("serfHealth")).toBe(true);
  });

  test("a node that somebody took out of the catalog is back with the next renewal", async () => {
    const fast = await fakeDiscovery("1s");
    const one = await start({ servers: [fast.address] });
    await one.node.ready();
    await one.ask("PUT /v1/agent/service/register", webService);
    await until("registered", () => fast.services.has("web"));
    // The first comparison is over.
    await until("compared", () => fast.requests.includes("GET /v1/health/node/web-1"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    fast.nodes.clear();
    fast.services.clear();
    await until("back", () => fast.nodes.has("web-1") && fast.services.has("web"), 2_000);
    await stop(one);
    await fast.stop();
  });

  const sizes = [
    { nodes: 1, seconds: 60 },
    { nodes: 128, seconds: 60 },
    { nodes: 129, seconds: 120 },
    { nodes: 257, seconds: 180 },
    { nodes: 1_024, seconds: 240 },
  ];
  test.each(sizes)("among $nodes nodes each compares itself every $seconds s", ({ nodes, seconds }) => {
    expect(comparePause(nodes)).toBe(seconds * 1_000);
  });

  test("a status travels at once, an output alone does not", async () => {
    const one = await start();
    await one.node.ready();
    await one.ask("PUT /v1/agent/service/register", webService);
    await until("registered", () => server.checks.has("service:web"));
    await one.ask("PUT /v1/agent/check/pass/service:web?note=first");
    await until("passing", () => server.checks.get("service:web")?.Status === "passing");
    expect(server.checks.get("service:web")?.Output).toBe("first");
    const before = server.requests.length;
    for (const note of ["second", "third"]) await one.ask(`PUT /v1/agent/check/pass/service:web?note=${note}`);
    expect(one.node.state.checks.get("service:web")).toMatchObject({ output: "third", sync: { kind: "deferred" } });
    expect(server.requests.slice(before).filter((line) => line.includes("register"))).toEqual([]);
  });

  test("a server that was away for a moment is brought up to date as soon as it is heard of again", async () => {
    const one = await start();
    await one.node.ready();
    await server.stop();
    await one.ask("PUT /v1/agent/service/register", webService);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.start();
    await until("registered", () => server.services.has("web"), 6_000);
  }, 15_000);

  test("after the server was away, it is brought up to date within three seconds", async () => {
    const one = await start();
    await one.node.ready();
    await server.stop();
    await one.ask("PUT /v1/agent/service/register", webService);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    await server.start();
    const began = performance.now();
    await until("registered", () => server.services.has("web"), 4_000);
    expect(performance.now() - began).toBeLessThan(3_500);
  }, 15_000);
});

describe("a restart", () => {
  test("keeps services, checks and their results, maintenance and tokens", async () => {
    const first = await start({ dataFolder: folder });
    await first.node.ready();
    await first.ask("PUT /v1/agent/service/register", webService, { "x-consul-token": "of-the-service" });
    await first.ask("PUT /v1/agent/check/register", { name: "disk", ttl: "1h" });
    await first.ask("PUT /v1/agent/check/pass/service:web?note=fine");
    await first.ask("PUT /v1/agent/maintenance?enable=true&reason=why");
    await stop(first);
    const second = await start({ dataFolder: folder });
    const { services, checks } = second.node.state;
    expect([...services.keys()]).toEqual(["web"]);
    expect(services.get("web")?.origin.token).toBe("of-the-service");
    expect(checks.get("service:web")).toMatchObject({ status: "passing", output: "fine" });
    expect(checks.get("disk")?.definition.probe).toEqual({ kind: "ttl", ttl: 3_600_000 });
    expect(checks.get("_node_maintenance")?.definition.notes).toBe("why");
    await second.ask("PUT /v1/agent/service/deregister/web");
    await stop(second);
    expect((await start({ dataFolder: folder })).node.state.services.size).toBe(0);
  });
});

describe("forwarding", () => {
  test("method, path, query, body, token and headers go both ways", async () => {
    server.answer = async (request) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of request.body()) pieces.push(piece);
      const { method, path } = request;
      const said = { method, path, query: `${request.query}`, token: request.header("x-consul-token") ?? "" };
      return json({ ...said, body: Buffer.concat(pieces).toString() }, { "x-consul-index": "42" });
    };
    const one = await start();
    const reply = await one.ask("PUT /v1/kv/a%2Fb?flags=3", "body", { "x-consul-token": "mine" });
    expect(reply.headers.get("x-consul-index")).toBe("42");
    expect(reply.json).toEqual({
      method: "PUT",
      path: "/v1/kv/a%2Fb",
      query: "flags=3",
      token: "mine",
      body: '"body"',
    });
    await one.node.ready();
    expect((await one.ask("GET /v1/kv/a")).json).toMatchObject({ token: "" });
  });

  test("a client that goes takes its request at the server with it", async () => {
    const began = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    server.answer = async ({ signal }) => {
      signal.addEventListener("abort", () => ended.resolve());
      began.resolve();
      await ended.promise;
      return json(null);
    };
    const one = await start();
    const gone = new AbortController();
    const asked = fetch(`http://${one.address}/v1/kv/a?index=7`, { signal: gone.signal }).catch(() => undefined);
    await began.promise;
    gone.abort();
    await ended.promise;
    await asked;
  });

  test("a long answer comes piece by piece", async () => {
    const piece = "x".repeat(100_000);
    server.answer = async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        for (let i = 0; i < 20; i++) yield piece;
      })(),
    });
    const one = await start();
    expect((await one.ask("GET /v1/snapshot")).text.length).toBe(2_000_000);
  });

  test("where no server answers, the refusal names those that were asked", async () => {
    await server.stop();
    const one = await start();
    const reply = await one.ask("GET /v1/kv/a");
    expect(reply.status).toBe(500);
    expect(reply.text).toMatch(/^No cluster leader/);
    expect(reply.text).toContain(`${server.address}: Cannot reach`);
    await server.start();
  });
});
