// The DNS front of a node, in a process of its own, over a server that has the services `web` (3 instances) and `large` (50).
// Says its port; on SIGTERM the 99.9th percentile of its event loop's delay in milliseconds, and ends.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { ConsulClient } from "@millwright/clients/consul";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { openDns } from "@millwright/node/dns";
import { openCatalogSource } from "@millwright/node/dns-catalog-source";

const entry = (_: unknown, i: number) => ({
  Node: { Node: `node${i}`, Address: `10.0.0.${i + 1}`, Datacenter: "dc1" },
  Service: { Service: "web", Port: 8000 + i, Weights: { Passing: 1, Warning: 1 } },
  Checks: [{ Status: "passing" }],
});
const services = new Map([
  ["/v1/health/service/web", Array.from({ length: 3 }, entry)],
  ["/v1/health/service/large", Array.from({ length: 50 }, entry)],
]);
// A blocking read waits here for a change that does not come, as for a stable service.
const catalog = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://catalog");
  if (url.searchParams.has("index")) return;
  response.setHeader("x-consul-index", 1);
  response.end(JSON.stringify(services.get(url.pathname) ?? []));
});
await new Promise<void>((resolve) => catalog.listen(0, "127.0.0.1", resolve));
const client = new ConsulClient({ address: `127.0.0.1:${(catalog.address() as AddressInfo).port}` });
const ports = { clock: systemClock, chance: systemChance, log: silentLog };
const dns = await openDns({
  addresses: [{ host: "127.0.0.1", port: 0 }],
  source: openCatalogSource({ call: (read) => read(client), ...ports }),
  nodeName: "node0",
  datacenter: "dc1",
  ...ports,
});
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on("SIGTERM", () => {
  console.log(`delay ${(delay.percentile(99.9) / 1e6).toFixed(1)}`);
  process.exit(0);
});
console.log(`port ${dns.addresses[0]?.port}`);
