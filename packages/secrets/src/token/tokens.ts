import type { Caller, TokenAuth, TokenGrant, TokenId } from "../engine.ts";

/**
 * The tokens, each kept under a keyed hash of itself: what is stored lets nobody log in. A token has a lease; at its end, and
 * when it is revoked, its children end and so does all that was leased to them.
 */
export interface Tokens {
  /** A token with the policy `root` that never ends and has no parent. */
  createRoot(): Promise<TokenAuth>;
  /**
   * Makes a token. `path` is the request's (`auth/jwt/login`), which its lease's id begins with, and whose mount sets the
   * default and the maximum of its time. Rejects with `badRequest` where the grant cannot be, with `denied` where the parent has
   * ended meanwhile.
   */
  create(grant: TokenGrant, path: string): Promise<TokenAuth>;
  /**
   * Looks at the token of a request and counts it as used. Nothing for one that is unknown, at its end, revoked or used up:
   * the request is refused, and which of these it was is not told.
   */
  use(token: string): Promise<UsedToken | undefined>;
  /** As it is, without counting. */
  find(token: string): Promise<TokenView | undefined>;
  /** Also one that is at its last use just now. */
  byId(id: TokenId): Promise<TokenView | undefined>;
  byAccessor(accessor: string): Promise<TokenView | undefined>;
  /** Sorted. */
  accessors(): Promise<readonly string[]>;
  /**
   * Extends it to `increment` seconds from now (0 for what it was made for), as far as its maximum allows. Rejects with
   * `badRequest` where it cannot be renewed or is gone.
   */
  renew(id: TokenId, increment: number): Promise<RenewedToken>;
  /** Ends it with its children and all that is leased to them; what cannot be taken back now is tried again by itself. */
  revoke(id: TokenId): Promise<void>;
  /** Ends it alone with what is leased to it: its children become orphans. */
  revokeOrphan(id: TokenId): Promise<void>;
  /** Removes accessors and places of children whose token is not there; resolves to how many there were. */
  tidy(): Promise<number>;
}

export interface UsedToken {
  readonly caller: Caller;
  readonly view: TokenView;
  /** It was its last use: whoever answers the request calls {@link Tokens.revoke} then. It is refused from now on. */
  readonly isLast: boolean;
}

export interface RenewedToken {
  readonly view: TokenView;
  readonly warnings: readonly string[];
}

/** A token, without itself. Times are milliseconds since 1970, lengths seconds. */
export interface TokenView {
  readonly id: TokenId;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly displayName: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the request that made it. */
  readonly path: string;
  readonly parent?: TokenId;
  /** How often it can still be used; 0 is without limit, -1 at its last use. */
  readonly numUses: number;
  readonly created: number;
  /** What it was made for; 0 for one that never ends. */
  readonly creationTtl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly renewable: boolean;
  readonly expires?: number;
  readonly lastRenewal?: number;
  /** Left, rounded down; 0 for one that never ends. */
  readonly ttl: number;
}
