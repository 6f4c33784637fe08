import type { NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import type { NodeFacts } from "../allocation/host.ts";
import type { NodeFingerprint } from "../fingerprint/fingerprint.ts";
import type { ClientSettings } from "./settings.ts";

/** Who a node is, apart from what was found out about its machine. */
export interface NodeSelf {
  readonly id: string;
  readonly name: string;
  /** Discovery's. */
  readonly datacenter: string;
  /** Under which it and its tasks are reached. */
  readonly address: string;
  /** Of this program. */
  readonly version: string;
  /** The version of Consul whose API discovery follows. */
  readonly discoveryVersion: string;
}

/** What a node says of itself to the servers of jobs. */
export function registrationOf(
  self: NodeSelf,
  settings: ClientSettings,
  found: NodeFingerprint,
  reached: { readonly httpAddress: string; readonly key: string },
): NodeRegistration {
  return {
    ID: self.id,
    Name: self.name,
    Datacenter: settings.datacenter ?? self.datacenter,
    Region: settings.region ?? "",
    NodeClass: settings.nodeClass ?? "",
    NodePool: settings.nodePool ?? "default",
    Meta: settings.meta ?? {},
    ...found,
    HTTPAddress: reached.httpAddress,
    Address: self.address,
    Key: reached.key,
    Version: self.version,
  };
}

/** What tasks see of their node; `region` is asked for each time, as the servers say it. */
export function factsOf(registration: NodeRegistration, region: () => string): NodeFacts {
  const { ID, Name, Datacenter, NodePool, NodeClass, Address, Attributes, Meta } = registration;
  return {
    id: ID,
    name: Name,
    get region() {
      return region();
    },
    datacenter: Datacenter,
    pool: NodePool,
    nodeClass: NodeClass,
    address: Address,
    attributes: Attributes,
    meta: Meta,
  };
}

/**
 * A later look at the machine, without what changes all the time and nobody is to be told of: how full its disk is. What a server
 * program says of itself while it can be reached stays.
 */
export function refreshed(before: NodeFingerprint, now: NodeFingerprint): NodeFingerprint {
  const lasting = Object.entries(before.Attributes).filter(([name]) => isLasting(name));
  return {
    ...now,
    Attributes: { ...now.Attributes, ...Object.fromEntries(lasting) },
    Resources: { ...now.Resources, DiskMB: before.Resources.DiskMB },
  };
}

function isLasting(attribute: string): boolean {
  return attribute.startsWith("unique.storage.") || attribute.startsWith("vault.");
}
