import { silentLog } from "@millwright/core/ports";
import type { Engine, HeldLease, Mount, TokenGrant, TokenId } from "../src/engine.ts";
import type { Lifetimes } from "../src/lease/open.ts";
import { openLifetimes } from "../src/lease/open.ts";
import type { KeepLeading } from "../src/lease/leases.ts";
import type { SecretStorage } from "../src/storage.ts";
import { memoryStorage } from "../src/memory-storage.ts";
import type { FakeClock } from "./fake-clock.ts";
import { fakeClock } from "./fake-clock.ts";
import { seededChance } from "./seeded-chance.ts";

/** A database that keeps accounts in memory and can be down. */
export interface FakeDatabase {
  readonly engine: Engine;
  /** Until when each account is valid. */
  readonly accounts: Map<string, number>;
  /** `hanging` never answers. */
  state: "up" | "down" | "hanging";
  /** Accounts that it was asked to drop, in order. */
  readonly dropped: string[];
}

export function fakeDatabase(): FakeDatabase {
  const database: FakeDatabase = { engine: {} as Engine, accounts: new Map(), state: "up", dropped: [] };
  const reach = async () => {
    if (database.state === "down") throw new Error("connection refused");
    if (database.state === "hanging") await new Promise(() => undefined);
  };
  const nameOf = ({ internal }: HeldLease) => (internal as { readonly account: string }).account;
  const engine: Engine = {
    handle: async () => ({ kind: "missing" }),
    renewLease: async (lease, expires) => {
      await reach();
      if (!database.accounts.has(nameOf(lease))) throw new Error("no such account");
      database.accounts.set(nameOf(lease), expires);
    },
    revokeLease: async (lease) => {
      await reach();
      database.dropped.push(nameOf(lease));
      database.accounts.delete(nameOf(lease));
    },
  };
  return Object.assign(database, { engine });
}

export function mountAt(
  path: string,
  times: { readonly defaultLeaseTtl?: number; readonly maxLeaseTtl?: number } = {},
): Mount {
  return {
    uuid: path,
    accessor: path,
    path,
    type: "fake",
    description: "",
    defaultLeaseTtl: times.defaultLeaseTtl ?? 3600,
    maxLeaseTtl: times.maxLeaseTtl ?? 24 * 3600,
    options: {},
  };
}

/** A server that is alone. */
export const leadAlone: KeepLeading = (work, signal) => work(signal);
/** One whose neighbour leads. */
export const neverLead: KeepLeading = (_work, signal) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

/** Tokens and leases over a memory, with the databases `db/` and `other/` mounted. */
export interface Bench {
  readonly clock: FakeClock;
  readonly storage: SecretStorage;
  readonly db: FakeDatabase;
  readonly other: FakeDatabase;
  /** `storage` is this one by default. */
  readonly open: (keepLeading?: KeepLeading, storage?: SecretStorage) => Promise<Lifetimes>;
}

export function lifetimesBench(seed = 1): Bench {
  const clock = fakeClock();
  const storage = memoryStorage();
  const chance = seededChance(seed);
  const [db, other] = [fakeDatabase(), fakeDatabase()];
  const tokens = { engine: { handle: async () => ({ kind: "missing" }) } satisfies Engine };
  const mounted = [
    { mount: mountAt("db/"), engine: db.engine },
    { mount: mountAt("other/"), engine: other.engine },
    { mount: mountAt("auth/token/"), engine: tokens.engine },
    { mount: mountAt("auth/jwt/"), engine: tokens.engine },
  ];
  return {
    clock,
    storage,
    db,
    other,
    open: async (keepLeading = leadAlone, seen = storage) => {
      const lifetimes = await openLifetimes({
        storage: seen,
        clock,
        chance,
        keepLeading,
        log: silentLog,
        ttl: { defaultTtl: 768 * 3600, maxTtl: 768 * 3600 },
        mounts: { at: (path) => mounted.find(({ mount }) => path.startsWith(mount.path)) },
      });
      lifetimes.start();
      return lifetimes;
    },
  };
}

/** Leases an account of a database, named as asked. */
export function leaseAccount(
  { leases }: Lifetimes,
  database: FakeDatabase,
  ask: {
    readonly token: TokenId;
    readonly account: string;
    readonly path?: string;
    readonly ttl?: number;
    readonly maxTtl?: number;
    readonly renewable?: boolean;
  },
) {
  const { token, account, path = "db/creds/app", ttl = 60, maxTtl = 0, renewable = true } = ask;
  return leases.grant({
    path,
    token,
    grant: { ttl, maxTtl, renewable, internal: { account } },
    make: async (expires) => {
      database.accounts.set(account, expires);
      return { username: account };
    },
  });
}

export function tokenGrant(more: Partial<TokenGrant> = {}): TokenGrant {
  return {
    displayName: "token",
    policies: ["app"],
    metadata: {},
    ttl: 600,
    maxTtl: 0,
    period: 0,
    renewable: true,
    numUses: 0,
    withDefaultPolicy: true,
    explicitMaxTtl: 0,
    ...more,
  };
}

/** The id of a token that was just made. */
export async function idOf({ tokens }: Lifetimes, token: string): Promise<TokenId> {
  const view = await tokens.find(token);
  if (!view) throw new Error("the token is not known");
  return view.id;
}
