import type { AddressOwners, CatalogNode, CatalogSource, Instance } from "../../src/dns/catalog.ts";
import { addressKey, parseHostAddress } from "../../src/dns/host-address.ts";

/** What a test says of one instance; the rest has defaults. */
export interface InstanceText {
  readonly node: string;
  readonly nodeAddress: string;
  readonly datacenter?: string;
  readonly meta?: Readonly<Record<string, string>>;
  /** That of the node by default. */
  readonly address?: string;
  readonly port?: number;
  readonly tags?: readonly string[];
  readonly health?: Instance["health"];
  readonly weight?: number;
}

/** A catalog in memory that the test changes as it likes. Its answers come at once. */
export class FixedCatalog implements CatalogSource {
  readonly services = new Map<string, readonly Instance[]>();
  readonly nodes = new Map<string, CatalogNode>();

  set(service: string, instances: readonly InstanceText[]): void {
    const made = instances.map(makeInstance);
    this.services.set(service, made);
    for (const { node } of made) this.nodes.set(node.name, node);
  }

  service(name: string, datacenter: string | undefined) {
    return { value: datacenter === undefined ? (this.services.get(name) ?? []) : [] };
  }

  node(name: string, datacenter: string | undefined) {
    return { value: datacenter === undefined ? this.nodes.get(name) : undefined };
  }

  owners(address: string): { readonly value: AddressOwners } {
    const isIt = (one: CatalogNode["address"]) => "bytes" in one && addressKey(one.bytes) === address;
    const nodes = [...this.nodes.values()].filter((node) => isIt(node.address)).map(({ name }) => name);
    const services = [...this.services].filter(([, instances]) => instances.some((one) => isIt(one.address)));
    return { value: { nodes, services: services.map(([name]) => name) } };
  }

  async close(): Promise<void> {
    this.services.clear();
  }
}

function makeInstance(text: InstanceText): Instance {
  const { node: name, nodeAddress, datacenter = "dc1", meta = {} } = text;
  const node = { name, datacenter, address: parseHostAddress(nodeAddress), meta };
  return {
    node,
    address: text.address === undefined ? node.address : parseHostAddress(text.address),
    port: text.port ?? 80,
    tags: text.tags ?? [],
    health: text.health ?? "passing",
    weight: text.weight ?? 1,
  };
}
