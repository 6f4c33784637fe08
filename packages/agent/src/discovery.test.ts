import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConsulClient } from "@millwright/clients/consul";
import { systemClock } from "@millwright/core/ports";
import Consul from "consul";
import { afterEach, describe, expect, test } from "vitest";
import { joinToken, masterToken, type RealDiscovery, realDiscovery } from "../test/real-discovery.ts";
import { type AgentConfig, type RunningAgent, startAgent } from "./agent.ts";

// Agents over a real server of discovery, as users' clients see them.
const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function server(policy: "none" | "deny" = "none"): Promise<RealDiscovery> {
  const real = await realDiscovery(policy);
  opened.push(() => real.close());
  return real;
}

async function agent(real: RealDiscovery, nodeName: string, config: Partial<AgentConfig> = {}): Promise<RunningAgent> {
  const running = await startAgent({
    servers: [real.address],
    joinToken: async () => joinToken,
    nodeName,
    http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    dns: [{ host: "127.0.0.1", port: 0 }],
    ...config,
  });
  opened.push(() => running.close());
  await running.ready();
  return running;
}

function portOf({ http: [first] }: RunningAgent): number {
  return first?.kind === "tcp" ? first.port : 0;
}

function npmClient(running: RunningAgent): Consul {
  return new Consul({ host: "127.0.0.1", port: portOf(running) });
}

async function until(what: string, holds: () => Promise<unknown>, milliseconds = 5_000): Promise<void> {
  const giveUp = systemClock.monotonic() + milliseconds;
  while (!(await holds())) {
    if (systemClock.monotonic() > giveUp) throw new Error(`waited in vain: ${what}`);
    await systemClock.sleep(20);
  }
}

describe("the npm client", () => {
  test("registers, reports, lists and deregisters services and checks", async () => {
    const consul = npmClient(await agent(await server(), "a1"));
    await consul.agent.service.register({
      name: "web",
      id: "w1",
      tags: ["v1"],
      port: 80,
      check: { name: "alive", ttl: "30s", timeout: "1s" },
    });
    await consul.agent.check.register({ name: "disk", ttl: "15s", notes: "n", timeout: "1s" });
    expect(await consul.agent.service.list()).toMatchObject({
      w1: { ID: "w1", Service: "web", Tags: ["v1"], Port: 80 },
    });
    await consul.agent.check.pass("service:w1");
    await consul.agent.check.warn({ id: "disk", note: "full" });
    expect(await consul.agent.checks()).toMatchObject({
      "service:w1": { Status: "passing", ServiceName: "web" },
      disk: { Status: "warning", Output: "full", Notes: "n" },
    });
    // A warning of the node is one of all its services.
    await consul.agent.check.pass("disk");
    await until(
      "passing in the catalog",
      async () => ((await consul.health.service({ service: "web", passing: true })) as unknown[]).length === 1,
    );
    await consul.agent.check.fail("service:w1");
    await until(
      "out of the catalog's healthy ones",
      async () => ((await consul.health.service({ service: "web", passing: true })) as unknown[]).length === 0,
    );
    await consul.agent.check.deregister("disk");
    await consul.agent.service.deregister("w1");
    await until("gone from the catalog", async () => !("web" in ((await consul.catalog.services()) as object)));
  });

  test("sees the members and itself", async () => {
    const real = await server();
    const first = await agent(real, "a1");
    await agent(real, "a2");
    const consul = npmClient(first);
    const members = (await consul.agent.members()) as { Name: string; Status: number }[];
    expect(members.map(({ Name, Status }) => `${Name} ${Status}`).toSorted()).toEqual(["a1 1", "a2 1"]);
    expect(await consul.agent.self()).toMatchObject({ Config: { NodeName: "a1", NodeID: first.nodeId } });
  });

  test("puts service and node under maintenance, and lifts it", async () => {
    const consul = npmClient(await agent(await server(), "a1"));
    await consul.agent.service.register("web");
    const healthy = async () => ((await consul.health.service({ service: "web", passing: true })) as unknown[]).length;
    await until("healthy", async () => (await healthy()) === 1);
    await consul.agent.service.maintenance({ id: "web", enable: true, reason: "update" });
    await until("the service out of use", async () => (await healthy()) === 0);
    await consul.agent.service.maintenance({ id: "web", enable: false });
    await until("in use again", async () => (await healthy()) === 1);
    await consul.agent.maintenance(true);
    await until("the node out of use", async () => (await healthy()) === 0);
    await consul.agent.maintenance(false);
    await until("in use again", async () => (await healthy()) === 1);
  });

  test("has an agent without servers join, and a node leave", async () => {
    const real = await server();
    const alone = await startAgent({
      servers: [],
      nodeName: "a1",
      joinToken: async () => joinToken,
      http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      dns: [],
    });
    opened.push(() => alone.close());
    const consul = npmClient(alone);
    await consul.agent.join(real.address);
    expect((await consul.catalog.node.list()) as object[]).toMatchObject([{ Node: "a1" }]);
    await alone.leave();
    expect(await consul.catalog.node.list()).toEqual([]);
  });

  test("reads, writes, watches and locks keys through the agent", async () => {
    const consul = npmClient(await agent(await server(), "a1"));
    await consul.kv.set("k", "1");
    const watch = consul.watch({ method: consul.kv.get as never, options: { key: "k", wait: "5s" } });
    const next = () => new Promise<{ Value: string }>((resolve) => watch.once("change", resolve));
    const first = await next();
    const changed = next();
    await consul.kv.set("k", "2");
    expect([first.Value, (await changed).Value]).toEqual(["1", "2"]);
    watch.end();
    const { ID } = (await consul.session.create({ name: "s", ttl: "30s" })) as { ID: string };
    expect(await consul.kv.set({ key: "lock", value: "v", acquire: ID })).toBe(true);
    expect(await consul.session.list()).toMatchObject([{ ID, Node: "a1" }]);
  });
});

describe("names", () => {
  test("a service answers over DNS while its check passes", async () => {
    const running = await agent(await server(), "a1", { advertiseAddress: "10.1.2.3" });
    const client = new ConsulClient({ address: `127.0.0.1:${portOf(running)}` });
    opened.push(() => client.close());
    const resolver = new Resolver();
    resolver.setServers(running.dns.map(({ host, port }) => `${host}:${port}`));
    const addresses = (): Promise<string[]> => resolver.resolve4("web.service.consul").catch(() => []);
    await client.agent.registerService({ Name: "web", Port: 80, Check: { TTL: "1h" } });
    await client.agent.passCheck("service:web");
    await until("answers", async () => (await addresses()).includes("10.1.2.3"));
    await client.agent.failCheck("service:web");
    await until("answers no more", async () => (await addresses()).length === 0);
  });
});

describe("identity and access", () => {
  test("a wrong join token is refused, and said", async () => {
    const real = await server();
    const lines: string[] = [];
    const log = {
      write: (_: string, message: string, fields: object = {}) =>
        void lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const running = await startAgent({
      servers: [real.address],
      joinToken: async () => "wrong",
      nodeName: "a1",
      http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      dns: [],
      log,
    });
    opened.push(() => running.close());
    await until("said", async () => lines.some((line) => line.includes("Permission denied")));
    expect(lines.join("\n")).not.toContain("wrong");
  });

  test("a name that a living node has is refused to another one", async () => {
    const real = await server();
    await agent(real, "a1");
    const lines: string[] = [];
    const log = {
      write: (_: string, message: string, fields: object = {}) =>
        void lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const thief = await startAgent({
      servers: [real.address],
      joinToken: async () => joinToken,
      nodeName: "a1",
      http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      dns: [],
      log,
    });
    opened.push(() => thief.close());
    await until("said", async () => lines.some((line) => /node: joining.*a1/.test(line)));
  });

  test("where the servers deny, the node does what it may, and its clients what their tokens allow", async () => {
    const running = await agent(await server("deny"), "a1", {
      services: [{ name: "own", check: { ttl: "1h", status: "passing" } }],
    });
    const anonymous = new ConsulClient({ address: `127.0.0.1:${portOf(running)}` }, { attempts: 1 });
    const master = new ConsulClient({ address: `127.0.0.1:${portOf(running)}`, token: masterToken });
    opened.push(
      () => anonymous.close(),
      () => master.close(),
    );
    await until(
      "the node's own service is in the catalog",
      async () => (await master.health.service("own", { passing: true })).value.length === 1,
    );
    await expect(anonymous.agent.registerService({ Name: "web" })).rejects.toThrow(
      /403: Permission denied: .*'service:write' on "web"/,
    );
    expect(await anonymous.agent.services()).toEqual([]);
    await master.agent.registerService({ Name: "web" });
    await until("registered", async () => (await master.catalog.service("web")).value.length === 1);
    await expect(anonymous.agentSelf()).rejects.toThrow(/403/);
  });
});

describe("an agent that is killed", () => {
  test("is out of the healthy ones, over DNS and HTTP, within fifteen seconds, and back when it starts again", async () => {
    const real = await server();
    const watcher = await agent(real, "a1");
    const client = new ConsulClient({ address: `127.0.0.1:${portOf(watcher)}` });
    opened.push(() => client.close());
    const folder = await mkdtemp(join(tmpdir(), "agent-killed-"));
    opened.push(() => rm(folder, { recursive: true }));
    const program = fileURLToPath(new URL("../test/crash-agent.ts", import.meta.url));
    const startProcess = () => {
      const stdio = ["ignore", "ignore", "inherit"] as const;
      const child = spawn(process.execPath, [program, folder, joinToken, real.address], { stdio: [...stdio] });
      opened.push(async () => child.kill("SIGKILL"));
      return child;
    };
    const resolver = new Resolver();
    resolver.setServers(watcher.dns.map(({ host, port }) => `${host}:${port}`));
    const named = () =>
      resolver.resolve4("web.service.consul").then(
        () => true,
        () => false,
      );
    const healthy = async () => (await client.health.service("web", { passing: true })).value.length;
    const child = startProcess();
    await until("joined", async () => (await client.catalog.node("crash")).value);
    const said = () => readFile(join(folder, "running.json"), "utf8").catch(() => "");
    await until("where it answers", async () => (await said()) !== "");
    const { http } = JSON.parse(await said()) as { http: string[] };
    const own = new ConsulClient({ address: http[0] ?? "" });
    opened.push(() => own.close());
    await own.agent.registerService({ Name: "web" });
    await until("healthy", async () => (await healthy()) === 1 && (await named()));
    child.kill("SIGKILL");
    const began = systemClock.monotonic();
    await until("out", async () => (await healthy()) === 0 && !(await named()), 15_000);
    expect(systemClock.monotonic() - began).toBeGreaterThan(1_000);
    startProcess();
    await until("back", async () => (await healthy()) === 1 && (await named()), 5_000);
    expect((await client.catalog.node("crash")).value?.services.map(({ id }) => id)).toEqual(["web"]);
  }, 40_000);
});

describe("a server that goes and comes back", () => {
  test("finds all that has changed within three seconds", async () => {
    const real = await server();
    const running = await agent(real, "a1");
    const client = new ConsulClient({ address: `127.0.0.1:${portOf(running)}` }, { attempts: 1 });
    opened.push(() => client.close());
    await client.agent.registerService({ Name: "web", Check: { TTL: "1h", Status: "passing" } });
    await until("registered", async () => (await client.health.service("web", { passing: true })).value.length === 1);
    await real.stop();
    await expect(client.kv.get("k")).rejects.toThrow(/No cluster leader: no server could be reached/);
    await client.agent.failCheck("service:web");
    await client.agent.registerService({ Name: "new" });
    await systemClock.sleep(4_000);
    await real.start();
    const began = systemClock.monotonic();
    const isThere = async () => {
      const [web, fresh] = await Promise.all([
        client.health.service("web", { passing: true }),
        client.catalog.service("new"),
      ]).catch(() => []);
      return web?.value.length === 0 && fresh?.value.length === 1;
    };
    await until("brought up to date", isThere, 6_000);
    expect(systemClock.monotonic() - began).toBeLessThan(3_500);
  }, 20_000);
});
