import { messageOf } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { AuditLog } from "../audit/audit-log.ts";
import type { Barrier } from "../barrier/barrier.ts";
import type { Keys } from "../barrier/keys.ts";
import type { EngineType } from "../engine.ts";
import type { KeepLeading, Leases, SystemTtl } from "../lease/leases.ts";
import { openLifetimes } from "../lease/open.ts";
import { openPolicies, type PolicyStore } from "../policy/policy-store.ts";
import { storageUnder } from "../storage.ts";
import { tokenEngine } from "../token/token-engine.ts";
import type { Tokens } from "../token/tokens.ts";
import { cubbyholeEngine } from "./cubbyhole.ts";
import { type MountEntry, plainConfig } from "./mount-table.ts";
import { LiveMounts } from "./mounts.ts";
import { systemEngine } from "./system-engine.ts";
import { openWrapping, type Wrapping } from "./wrapping.ts";

export interface CoreOptions {
  readonly barrier: Barrier;
  readonly keys: Keys;
  /** What can be mounted, beside what always is. */
  readonly engines: readonly EngineType[];
  readonly ttl: SystemTtl;
  readonly keepLeading: KeepLeading;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** All that there is of a server while it is unsealed. */
export interface Core {
  readonly keys: Keys;
  readonly mounts: LiveMounts;
  readonly policies: PolicyStore;
  readonly tokens: Tokens;
  readonly leases: Leases;
  readonly audit: AuditLog;
  readonly wrapping: Wrapping;
  readonly clock: Clock;
  readonly chance: Chance;
  close(): Promise<void>;
}

const housekeepingMilliseconds = 60 * 60 * 1000;

/** Opens everything over an open barrier, which it closes at its end; where it rejects, the barrier stays open. */
export async function openCore(options: CoreOptions): Promise<Core> {
  const { barrier, keys, engines, ttl, keepLeading, ...ports } = options;
  const audit = new AuditLog({ storage: barrier, ...ports });
  const policies = openPolicies({ storage: storageUnder(barrier, "policy/") });
  const types: EngineType[] = [...engines, systemEngine()];
  const mounts = new LiveMounts({ storage: barrier, types, ttl, ...ports });
  const lifetimes = await openLifetimes({ storage: storageUnder(barrier, "sys/"), mounts, ttl, keepLeading, ...ports });
  const { tokens, leases } = lifetimes;
  types.push(
    tokenEngine({ tokens, policies }),
    cubbyholeEngine(async (id) => (await tokens.byId(id)) !== undefined),
  );
  const wrapping = openWrapping({ storage: storageUnder(barrier, "wrapped/"), tokens, ...ports });
  const closing = new AbortController();
  const closeAll = async () => {
    closing.abort();
    await lifetimes.close();
    await mounts.close();
    await audit.close();
  };
  try {
    await audit.open();
    await mounts.open();
    lifetimes.start();
  } catch (error) {
    await closeAll();
    throw error;
  }
  const housekeeping = keepHouse({ wrapping, keys, ...ports }, closing.signal);
  const close = async () => {
    await closeAll();
    await housekeeping;
    await barrier.close();
  };
  return { keys, mounts, policies, tokens, leases, audit, wrapping, close, ...ports };
}

/** What is mounted from the beginning. */
export function firstMounts(chance: Chance, withDevMounts: boolean): readonly MountEntry[] {
  const entry = (path: string, type: string, description: string, options = {}): MountEntry => ({
    uuid: chance.uuid(),
    accessor: `${type}_${Buffer.from(chance.bytes(4)).toString("hex")}`,
    class: path.startsWith("auth/") ? "auth" : "secret",
    path,
    type,
    description,
    options,
    config: plainConfig,
    isEnding: false,
  });
  return [
    entry("auth/token/", "token", "token based credentials"),
    entry("cubbyhole/", "cubbyhole", "per-token private secret storage"),
    entry("sys/", "system", "system endpoints used for control, policy and debugging"),
    ...(withDevMounts ? [entry("secret/", "kv", "key/value secret storage", { version: "2" })] : []),
  ];
}

async function keepHouse(
  core: Pick<Core, "wrapping" | "keys" | "clock"> & { readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  const { wrapping, keys, clock, log } = core;
  while (!signal.aborted) {
    await clock.sleep(housekeepingMilliseconds, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await keys.rotateWhereWorn();
      await wrapping.sweep();
    } catch (error) {
      log.write("warn", "secrets: housekeeping failed, and is tried again", { error: messageOf(error) });
    }
  }
}
