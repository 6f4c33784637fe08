import { OperationalError } from "@millwright/core/errors";
import type { TokenId } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage, StorageChange } from "../storage.ts";

/** A lease as it is stored. Times are milliseconds since 1970, lengths seconds. */
export interface LeaseRecord {
  /** `postgresql/creds/readonly/UUID`; of a token's lease the last part is the token's id. */
  readonly id: string;
  /** Of the request that it came from. */
  readonly path: string;
  readonly issued: number;
  readonly expires: number;
  readonly lastRenewal?: number;
  /** What it was granted for, and what a renewal without more gives again. */
  readonly ttl: number;
  /** Since `issued`; the mount may say less by now. */
  readonly maxTtl: number;
  readonly renewable: boolean;
  readonly holder: LeaseHolder;
  /** When its end has begun: there is no renewal any more, and it is tried until it is done. */
  readonly ending?: number;
  /** Why taking back failed time after time. */
  readonly irrevocable?: string;
}

export type LeaseHolder =
  /** What an engine made; it ends with `token`, and `internal` is the engine's own. */
  | { readonly kind: "engine"; readonly token: TokenId; readonly internal: unknown }
  | { readonly kind: "token"; readonly token: TokenId };

export const leaseFolder = "expire/id/";
const byTokenFolder = "expire/token/";

/** Where the leases of a token are listed: each name holds a lease's id. */
export function leasesOfToken(token: TokenId): string {
  return `${byTokenFolder}${token}/`;
}

/** Whether a text from outside can be a lease's id at all. */
export function isLeaseId(text: string): boolean {
  return text.length <= 4096 && /^[^/]+(\/[^/]+)+$/.test(text);
}

/** The lease with its revision. */
export async function readLease(
  storage: SecretStorage,
  id: string,
): Promise<{ readonly lease: LeaseRecord; readonly revision: number } | undefined> {
  const stored = isLeaseId(id) ? await storage.get(leaseFolder + id) : undefined;
  return stored && { lease: decodeLease(id, stored.value), revision: stored.revision };
}

export function putLease(lease: LeaseRecord): StorageChange {
  return { op: "put", path: leaseFolder + lease.id, value: Buffer.from(JSON.stringify(lease)) };
}

/** The lease, with its place among those of its token. */
export function addLease(lease: LeaseRecord): readonly StorageChange[] {
  const index = indexPath(lease);
  if (index === undefined) return [putLease(lease)];
  return [putLease(lease), { op: "put", path: index, value: Buffer.from(lease.id) }];
}

export function deleteLease(lease: LeaseRecord): readonly StorageChange[] {
  const index = indexPath(lease);
  const record: StorageChange = { op: "delete", path: leaseFolder + lease.id };
  return index === undefined ? [record] : [record, { op: "delete", path: index }];
}

// A token's own lease is not among those that end with it.
function indexPath({ id, holder }: LeaseRecord): string | undefined {
  if (holder.kind === "token") return undefined;
  return leasesOfToken(holder.token) + id.slice(id.lastIndexOf("/") + 1);
}

/** The lease that was stored under an id. Throws `damaged` where it is another. */
export function decodeLease(id: string, value: Uint8Array): LeaseRecord {
  const lease = JSON.parse(Buffer.from(value).toString()) as LeaseRecord;
  // It is our own record, which the barrier vouches for: that it is the one asked for is all there is to check.
  if (lease.id !== id) throw new OperationalError(secretsErrors.damaged, `The record of the lease ${id} is damaged.`);
  return lease;
}
