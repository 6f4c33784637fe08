import { folded, joined, jsonTable } from "@millwright/records/table";

export type Text = Readonly<Record<string, string>>;

/** A machine, or whatever services are registered on; the record's key is its folded name. */
export interface NodeRecord {
  readonly name: string;
  /** A UUID in lower case; empty for a node that was registered without one. */
  readonly id: string;
  readonly address: string;
  readonly taggedAddresses: Text | null;
  readonly meta: Text | null;
}

/** One instance of a service; its key is {@link serviceKey}. */
export interface ServiceRecord {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Empty where it is the node's. */
  readonly address: string;
  readonly taggedAddresses: Readonly<Record<string, ServiceAddress>> | null;
  readonly meta: Text | null;
  readonly port: number;
  readonly socketPath: string;
  readonly weights: { readonly passing: number; readonly warning: number };
  readonly enableTagOverride: boolean;
}

export interface ServiceAddress {
  readonly address: string;
  readonly port: number;
}

export type CheckStatus = "passing" | "warning" | "critical";

/** A check's last known state; its key is {@link checkKey}. */
export interface CheckRecord {
  readonly node: string;
  readonly checkId: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly notes: string;
  readonly output: string;
  /** Empty for a check of the whole node. */
  readonly serviceId: string;
  readonly serviceName: string;
  readonly serviceTags: readonly string[];
  readonly type: string;
  readonly interval: string;
  readonly timeout: string;
  readonly exposedPort: number;
  /** As it was given, in the public form: it is shown, and run by whoever watches from outside. */
  readonly definition: Readonly<Record<string, unknown>>;
}

export function nodeKey(node: string): string {
  return folded(node);
}

export function serviceKey(node: string, id: string): string {
  return joined(folded(node), folded(id));
}

export function checkKey(node: string, checkId: string): string {
  return joined(folded(node), folded(checkId));
}

/** The start of the keys of all services, or of all checks, of a node. */
export function onNode(node: string): string {
  return `${joined(folded(node))}/`;
}

export const nodeTable = jsonTable<NodeRecord>({
  fields: { name: true, id: true, address: true, taggedAddresses: true, meta: true },
  lists: ({ name, id }) => [nodeLists.name(name), ...(id === "" ? [] : [nodeLists.id(id)])],
});

export const nodeLists = {
  name: (node: string) => joined("name", folded(node)),
  id: (id: string) => joined("id", folded(id)),
} as const;

export const serviceTable = jsonTable<ServiceRecord>({
  fields: {
    node: true,
    id: true,
    name: true,
    tags: true,
    address: true,
    taggedAddresses: true,
    meta: true,
    port: true,
    socketPath: true,
    weights: true,
    enableTagOverride: true,
  },
  lists: ({ node, name }) => [serviceLists.of(name), serviceLists.on(node)],
});

export const serviceLists = {
  /** The instances of a service. */
  of: (service: string) => joined("of", folded(service)),
  on: (node: string) => joined("on", folded(node)),
} as const;

export const checkTable = jsonTable<CheckRecord>({
  fields: {
    node: true,
    checkId: true,
    name: true,
    status: true,
    notes: true,
    output: true,
    serviceId: true,
    serviceName: true,
    serviceTags: true,
    type: true,
    interval: true,
    timeout: true,
    exposedPort: true,
    definition: true,
  },
  lists: ({ node, serviceId, serviceName, status }) => [
    checkLists.on(node),
    checkLists.state(status),
    ...(serviceId === ""
      ? [checkLists.general(node)]
      : [checkLists.instance(node, serviceId), checkLists.of(serviceName)]),
  ],
});

export const checkLists = {
  /** All checks on a node. */
  on: (node: string) => joined("on", folded(node)),
  /** Those about the whole node. */
  general: (node: string) => joined("general", folded(node)),
  /** Those about one instance of a service. */
  instance: (node: string, serviceId: string) => joined("instance", folded(node), folded(serviceId)),
  /** Those about any instance of a service. */
  of: (service: string) => joined("of", folded(service)),
  state: (status: CheckStatus) => joined("state", status),
} as const;
