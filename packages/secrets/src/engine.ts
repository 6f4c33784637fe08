import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { SecretStorage } from "./storage.ts";

/**
 * What is mounted: a secrets engine (`kv`, `database`) or an auth method (`jwt`, `token`). An engine knows its own paths
 * and its own storage; who may call it, and what becomes of leases and tokens, is decided around it.
 */
export interface EngineType {
  /** As it is named in `sys/mounts` or `sys/auth`. */
  readonly name: string;
  readonly class: "secret" | "auth";
  /** What is wrong with a mount's options, before anything is mounted; nothing where they are right. */
  checkOptions?(options: Readonly<Record<string, string>>): string | undefined;
  /** What forbids that a mount's options change so, in `sys/mounts/PATH/tune`; nothing where they may. */
  checkTune?(from: Readonly<Record<string, string>>, to: Readonly<Record<string, string>>): string | undefined;
  /** Called at unseal and at a new mount. The engine may begin work in the background, to be ended by `close`. */
  open(context: EngineContext): Promise<Engine>;
}

export interface EngineContext {
  readonly mount: Mount;
  readonly storage: SecretStorage;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** One mount, as it stands in the mount table. */
export interface Mount {
  readonly uuid: string;
  readonly accessor: string;
  /** Ends with a slash: `secret/`, `auth/token/`. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  /** Seconds. */
  readonly defaultLeaseTtl: number;
  /** Seconds. */
  readonly maxLeaseTtl: number;
  readonly options: Readonly<Record<string, string>>;
}

export type Operation = "create" | "read" | "update" | "patch" | "delete" | "list";

/** One request to an engine, after permission was checked. */
export interface EngineRequest {
  readonly operation: Operation;
  /** Below the mount, without a leading slash: `creds/readonly`. */
  readonly path: string;
  /** The body of a write, or the query of a read: as outside input it is yet to be checked. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Who asks; nobody where the path is open to everyone (a login). */
  readonly caller?: Caller;
  /** Of the client's, `address:port`. */
  readonly remote: string;
  /** Whether the caller has `sudo` on this path, as `root` has everywhere; absent means no. */
  readonly sudo?: boolean;
  /** The caller's token itself: given to the token engine alone, which tells it to its holder again. */
  readonly clientToken?: string;
}

/** Names a token without giving it away: the keyed hash that it is stored under. Minted by the token store. */
export type TokenId = string & { readonly __brand: "TokenId" };

/** Whose token a request came with. */
export interface Caller {
  readonly token: TokenId;
  readonly accessor: string;
  /** `root`, `token-deploy`, `jwt-…`. */
  readonly displayName: string;
  readonly policies: readonly string[];
}

export interface Engine {
  /** Paths (below the mount) that need no token: exact, or with `*` at the end. */
  readonly openPaths?: readonly string[];
  /** Paths that need `sudo` beside their capability; same form. */
  readonly sudoPaths?: readonly string[];
  /** The one spelling of a path, where several mean the same: policies must allow both what was asked and this. */
  onePath?(path: string): string;
  /** Whether a write to this path is an update; where there is no such call every write is one. */
  exists?(request: EngineRequest): Promise<boolean>;
  handle(request: EngineRequest): Promise<EngineReply>;
  /** Extends what a lease stands for to `expires` (milliseconds since 1970). Rejects where that fails: the lease stays as it was. */
  renewLease?(lease: HeldLease, expires: number): Promise<void>;
  /** Takes back what a lease stands for; of what is gone already, nothing happens. Rejects where it must be tried again. */
  revokeLease?(lease: HeldLease): Promise<void>;
  /** Ends its work in the background, and its connections. */
  close?(): Promise<void>;
}

/** What an engine gets to see again of a lease that it granted. */
export interface HeldLease {
  readonly id: string;
  readonly path: string;
  /** What the engine gave with the grant; any JSON. */
  readonly internal: unknown;
}

export type EngineReply =
  /** 200 with data. `leaseDuration` (seconds) is told as `lease_duration`, though nothing is leased: of kv version 1. */
  | {
      readonly kind: "data";
      readonly data: Readonly<Record<string, unknown>>;
      readonly leaseDuration?: number;
      readonly warnings?: readonly string[];
    }
  /** 204, or 200 where there are warnings. */
  | { readonly kind: "done"; readonly warnings?: readonly string[] }
  /** 404; with data where something is still to be told of what is not there (a deleted version). */
  | { readonly kind: "missing"; readonly data?: Readonly<Record<string, unknown>> }
  /**
   * A credential with a lease. The lease is stored first, and `make` is called then: so a credential is never made that
   * nothing would take back. Where `make` rejects, the lease is revoked at once.
   */
  | {
      readonly kind: "lease";
      readonly grant: LeaseGrant;
      make(expires: number): Promise<Readonly<Record<string, unknown>>>;
    }
  /** A login, or a new token: it is made once the request was audited. */
  | { readonly kind: "login"; readonly auth: TokenGrant; readonly warnings?: readonly string[] }
  /** A token that there is already, told as a login is: it was renewed. */
  | { readonly kind: "auth"; readonly auth: TokenAuth; readonly warnings?: readonly string[] }
  | {
      readonly kind: "refused";
      readonly status: 400 | 403 | 404 | 405 | 412 | 500 | 502;
      readonly errors: readonly string[];
    };

export interface LeaseGrant {
  /** Seconds; 0 takes the mount's default. Cut to the mount's maximum. */
  readonly ttl: number;
  /** Seconds; 0 takes the mount's. */
  readonly maxTtl: number;
  readonly renewable: boolean;
  /** For renewLease and revokeLease; any JSON, kept encrypted. */
  readonly internal: unknown;
}

/** A token to be made. */
export interface TokenGrant {
  readonly displayName: string;
  readonly policies: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds; 0 takes the mount's default. */
  readonly ttl: number;
  /** Seconds; 0 takes the mount's. */
  readonly maxTtl: number;
  /** Seconds; above 0 each renewal gives this much again, without end. */
  readonly period: number;
  readonly renewable: boolean;
  /** How often it can be used; 0 is without limit. */
  readonly numUses: number;
  /** Without `default` where false. */
  readonly withDefaultPolicy: boolean;
  /** Seconds since its making, which no renewal passes; 0 for none. */
  readonly explicitMaxTtl: number;
  /** The token that it ends with; none makes an orphan. */
  readonly parent?: TokenId;
  /** What the token is to be, where whoever may choose it did; random otherwise. */
  readonly id?: string;
}

/** What is told of a token to its holder: the `auth` of an answer. */
export interface TokenAuth {
  readonly clientToken: string;
  readonly accessor: string;
  /** With `default`, sorted. */
  readonly policies: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds; 0 for one that never ends. */
  readonly leaseDuration: number;
  readonly renewable: boolean;
  readonly orphan: boolean;
  /** 0 is without limit. */
  readonly numUses: number;
}
