import type { HostAddress } from "./host-address.ts";

/**
 * What DNS asks of the catalog. Answers are complete and not to be changed; the same array is given again as long as
 * nothing has changed. A promise where it must be fetched first; it rejects with an operational error where the servers
 * do not answer. Names are in lower case; `datacenter` undefined is this node's own.
 */
export interface CatalogSource {
  /** All instances of a service, whatever their health; none where it is not known. */
  service(name: string, datacenter: string | undefined): Lookup<readonly Instance[]>;
  /** Undefined where there is no such node. */
  node(name: string, datacenter: string | undefined): Lookup<CatalogNode | undefined>;
  /** Who has an address (`addressKey`). */
  owners(address: string): Lookup<AddressOwners>;
  /** Ends its watches. */
  close(): Promise<void>;
}

export type Lookup<T> = Found<T> | Promise<Found<T>>;

/** In an object, so that a promise can be told from what it is for. */
export interface Found<T> {
  readonly value: T;
}

export interface CatalogNode {
  readonly name: string;
  readonly datacenter: string;
  readonly address: HostAddress;
  readonly meta: Readonly<Record<string, string>>;
}

/** One instance of a service on its node. */
export interface Instance {
  readonly node: CatalogNode;
  /** That of the node where the service has none of its own. */
  readonly address: HostAddress;
  readonly port: number;
  /** In lower case. */
  readonly tags: readonly string[];
  /** The worst of its checks and those of its node. */
  readonly health: "passing" | "warning" | "critical";
  /** How much of the load it takes as its health is. */
  readonly weight: number;
}

/** Names of what has an address; empty lists where nobody has it. */
export interface AddressOwners {
  readonly nodes: readonly string[];
  readonly services: readonly string[];
}
