import type { Chance, Clock } from "@millwright/core/ports";
import { systemChance, systemClock } from "@millwright/core/ports";
import type { Store } from "./contract.ts";
import type { HistoryBounds } from "./embedded.ts";
import { EmbeddedStore } from "./embedded.ts";
import type { Journal } from "./journal.ts";

export interface MemoryOptions {
  /** For leases, history and quiet watches. */
  readonly clock?: Clock;
  readonly chance?: Chance;
  /** How much history is kept; the contract's figures by default. */
  readonly history?: HistoryBounds;
}

/** A store in the memory of this process, gone with it: for tests, and for what need not survive. Close it at the end. */
export function openMemoryStore(options: MemoryOptions = {}): Store {
  return new EmbeddedStore({ clock: systemClock, chance: systemChance, journal: forgetful, ...options });
}

// Acknowledged in a later turn all the same, as by any other engine.
const forgetful: Journal = { append: async () => undefined, close: async () => undefined };
