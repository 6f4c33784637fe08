import { setImmediate } from "node:timers/promises";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { formatDuration, second } from "@millwright/text/duration";
import type { Mount, TokenId } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage } from "../storage.ts";
import { allPaths } from "../storage.ts";
import { isUsedUp, readToken, unchanged } from "../token/token-record.ts";
import type { LeaseIndex } from "./lease-index.ts";
import type { LeaseRecord } from "./lease-record.ts";
import { addLease, deleteLease, leaseFolder, putLease, readLease } from "./lease-record.ts";
import type {
  GrantedLease,
  LeaseAsk,
  LeaseCount,
  Leases,
  LeaseView,
  MountedEngine,
  Mounts,
  RenewedLease,
  SystemTtl,
} from "./leases.ts";
import type { Outcome, Revoker } from "./revoker.ts";
import { heldLease } from "./revoker.ts";

export interface LeaseManagerOptions {
  readonly storage: SecretStorage;
  readonly mounts: Mounts;
  readonly ttl: SystemTtl;
  readonly index: LeaseIndex;
  readonly revoker: Revoker;
  readonly clock: Clock;
  readonly chance: Chance;
}

export function leaseManager(options: LeaseManagerOptions): Leases {
  const { storage, index, revoker, clock } = options;
  const under = async (prefix: string): Promise<readonly string[]> => {
    const whole = prefix.replace(/\/+$/, "");
    if (await readLease(storage, whole)) return [whole];
    const paths = await allPaths(storage, leaseFolder + (whole === "" ? "" : `${whole}/`));
    return paths.map((path) => path.slice(leaseFolder.length));
  };
  return {
    loaded: index.loaded,
    grant: (ask) => grant(options, ask),
    lookup: async (id) => {
      const found = await readLease(storage, id);
      return found && viewOf(found.lease, clock.now());
    },
    renew: (id, increment) => renew(options, id, increment),
    revoke: async (id) => {
      refuseFailures([await revoker.end(id)]);
    },
    revokePrefix: async (prefix) => {
      refuseFailures(await inBatches(await under(prefix), (id) => revoker.end(id)));
    },
    revokeForce: async (prefix) => {
      await inBatches(await under(prefix), (id) => revoker.force(id));
    },
    list: (folder) => storage.list(leaseFolder + folder),
    count: () => count(options),
  };
}

async function grant(options: LeaseManagerOptions, ask: LeaseAsk): Promise<GrantedLease> {
  const { storage, mounts, revoker, clock, chance } = options;
  const mounted = mounts.at(ask.path);
  if (!mounted) throw unmounted(ask.path);
  const maxTtl = leastOf(ask.grant.maxTtl, maximumOf(mounted.mount, options.ttl));
  const ttl = Math.min(ask.grant.ttl || mounted.mount.defaultLeaseTtl || options.ttl.defaultTtl, maxTtl);
  const issued = clock.now();
  const lease: LeaseRecord = {
    id: `${ask.path}/${chance.uuid()}`,
    path: ask.path,
    issued,
    expires: issued + ttl * 1000,
    ttl,
    maxTtl,
    renewable: ask.grant.renewable,
    holder: { kind: "engine", token: ask.token, internal: ask.grant.internal },
  };
  await store(storage, lease, ask.token);
  await refuseEnding(options, lease);
  try {
    const data = await revoker.whileMaking(lease.id, () => ask.make(lease.expires));
    await checkStillHeld(options, mounted, lease);
    return { id: lease.id, duration: ttl, renewable: lease.renewable, data };
  } catch (error) {
    // What was half made is taken back; where that fails too, the lease is there to see to it.
    await revoker.end(lease.id);
    throw error;
  }
}

/** Stores a lease unless its token ends: a token's end is written before its leases are looked for. */
async function store(storage: SecretStorage, lease: LeaseRecord, token: TokenId): Promise<void> {
  for (;;) {
    const owner = await readToken(storage, token);
    if (!owner || owner.token.isRevoked) {
      throw new OperationalError(secretsErrors.denied, "permission denied: the token has ended meanwhile");
    }
    if (isUsedUp(owner.token)) {
      throw refusal(
        "this was the last use of the token, so what is leased to it would end at once: take one with more",
      );
    }
    if (await storage.commit(addLease(lease), [unchanged(owner)])) return;
  }
}

/** Whoever unmounts looks for leases once it is written that the mount ends: what comes to lie there later is not made. */
async function refuseEnding({ storage, mounts }: LeaseManagerOptions, lease: LeaseRecord): Promise<void> {
  const mounted = mounts.at(lease.path);
  if (mounted && !mounted.isEnding) return;
  await storage.commit(deleteLease(lease));
  throw unmounted(lease.path);
}

/** Where the lease was ended while its credential was being made, what was made since must be taken back too. */
async function checkStillHeld(
  { storage, clock }: LeaseManagerOptions,
  { mount }: MountedEngine,
  lease: LeaseRecord,
): Promise<void> {
  const found = await readLease(storage, lease.id);
  if (found && found.lease.ending === undefined) return;
  await storage.commit(addLease({ ...lease, ending: clock.now() }));
  const why = `the lease was ended while its credential was being made at ${mount.path}: it is taken back`;
  throw new OperationalError(secretsErrors.denied, why);
}

async function renew(options: LeaseManagerOptions, id: string, increment: number): Promise<RenewedLease> {
  const { storage, mounts, clock } = options;
  for (;;) {
    const found = await readLease(storage, id);
    if (!found) throw refusal("lease not found");
    const { lease, revision } = found;
    const now = clock.now();
    if (lease.holder.kind === "token") throw refusal("a token is not renewed here, but at auth/token/renew");
    if (lease.ending !== undefined || lease.expires <= now) throw refusal("lease expired");
    if (!lease.renewable) throw refusal("lease is not renewable");
    const mounted = mounts.at(lease.path);
    if (!mounted) throw refusal(`lease is not renewable: nothing is mounted at ${lease.path} any more`);
    const maxTtl = leastOf(lease.maxTtl, maximumOf(mounted.mount, options.ttl));
    const { expires, warnings } = extended({ now, start: lease.issued, wanted: increment || lease.ttl, maxTtl });
    const renewed: LeaseRecord = { ...lease, expires, lastRenewal: now };
    await mounted.engine.renewLease?.(heldLease(lease), expires);
    const change = putLease(renewed);
    if (!(await storage.commit([change], [{ path: change.path, revision }]))) continue;
    return { id, duration: Math.floor((expires - now) / 1000), renewable: true, warnings };
  }
}

export interface Extension {
  readonly now: number;
  /** What the maximum counts from. */
  readonly start: number;
  /** Seconds from now. */
  readonly wanted: number;
  /** Seconds. */
  readonly maxTtl: number;
}

/** The end that a renewal gives, with what is to be said where it is less than was wanted. Throws where nothing is left. */
export function extended({ now, start, wanted, maxTtl }: Extension): {
  readonly expires: number;
  readonly warnings: readonly string[];
} {
  if (wanted < 0) throw refusal("increment: a length of time that is not negative is expected");
  const limit = start + maxTtl * 1000;
  if (limit <= now) throw refusal(`it is at its maximum of ${seconds(maxTtl)} and cannot be extended`);
  const expires = Math.min(now + wanted * 1000, limit);
  if (expires === now + wanted * 1000) return { expires, warnings: [] };
  const left = seconds(Math.floor((limit - now) / 1000));
  return {
    expires,
    warnings: [`${seconds(wanted)} were asked for, ${left} are left of its maximum of ${seconds(maxTtl)}`],
  };
}

function seconds(count: number): string {
  return formatDuration(BigInt(count) * second);
}

function viewOf(lease: LeaseRecord, now: number): LeaseView {
  const { id, issued, lastRenewal, renewable, irrevocable } = lease;
  const expires = lease.ending === undefined ? lease.expires : Math.min(lease.expires, lease.ending);
  return {
    id,
    issued,
    expires,
    renewable: renewable && lease.ending === undefined,
    ttl: Math.max(0, Math.floor((expires - now) / 1000)),
    ...(lastRenewal === undefined ? {} : { lastRenewal }),
    ...(irrevocable === undefined ? {} : { irrevocable }),
  };
}

async function count({ index, mounts }: LeaseManagerOptions): Promise<LeaseCount> {
  await index.settled();
  const byMount = new Map<string, { total: number; irrevocable: number }>();
  const mountOf = new Map<string, string>();
  const sum = { total: 0, irrevocable: 0 };
  for (const [id, { irrevocable }] of index.entries()) {
    const path = id.slice(0, id.lastIndexOf("/"));
    let mount = mountOf.get(path);
    if (mount === undefined) {
      mount = mounts.at(path)?.mount.path ?? `${path}/`;
      mountOf.set(path, mount);
    }
    const counted = byMount.get(mount) ?? { total: 0, irrevocable: 0 };
    byMount.set(mount, counted);
    for (const place of [sum, counted]) {
      place.total++;
      if (irrevocable) place.irrevocable++;
    }
    // Nothing holds the event loop for long, however many there are.
    if (sum.total % 10_000 === 0) await setImmediate();
  }
  return { ...sum, byMount: Object.fromEntries(byMount) };
}

async function inBatches<T>(ids: readonly string[], call: (id: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < ids.length; i += 500) results.push(...(await Promise.all(ids.slice(i, i + 500).map(call))));
  return results;
}

function refuseFailures(outcomes: readonly Outcome[]): void {
  const failures = outcomes.filter((outcome) => outcome.kind === "failed");
  const [first] = failures;
  if (!first) return;
  const which = outcomes.length === 1 ? "the lease" : `${failures.length} of ${outcomes.length} leases`;
  const message = `failed to revoke ${which}: ${first.message}. It is tried again until it is done.`;
  throw new OperationalError(secretsErrors.revocationFailed, message);
}

/** What nothing of a mount passes; seconds. */
export function maximumOf(mount: Mount | undefined, { maxTtl }: SystemTtl): number {
  return leastOf(mount?.maxLeaseTtl ?? 0, maxTtl);
}

/** The lesser of the two, where 0 says nothing. */
function leastOf(ttl: number, other: number): number {
  return ttl === 0 ? other : Math.min(ttl, other);
}

function unmounted(path: string): OperationalError {
  return refusal(`nothing is leased at ${path} any more: what was mounted there is taken away`);
}

function refusal(message: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, message);
}
