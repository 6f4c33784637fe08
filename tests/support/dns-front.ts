// `node dns-front.ts PORT SERVICE=ADDRESS:PORT …`: answers for these services until it is ended; says "ready" when it does.
import { systemChance, systemClock } from "@millwright/core/ports";
import { openDns } from "@millwright/node/dns";
import type { CatalogNode, Instance } from "@millwright/node/dns-catalog";

const [port, ...services] = process.argv.slice(2);
const instances = new Map(
  services.map((text): [string, Instance] => {
    const [, name = "", address = "", servicePort = ""] = /^(.*)=(.*):(\d+)$/.exec(text) ?? [];
    const bytes = Uint8Array.from(address.split("."), Number);
    const node: CatalogNode = { name: "n1", datacenter: "dc1", address: { kind: "ipv4", bytes }, meta: {} };
    const health = { health: "passing", weight: 1 } as const;
    return [name, { node, address: node.address, port: Number(servicePort), tags: [], ...health }];
  }),
);
await openDns({
  addresses: [{ host: "127.0.0.1", port: Number(port) }],
  source: {
    service: (name) => ({ value: [instances.get(name)].filter((one) => one !== undefined) }),
    node: (name) => ({ value: [...instances.values()].find(({ node }) => node.name === name)?.node }),
    owners: () => ({ value: { nodes: [], services: [] } }),
    close: async () => undefined,
  },
  nodeName: "n1",
  datacenter: "dc1",
  clock: systemClock,
  chance: systemChance,
  log: { write: (level, message, fields) => console.error(level, message, fields) },
});
console.log("ready");
