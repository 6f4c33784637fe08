import { Resolver } from "node:dns/promises";
import { ConsulClient } from "@millwright/clients/consul";
import type { Registration } from "@millwright/clients/consul-catalog";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { formatAddress, listen } from "@millwright/daemon/listener";
import { openDiscovery } from "@millwright/discovery/discovery";
import { openDns } from "@millwright/node/dns";
import { openCatalogSource } from "@millwright/node/dns-catalog-source";
import { openMemoryStore } from "@millwright/store/memory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/* What is registered at a discovery server, as the DNS front of a node answers it. */

const ports = { clock: systemClock, chance: systemChance, log: silentLog };
const identity = {
  datacenter: "dc1",
  nodeName: "server",
  nodeId: "6f1a0a9e-6f4f-4a6b-9d6a-0d8f1c7b1a11",
  address: "127.0.0.1",
  serverPort: 8300,
  version: "0.0.0",
};
const closers: (() => Promise<void>)[] = [];
const resolver = new Resolver({ timeout: 5_000, tries: 1 });
let consul: ConsulClient;
let stopServer: () => Promise<void>;

beforeAll(async () => {
  const store = openMemoryStore();
  const discovery = await openDiscovery({ store, identity, ...ports });
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: discovery.handle,
    requestId: systemChance.uuid,
    ...ports,
  });
  stopServer = async () => {
    await listener.close(100);
    await discovery.close();
    await store.close();
  };
  consul = new ConsulClient({ address: formatAddress(listener.address) }, { attempts: 1 });
  const source = openCatalogSource({ call: (read) => read(consul), ...ports });
  const addresses = [{ host: "127.0.0.1", port: 0 }];
  const dns = await openDns({ addresses, source, nodeName: "server", datacenter: "dc1", ...ports });
  resolver.setServers([`127.0.0.1:${dns.addresses[0]?.port}`]);
  closers.push(
    () => dns.close(),
    source.close,
    () => consul.close(),
  );
});
afterAll(async () => {
  for (const close of closers) await close();
});

const web = (node: string, address: string, status: "passing" | "warning" | "critical" = "passing"): Registration => ({
  node,
  address,
  service: { service: "Web", port: 8080, tags: ["V1"], weights: { passing: 7, warning: 1 } },
  checks: [{ checkId: "web", name: "web", status, serviceId: "Web" }],
});
const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : error);
const addressesOf = (name: string) => resolver.resolve4(name).then((list) => list.toSorted(), codeOf);

/** How many milliseconds it takes until a name has this answer. */
async function timeUntil(name: string, want: unknown): Promise<number> {
  const began = performance.now();
  for (;;) {
    const got = await addressesOf(name);
    const took = performance.now() - began;
    if (JSON.stringify(got) === JSON.stringify(want)) return took;
    if (took > 5_000) expect(got).toEqual(want);
    await systemClock.sleep(5);
  }
}

describe("names follow the catalog", () => {
  test("a service that was unknown a moment ago", async () => {
    expect(await addressesOf("web.service.consul")).toBe("ENOTFOUND");
    await consul.catalog.register(web("Node-1", "10.0.0.1"));
    expect(await timeUntil("web.service.consul", ["10.0.0.1"])).toBeLessThan(2_500);
    await consul.catalog.register(web("node-2", "10.0.0.2"));
    expect(await timeUntil("v1.WEB.service.dc1.consul", ["10.0.0.1", "10.0.0.2"])).toBeLessThan(2_500);
  });

  test("its ports, weights and nodes", async () => {
    const records = await resolver.resolveSrv("_web._tcp.service.consul");
    expect(records.map(({ name, port, weight }) => [name, port, weight]).toSorted()).toEqual([
      ["Node-1.node.dc1.consul", 8080, 7],
      ["node-2.node.dc1.consul", 8080, 7],
    ]);
    expect(await addressesOf("node-1.node.consul")).toEqual(["10.0.0.1"]);
    expect(await resolver.reverse("10.0.0.2")).toEqual(["node-2.node.dc1.consul"]);
  });

  test("a check that turns critical and back, a warning, a node's own check", async () => {
    await consul.catalog.register(web("node-2", "10.0.0.2", "critical"));
    expect(await timeUntil("web.service.consul", ["10.0.0.1"])).toBeLessThan(2_500);
    await consul.catalog.register(web("node-2", "10.0.0.2", "warning"));
    await timeUntil("web.service.consul", ["10.0.0.1", "10.0.0.2"]);
    const serfHealth = { checkId: "serfHealth", name: "serf", status: "critical" } as const;
    await consul.catalog.register({ node: "node-2", address: "10.0.0.2", checks: [serfHealth] });
    expect(await timeUntil("web.service.consul", ["10.0.0.1"])).toBeLessThan(2_500);
    expect(await addressesOf("node-2.node.consul")).toEqual(["10.0.0.2"]);
  });

  test("what is removed, and datacenters that are not there", async () => {
    await consul.catalog.deregister({ node: "Node-1" });
    await timeUntil("web.service.consul", "ENOTFOUND");
    await timeUntil("node-1.node.consul", "ENOTFOUND");
    expect(await addressesOf("web.service.dc9.consul")).toBe("ENOTFOUND");
  });

  test("and are answered on when the server is gone", async () => {
    await consul.catalog.register(web("node-3", "10.0.0.3"));
    await timeUntil("web.service.consul", ["10.0.0.3"]);
    await stopServer();
    await systemClock.sleep(50);
    expect(await addressesOf("web.service.consul")).toEqual(["10.0.0.3"]);
    expect(await addressesOf("never-asked.service.consul")).toBe("ESERVFAIL");
  });
});
