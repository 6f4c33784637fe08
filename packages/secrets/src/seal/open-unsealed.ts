import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import { Barrier } from "../barrier/barrier.ts";
import { Keys } from "../barrier/keys.ts";
import { type Core, type CoreOptions, openCore } from "../core/core.ts";
import type { SealRecord } from "./seal-record.ts";

export type CoreSettings = Pick<CoreOptions, "engines" | "ttl" | "keepLeading">;

export interface UnsealOptions {
  readonly store: Store;
  readonly rootKey: Uint8Array;
  readonly record: SealRecord;
  readonly core: CoreSettings;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Opens all that is behind the seal. Where that rejects, nothing is left open. */
export async function openUnsealed(options: UnsealOptions): Promise<Core> {
  const { store, rootKey, record, core, ...ports } = options;
  const keys = await Keys.open({ store, rootKey, ...ports });
  await keys.rotateWhereWorn();
  const barrier = await Barrier.open({ store, generation: record.generation, keys, ...ports });
  try {
    return await openCore({ barrier, keys, ...core, ...ports });
  } catch (error) {
    await barrier.close();
    throw error;
  }
}
