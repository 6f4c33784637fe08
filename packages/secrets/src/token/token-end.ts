import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { TokenId } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { LeaseRecord } from "../lease/lease-record.ts";
import { leasesOfToken, putLease, readLease } from "../lease/lease-record.ts";
import type { Outcome } from "../lease/revoker.ts";
import type { SecretStorage, StorageChange } from "../storage.ts";
import type { TokenRecord } from "./token-record.ts";
import { childFolder, deleteToken, leaseIdOf, leasePathOf, putToken, readToken, unchanged } from "./token-record.ts";

/** How long a token's end waits for what was leased to it. What takes longer goes on by itself. */
const longestWait = 5000;
const childrenAtOnce = 8;

export interface TokenEndOptions {
  readonly storage: SecretStorage;
  readonly clock: Clock;
  /** Writes that a lease ends, from when on it is tried until it is done; of one that there is not, nothing happens. */
  beginLeaseEnd(id: string): Promise<unknown>;
  endLease(id: string): Promise<Outcome>;
}

/**
 * Ends a token, its children and theirs, and all that is leased to them. First of all it is written that it ends: so nobody uses
 * it from then on, nothing is leased to it, it gets no child, and what is left at a crash is done by whoever watches its lease.
 */
export async function endToken(options: TokenEndOptions, id: TokenId): Promise<void> {
  const { storage } = options;
  const token = await beginEnd(options, id);
  if (!token) return;
  const children = await storage.list(childFolder(id));
  for (let i = 0; i < children.length; i += childrenAtOnce) {
    await Promise.all(children.slice(i, i + childrenAtOnce).map((child) => endChild(options, id, child as TokenId)));
  }
  await endLeases(options, id);
  await storage.commit([...deleteToken(token), { op: "delete", path: leasePathOf(token) }]);
}

async function endChild(options: TokenEndOptions, parent: TokenId, child: TokenId): Promise<void> {
  await endToken(options, child);
  // A place that was left without its token goes too.
  await options.storage.commit([{ op: "delete", path: childFolder(parent) + child }]);
}

/** What the token is, once it is written that it ends; nothing where there is no such token. */
async function beginEnd({ storage, clock }: TokenEndOptions, id: TokenId): Promise<TokenRecord | undefined> {
  for (;;) {
    const found = await readToken(storage, id);
    if (!found || found.token.isRevoked) return found?.token;
    const token: TokenRecord = { ...found.token, isRevoked: true };
    const changes = [putToken(token), await endingLease(storage, token, clock.now())];
    if (await storage.commit(changes, [unchanged(found)])) return token;
  }
}

/** The token's lease, with its end begun; also for one that would never have ended, so that this end is not forgotten. */
export async function endingLease(storage: SecretStorage, token: TokenRecord, now: number): Promise<StorageChange> {
  const found = await readLease(storage, leaseIdOf(token));
  return putLease({ ...(found?.lease ?? leaseOf(token)), ending: now });
}

/** The lease that a token has. */
export function leaseOf(token: TokenRecord): LeaseRecord {
  return {
    id: leaseIdOf(token),
    path: token.path,
    issued: token.created,
    expires: token.expires ?? token.created,
    ttl: token.ttl,
    maxTtl: token.maxTtl,
    renewable: token.renewable,
    holder: { kind: "token", token: token.id },
  };
}

// That all of them end is written before anybody forgets the token; how long each then takes is not waited for without end.
async function endLeases(options: TokenEndOptions, token: TokenId): Promise<void> {
  const { storage, clock, beginLeaseEnd, endLease } = options;
  const folder = leasesOfToken(token);
  const stored = await Promise.all((await storage.list(folder)).map((name) => storage.get(folder + name)));
  const ids = stored.flatMap((found) => (found ? [Buffer.from(found.value).toString()] : []));
  await Promise.all(ids.map((id) => explained(id, beginLeaseEnd)));
  const ends = Promise.all(ids.map((id) => explained(id, endLease)));
  const done = new AbortController();
  const late = clock.sleep(longestWait, done.signal).catch(() => undefined);
  try {
    await Promise.race([ends, late]);
  } finally {
    done.abort();
    await late;
  }
}

async function explained(id: string, call: (id: string) => Promise<unknown>): Promise<void> {
  try {
    await call(id);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    throw new OperationalError(secretsErrors.revocationFailed, `the lease ${id} could not be ended`, { cause: error });
  }
}
