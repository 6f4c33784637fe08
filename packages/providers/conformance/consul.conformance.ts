import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { ConsulClient } from "@millwright/clients/consul";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consulProvider } from "../src/consul/provider.ts";

const isHere = spawnSync("consul", ["version"], { encoding: "utf8" }).stdout?.startsWith("Consul v") ?? false;

const recorded = JSON.parse(
  readFileSync(new URL("../testdata/states/consul-services.json", import.meta.url), "utf8"),
) as readonly { type: string; config: Record<string, unknown>; attributes: Record<string, unknown> }[];

describe.runIf(isHere)("with a real Consul", () => {
  let agent: ChildProcess;
  let client: ConsulClient;
  let provider: Provider;

  beforeAll(async () => {
    const [http, rpc, serf] = [await freePort(), await freePort(), await freePort()];
    const off = ["-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-serf-wan-port=-1"];
    const ports = [`-http-port=${http}`, `-server-port=${rpc}`, `-serf-lan-port=${serf}`];
    agent = spawn("consul", ["agent", "-dev", "-bind=127.0.0.1", ...off, ...ports], { stdio: "ignore" });
    const address = `127.0.0.1:${http}`;
    client = new ConsulClient({ address });
    for (let i = 0; i < 100; i++) {
      const isUp = await client.catalog.nodes().then(
        ({ value }) => value.length > 0,
        () => false,
      );
      if (isUp) break;
      await pause(100);
    }
    provider = consulProvider({ CONSUL_HTTP_ADDR: address }).start();
    await configureForTest(provider);
  });
  afterAll(async () => {
    await provider?.close();
    await client?.close();
    agent.kill("SIGKILL");
    if (agent.exitCode === null && agent.signalCode === null) await once(agent, "close");
  });

  test("nodes and services keep the provider contract", async () => {
    await client.catalog.register({ node: "outside", address: "10.0.0.2" });
    const check = { check_id: "tcp", name: "reached", tcp: "10.0.0.2:80", interval: "10s", timeout: "90s" };
    const web = { name: "web", node: "outside", port: 80, tags: ["b", "a"], meta: { k: "v" } };
    const node = { name: "ext", address: "10.0.0.1" };
    const lives = [
      { type: "consul_node", config: node, changes: [{ ...node, meta: { role: "db" } }], importId: () => "ext" },
      {
        type: "consul_service",
        config: { name: "plain", node: "outside" },
        changes: [
          { ...web, check: [{ ...check, header: [{ name: "x", value: ["1", "2"] }] }] },
          { ...web, service_id: "web-1", check: [{ ...check, status: "passing" }], enable_tag_override: true },
          { ...web, service_id: "web-1", address: "10.1.1.1", tags: [], meta: {} },
        ],
      },
    ];
    for (const life of lives)
      expect(await contractViolations(provider, { ...life, interrupted: "present" })).toEqual([]);
  });

  test("are written as the registry's provider writes them", async () => {
    for (const { type, config, attributes } of recorded) {
      const { check: _, ...want } = attributes;
      const { plain, diagnostics } = await (await Drive.of(provider, type)).apply(config);
      expect({ plain, diagnostics }).toMatchObject({ plain: want, diagnostics: [] });
    }
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
