import type { VaultSecret } from "@millwright/clients/vault";
import type { TemplateValue } from "@millwright/template/value";
import type { Source } from "./source.ts";

/** A source that Consul's API answers. */
export type ConsulSource = Extract<
  Source,
  { readonly kind: "key" | "tree" | "service" | "services" | "node" | "nodes" | "datacenters" }
>;

export interface ConsulReadPosition {
  /** Answer when the result has passed this index; 0 answers at once. */
  readonly index: number;
  readonly waitMilliseconds: number;
  readonly mayBeStale: boolean;
  readonly signal: AbortSignal;
}

/** A result as templates see it. An index of 0 says that there are no blocking reads of it. */
export interface ConsulAnswer {
  readonly value: TemplateValue;
  readonly index: number;
  /** Milliseconds since the server that answered heard of its leader. */
  readonly lastContact: number;
}

/** What rendering needs of a server that speaks Consul's API. Rejects with operational errors. */
export interface ConsulPort {
  readonly address: string;
  read(source: ConsulSource, position: ConsulReadPosition): Promise<ConsulAnswer>;
}

/** The engine that a path belongs to. */
export interface VaultMount {
  /** With a slash at its end. */
  readonly path: string;
  readonly type: string;
  /** Of a `kv` engine: `1` or `2`. */
  readonly version: string;
}

/** What rendering needs of a server that speaks Vault's API. Rejects with operational errors that hold no secret. */
export interface VaultPort {
  readonly address: string;
  read(
    path: string,
    query: Readonly<Record<string, readonly string[]>>,
    signal: AbortSignal,
  ): Promise<VaultSecret | undefined>;
  write(path: string, data: unknown, signal: AbortSignal): Promise<VaultSecret | undefined>;
  list(path: string, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** Undefined where the server does not tell. */
  mountOf(path: string, signal: AbortSignal): Promise<VaultMount | undefined>;
  renewLease(leaseId: string, incrementSeconds: number, signal: AbortSignal): Promise<VaultSecret>;
  revokeLease(leaseId: string, signal: AbortSignal): Promise<void>;
  /** How long the own token lives. */
  lookupSelf(signal: AbortSignal): Promise<VaultSecret>;
  renewSelf(incrementSeconds: number, signal: AbortSignal): Promise<VaultSecret>;
}

export interface Servers {
  readonly consul: ConsulPort;
  readonly vault: VaultPort;
}
