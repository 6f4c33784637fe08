import type { Engine, LeaseGrant, Mount, TokenId } from "../engine.ts";

/**
 * The leases: what the server gave for a time and takes back at its end. Any server over one store may grant, renew and
 * revoke; one of them at a time watches the deadlines. Each write compares what it replaces, so none that is renewed is
 * taken back early, and none is renewed whose end has begun.
 */
export interface Leases {
  /** Resolves once the leases that were there at opening are watched. */
  readonly loaded: Promise<void>;
  /**
   * Stores a lease, then calls `make`; where that rejects the lease is revoked at once, and the call rejects with the same.
   * Rejects with `denied` where the token has ended meanwhile.
   */
  grant(ask: LeaseAsk): Promise<GrantedLease>;
  lookup(id: string): Promise<LeaseView | undefined>;
  /**
   * Extends a lease to `increment` seconds from now (0 for what it was granted for), as far as its maximum allows. Rejects
   * with `badRequest` where there is no such lease, where it cannot be renewed, and where it is at its end.
   */
  renew(id: string, increment: number): Promise<RenewedLease>;
  /**
   * Ends a lease now, and waits for what it stands for to be gone. Rejects with `revocationFailed` where that did not work: it is
   * then tried again by itself until it does. Of a lease that there is not, nothing happens. A token's lease ends the token.
   */
  revoke(id: string): Promise<void>;
  /** Ends every lease under a path, and waits as {@link revoke} does. */
  revokePrefix(prefix: string): Promise<void>;
  /** As {@link revokePrefix}, but a lease is forgotten also where taking back failed. */
  revokeForce(prefix: string): Promise<void>;
  /** The names directly under a folder of leases (`""`, or with a slash at its end): with a slash for a folder. */
  list(folder: string): Promise<readonly string[]>;
  count(): Promise<LeaseCount>;
}

export interface LeaseAsk {
  /** The request's whole path, which the id begins with: `postgresql/creds/readonly`. */
  readonly path: string;
  readonly grant: LeaseGrant;
  /** The lease ends with this token. */
  readonly token: TokenId;
  /** Makes what is leased, valid until `expires` (milliseconds since 1970). */
  make(expires: number): Promise<Readonly<Record<string, unknown>>>;
}

export interface GrantedLease {
  readonly id: string;
  /** Seconds. */
  readonly duration: number;
  readonly renewable: boolean;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface RenewedLease {
  readonly id: string;
  /** Seconds from now. */
  readonly duration: number;
  readonly renewable: boolean;
  /** That it was given less than asked for. */
  readonly warnings: readonly string[];
}

/** Times are milliseconds since 1970. */
export interface LeaseView {
  readonly id: string;
  readonly issued: number;
  /** None for what never ends: a root token's. */
  readonly expires?: number;
  readonly lastRenewal?: number;
  readonly renewable: boolean;
  /** Seconds left, rounded down; 0 where its end has come. */
  readonly ttl: number;
  /** Why taking back failed time after time; it is still tried, slowly. */
  readonly irrevocable?: string;
}

export interface LeaseCount {
  /** Leases of every kind, those of tokens included. */
  readonly total: number;
  readonly irrevocable: number;
  /** By mount, without those that hold none. */
  readonly byMount: Readonly<Record<string, { readonly total: number; readonly irrevocable: number }>>;
}

/** Finds what is mounted; the mount table's owner gives it. */
export interface Mounts {
  /** What a path (`postgresql/creds/readonly`) lies under; nothing where nothing is mounted there, or not open yet. */
  at(path: string): MountedEngine | undefined;
}

export interface MountedEngine {
  readonly mount: Mount;
  readonly engine: Engine;
  /** It is being unmounted: what is leased there is taken back, and nothing new is. */
  readonly isEnding?: boolean;
}

/**
 * Carries out `work` each time this server is the one among all that does it, until `signal` aborts; `work` ends when its own
 * signal does. A server that is alone leads at once.
 */
export type KeepLeading = (work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) => Promise<void>;

/** Seconds; where nobody says more, and what nobody can pass. */
export interface SystemTtl {
  readonly defaultTtl: number;
  readonly maxTtl: number;
}
