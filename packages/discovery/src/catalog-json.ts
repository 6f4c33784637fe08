import type { CheckRecord } from "./catalog-records.ts";
import type { Row } from "./tables.ts";

/** What the public forms need beside the rows. */
export interface Shown {
  readonly datacenter: string;
  /** The public index of a revision. */
  indexOf(revision: number): number;
  /** Whether fields are there that are left out of an answer where they are empty: a filter may ask for them. */
  readonly whole?: boolean;
}

/** What one instance of a service is shown with. */
export interface Instance {
  readonly node: Row<"node">;
  readonly service: Row<"service">;
}

/** Where the mesh would say more: this server has none. */
const noProxy = { Mode: "", MeshGateway: {}, Expose: {} } as const;

export function nodeJson(node: Row<"node">, shown: Shown): object {
  return {
    ID: node.id,
    Node: node.name,
    Address: node.address,
    Datacenter: shown.datacenter,
    TaggedAddresses: node.taggedAddresses,
    Meta: node.meta,
    ...indexes(node, shown),
  };
}

/** As `/v1/catalog/service/NAME` has it: an instance and its node in one. */
export function catalogServiceJson({ node, service }: Instance, shown: Shown): object {
  return {
    ID: node.id,
    Node: node.name,
    Address: node.address,
    Datacenter: shown.datacenter,
    TaggedAddresses: node.taggedAddresses,
    NodeMeta: node.meta,
    ServiceKind: "",
    ServiceID: service.id,
    ServiceName: service.name,
    ServiceTags: service.tags,
    ServiceAddress: service.address,
    ...((shown.whole || hasAddresses(service)) && { ServiceTaggedAddresses: addressesJson(service) }),
    ServiceWeights: weightsJson(service),
    ServiceMeta: service.meta ?? {},
    ServicePort: service.port,
    ServiceSocketPath: service.socketPath,
    ServiceEnableTagOverride: service.enableTagOverride,
    ServiceProxy: noProxy,
    ServiceConnect: {},
    ServiceLocality: null,
    ...indexes(service, shown),
  };
}

/** As it stands under a node, and in a health answer. */
export function serviceJson(service: Row<"service">, shown: Shown): object {
  return {
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Address: service.address,
    ...((shown.whole || hasAddresses(service)) && { TaggedAddresses: addressesJson(service) }),
    Meta: service.meta,
    ...((shown.whole || service.port !== 0) && { Port: service.port }),
    ...((shown.whole || service.socketPath !== "") && { SocketPath: service.socketPath }),
    Weights: weightsJson(service),
    EnableTagOverride: service.enableTagOverride,
    Proxy: noProxy,
    Connect: {},
    PeerName: "",
    ...indexes(service, shown),
  };
}

export function checkJson(check: Row<"check">, shown: Shown): object {
  return {
    Node: check.node,
    CheckID: check.checkId,
    Name: check.name,
    Status: check.status,
    Notes: check.notes,
    Output: check.output,
    ServiceID: check.serviceId,
    ServiceName: check.serviceName,
    ServiceTags: check.serviceTags,
    Type: check.type,
    Interval: check.interval,
    Timeout: check.timeout,
    ExposedPort: check.exposedPort,
    Definition: check.definition,
    ...indexes(check, shown),
  };
}

/** One line of `/v1/health/service/NAME`. */
export function healthJson(
  { node, service, checks }: Instance & { readonly checks: readonly Row<"check">[] },
  shown: Shown,
): object {
  return {
    Node: nodeJson(node, shown),
    Service: serviceJson(service, shown),
    Checks: checks.map((check) => checkJson(check, shown)),
  };
}

/** The worst state among checks; passing where there is none. */
export function worstStatus(checks: readonly CheckRecord[]): CheckRecord["status"] {
  if (checks.some(({ status }) => status === "critical")) return "critical";
  return checks.some(({ status }) => status === "warning") ? "warning" : "passing";
}

function indexes(row: { readonly created: number; readonly modified: number }, { indexOf }: Shown): object {
  return { CreateIndex: indexOf(row.created), ModifyIndex: indexOf(row.modified) };
}

function weightsJson({ weights }: Row<"service">): object {
  return { Passing: weights.passing, Warning: weights.warning };
}

function hasAddresses({ taggedAddresses }: Row<"service">): boolean {
  return taggedAddresses !== null && Object.keys(taggedAddresses).length > 0;
}

function addressesJson({ taggedAddresses }: Row<"service">): object {
  const entries = Object.entries(taggedAddresses ?? {});
  return Object.fromEntries(entries.map(([name, { address, port }]) => [name, { Address: address, Port: port }]));
}
