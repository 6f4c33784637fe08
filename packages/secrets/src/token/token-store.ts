import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import type { Caller, TokenAuth, TokenGrant, TokenId } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { addLease, putLease } from "../lease/lease-record.ts";
import { extended, maximumOf } from "../lease/lease-manager.ts";
import type { Mounts, SystemTtl } from "../lease/leases.ts";
import type { Outcome } from "../lease/revoker.ts";
import type { SecretStorage } from "../storage.ts";
import { allPaths } from "../storage.ts";
import { endToken, leaseOf } from "./token-end.ts";
import type { HashToken } from "./token-hash.ts";
import { randomLetters } from "./token-hash.ts";
import type { TokenRecord } from "./token-record.ts";
import {
  accessorFolder,
  addToken,
  childFolder,
  isTokenAlive,
  isUsedUp,
  leasePathOf,
  putToken,
  readToken,
  unchanged,
} from "./token-record.ts";
import type { RenewedToken, Tokens, TokenView, UsedToken } from "./tokens.ts";

export interface TokenStoreOptions {
  readonly storage: SecretStorage;
  readonly mounts: Mounts;
  readonly ttl: SystemTtl;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly hash: HashToken;
  beginLeaseEnd(id: string): Promise<unknown>;
  endLease(id: string): Promise<Outcome>;
}

export function tokenStore(options: TokenStoreOptions): Tokens {
  const { storage, clock, hash } = options;
  const view = async (id: TokenId, isGood: (token: TokenRecord, now: number) => boolean) => {
    const found = await readToken(storage, id);
    const now = clock.now();
    return found && isGood(found.token, now) ? viewOf(found.token, now) : undefined;
  };
  return {
    createRoot: () => create(options, rootGrant, "auth/token/root"),
    create: async (grant, path) => {
      const isRoot = policiesOf(grant).includes("root");
      if (isRoot && !path.startsWith("auth/token/")) throw refusal("auth methods cannot create root tokens");
      return create(options, grant, path);
    },
    use: (token) => use(options, hash(token)),
    find: (token) => view(hash(token), isUsable),
    byId: (id) => view(id, isAlive),
    byAccessor: async (accessor) => {
      const stored = /^[A-Za-z0-9]+$/.test(accessor) ? await storage.get(accessorFolder + accessor) : undefined;
      return stored && view(Buffer.from(stored.value).toString() as TokenId, isUsable);
    },
    accessors: () => storage.list(accessorFolder),
    renew: (id, increment) => renew(options, id, increment),
    revoke: (id) => endToken(options, id),
    revokeOrphan: async (id) => {
      await orphanChildren(storage, id);
      await endToken(options, id);
    },
    tidy: () => tidy(storage),
  };
}

const rootGrant: TokenGrant = {
  displayName: "root",
  policies: ["root"],
  metadata: {},
  ttl: 0,
  maxTtl: 0,
  period: 0,
  renewable: false,
  numUses: 0,
  withDefaultPolicy: false,
  explicitMaxTtl: 0,
};

/** With `default` where it is wanted, in lower case, sorted; `root` has nothing beside it. */
export function policiesOf({
  policies,
  withDefaultPolicy,
}: Pick<TokenGrant, "policies" | "withDefaultPolicy">): string[] {
  const names = new Set(policies.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""));
  if (names.has("root")) return ["root"];
  if (withDefaultPolicy) names.add("default");
  return [...names].sort();
}

async function create(options: TokenStoreOptions, grant: TokenGrant, path: string): Promise<TokenAuth> {
  const { storage, chance } = options;
  const clientToken = grant.id ?? `hvs.${randomLetters(chance, 24)}`;
  checkId(grant.id);
  for (;;) {
    const token = recordOf(options, grant, { path, clientToken });
    const parent = grant.parent === undefined ? undefined : await isTokenAlive(storage, grant.parent);
    if (grant.parent !== undefined && !parent) throw denied("permission denied: the parent token has ended meanwhile");
    if (await readToken(storage, token.id)) throw refusal("cannot create a token with a duplicate ID");
    const lease = token.expires === undefined ? [] : addLease(leaseOf(token));
    const isNew = unchanged({ token, revision: 0 });
    if (!(await storage.commit([...addToken(token), ...lease], parent ? [isNew, parent] : [isNew]))) continue;
    if (options.mounts.at(path)?.isEnding) {
      await endToken(options, token.id);
      throw denied(`permission denied: ${path} is being unmounted`);
    }
    return authOf(viewOf(token, token.created), clientToken);
  }
}

function checkId(id: string | undefined): void {
  if (id === undefined) return;
  if (id.startsWith("hvs.")) throw refusal("custom token ID cannot have the 'hvs.' prefix");
  if (!/^[\x21-\x7e]{1,512}$/.test(id) || id.includes(".")) {
    throw refusal("custom token ID: up to 512 visible characters without a point are expected");
  }
}

function recordOf(
  { mounts, ttl: system, clock, chance, hash }: TokenStoreOptions,
  grant: TokenGrant,
  { path, clientToken }: { readonly path: string; readonly clientToken: string },
): TokenRecord {
  const mount = mounts.at(path)?.mount;
  const policies = policiesOf(grant);
  const created = clock.now();
  const { period, explicitMaxTtl, numUses } = grant;
  if ([grant.ttl, grant.maxTtl, period, explicitMaxTtl, numUses].some((count) => count < 0)) {
    throw refusal("ttl, max_ttl, period, explicit_max_ttl and num_uses are not negative");
  }
  const isEndless = policies.includes("root") && grant.ttl === 0 && explicitMaxTtl === 0 && period === 0;
  const ttl = isEndless ? 0 : timeOf(grant, mount?.defaultLeaseTtl || system.defaultTtl, maximumOf(mount, system));
  return {
    id: hash(clientToken),
    accessor: randomLetters(chance, 24),
    policies,
    displayName: grant.displayName,
    metadata: grant.metadata,
    path,
    uses: numUses === 0 ? { kind: "unlimited" } : { kind: "counted", left: numUses },
    created,
    ttl,
    maxTtl: grant.maxTtl,
    explicitMaxTtl,
    period,
    renewable: !isEndless && grant.renewable,
    ...(grant.parent === undefined ? {} : { parent: grant.parent }),
    ...(isEndless ? {} : { expires: created + ttl * 1000 }),
  };
}

/** The seconds of a new token. A period may be longer than the mount's maximum, which such tokens do not have. */
function timeOf({ ttl, maxTtl, period, explicitMaxTtl }: TokenGrant, standard: number, maximum: number): number {
  const bounds = [period > 0 ? 0 : maximum, period > 0 ? 0 : maxTtl, explicitMaxTtl].filter((bound) => bound > 0);
  return Math.min(period > 0 ? period : ttl || standard, ...bounds);
}

async function use(options: TokenStoreOptions, id: TokenId): Promise<UsedToken | undefined> {
  const { storage, clock } = options;
  for (;;) {
    const found = await readToken(storage, id);
    const now = clock.now();
    if (!found || !isUsable(found.token, now)) return undefined;
    const { token } = found;
    if (token.uses.kind === "unlimited") return { caller: callerOf(token), view: viewOf(token, now), isLast: false };
    const used: TokenRecord = { ...token, uses: { kind: "counted", left: token.uses.left - 1 } };
    const isLast = isUsedUp(used);
    // Where the last request is never answered, its lease ends it.
    const soon = Math.min(token.expires ?? Number.POSITIVE_INFINITY, now + 60_000);
    const changes = isLast ? [putToken(used), putLease(leaseOf({ ...used, expires: soon }))] : [putToken(used)];
    if (!(await storage.commit(changes, [unchanged(found)]))) continue;
    return { caller: callerOf(used), view: viewOf(used, now), isLast };
  }
}

function isUsable(token: TokenRecord, now: number): boolean {
  return isAlive(token, now) && !isUsedUp(token);
}

function isAlive({ expires, isRevoked }: TokenRecord, now: number): boolean {
  return !isRevoked && (expires === undefined || expires > now);
}

async function renew(options: TokenStoreOptions, id: TokenId, increment: number): Promise<RenewedToken> {
  const { storage, mounts, clock } = options;
  for (;;) {
    const found = await readToken(storage, id);
    const now = clock.now();
    if (!found || !isAlive(found.token, now)) throw refusal("token not found");
    const { token } = found;
    if (!token.renewable) throw refusal("lease is not renewable");
    const mount = mounts.at(token.path)?.mount;
    const bounds = token.period > 0 ? [] : [maximumOf(mount, options.ttl), token.maxTtl];
    const known = [...bounds, token.explicitMaxTtl].filter((bound) => bound > 0);
    const wanted = token.period > 0 ? token.period : increment || token.ttl;
    const maxTtl = known.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...known);
    const { expires, warnings } = extended({ now, start: token.created, wanted, maxTtl });
    const renewed: TokenRecord = { ...token, expires, lastRenewal: now };
    const lease = putLease({ ...leaseOf(renewed), lastRenewal: now });
    const stored = await storage.get(leasePathOf(token));
    if (!stored) throw refusal("token not found");
    const conditions = [unchanged(found), { path: lease.path, revision: stored.revision }];
    if (!(await storage.commit([putToken(renewed), lease], conditions))) continue;
    return { view: viewOf(renewed, now), warnings };
  }
}

async function orphanChildren(storage: SecretStorage, parent: TokenId): Promise<void> {
  for (const name of await storage.list(childFolder(parent))) {
    const place = { op: "delete", path: childFolder(parent) + name } as const;
    for (;;) {
      const found = await readToken(storage, name as TokenId);
      if (!found) break;
      const { parent: _, ...orphan } = found.token;
      if (await storage.commit([putToken(orphan), place], [unchanged(found)])) break;
    }
  }
}

/** What is told to the holder; `clientToken` is empty where the token itself is not at hand. */
export function authOf(token: TokenView, clientToken: string): TokenAuth {
  const { accessor, policies, metadata, renewable, parent, numUses, ttl } = token;
  const orphan = parent === undefined;
  return { clientToken, accessor, policies, metadata, leaseDuration: ttl, renewable, orphan, numUses };
}

async function tidy(storage: SecretStorage): Promise<number> {
  let removed = 0;
  for (const folder of [accessorFolder, "token/parent/"]) {
    for (const path of await allPaths(storage, folder)) {
      const stored = await storage.get(path);
      if (!stored || (await readToken(storage, Buffer.from(stored.value).toString() as TokenId))) continue;
      if (await storage.commit([{ op: "delete", path }], [{ path, revision: stored.revision }])) removed++;
    }
  }
  return removed;
}

function callerOf({ id, accessor, displayName, policies }: TokenRecord): Caller {
  return { token: id, accessor, displayName, policies };
}

function leftUses({ uses }: TokenRecord): number {
  return uses.kind === "unlimited" ? 0 : uses.left || -1;
}

function viewOf(token: TokenRecord, now: number): TokenView {
  const { uses: _, isRevoked: __, maxTtl: ___, ttl: creationTtl, ...rest } = token;
  const left = token.expires === undefined ? 0 : Math.max(0, Math.floor((token.expires - now) / 1000));
  return { ...rest, creationTtl, numUses: leftUses(token), ttl: left };
}

function refusal(message: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, message);
}

function denied(message: string): OperationalError {
  return new OperationalError(secretsErrors.denied, message);
}
