import type { TokenId } from "../engine.ts";
import { leaseFolder } from "../lease/lease-record.ts";
import type { SecretStorage, StorageChange, StorageCondition } from "../storage.ts";

/** A token as it is stored: without itself. Times are milliseconds since 1970, lengths seconds. */
export interface TokenRecord {
  readonly id: TokenId;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly displayName: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly path: string;
  readonly parent?: TokenId;
  /** What is left of its uses; none where it is used up. */
  readonly uses: { readonly kind: "unlimited" } | { readonly kind: "counted"; readonly left: number };
  readonly created: number;
  /** 0 for one that never ends. */
  readonly ttl: number;
  /** Since `created`; 0 for the mount's. */
  readonly maxTtl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly renewable: boolean;
  readonly expires?: number;
  readonly lastRenewal?: number;
  /** Its end has begun: it is good for nothing any more. */
  readonly isRevoked?: true;
}

export interface StoredToken {
  readonly token: TokenRecord;
  readonly revision: number;
}

const tokenFolder = "token/id/";
export const accessorFolder = "token/accessor/";
export const saltPath = "token/salt";

/** Where the children of a token are listed. */
export function childFolder(parent: TokenId): string {
  return `token/parent/${parent}/`;
}

/** The id of a token's lease. */
export function leaseIdOf({ path, id }: Pick<TokenRecord, "path" | "id">): string {
  return `${path}/${id}`;
}

export function leasePathOf(token: Pick<TokenRecord, "path" | "id">): string {
  return leaseFolder + leaseIdOf(token);
}

export async function readToken(storage: SecretStorage, id: TokenId): Promise<StoredToken | undefined> {
  const stored = await storage.get(tokenFolder + id);
  if (!stored) return undefined;
  return { token: JSON.parse(Buffer.from(stored.value).toString()) as TokenRecord, revision: stored.revision };
}

/** The condition that a token has not begun to end since now; nothing where it has, or is not known. */
export async function isTokenAlive(storage: SecretStorage, id: TokenId): Promise<StorageCondition | undefined> {
  const found = await readToken(storage, id);
  return found && !found.token.isRevoked ? { path: tokenFolder + id, revision: found.revision } : undefined;
}

/** Whether it is at its last use, or behind it. */
export function isUsedUp({ uses }: TokenRecord): boolean {
  return uses.kind === "counted" && uses.left <= 0;
}

export function unchanged({ token, revision }: StoredToken): StorageCondition {
  return { path: tokenFolder + token.id, revision };
}

export function putToken(token: TokenRecord): StorageChange {
  return { op: "put", path: tokenFolder + token.id, value: Buffer.from(JSON.stringify(token)) };
}

/** The token with its accessor and its place among its parent's children. */
export function addToken(token: TokenRecord): readonly StorageChange[] {
  const id = Buffer.from(token.id);
  const parts: StorageChange[] = [putToken(token), { op: "put", path: accessorFolder + token.accessor, value: id }];
  if (token.parent !== undefined) parts.push({ op: "put", path: childFolder(token.parent) + token.id, value: id });
  return parts;
}

export function deleteToken(token: TokenRecord): readonly StorageChange[] {
  const paths = [tokenFolder + token.id, accessorFolder + token.accessor];
  if (token.parent !== undefined) paths.push(childFolder(token.parent) + token.id);
  return paths.map((path) => ({ op: "delete", path }));
}
