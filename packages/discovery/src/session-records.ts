import { folded, joined, jsonTable } from "@millwright/records/table";

/** A session: what may hold keys as locks. Its key is its id, a UUID. */
export interface SessionRecord {
  readonly id: string;
  readonly name: string;
  /** The node it belongs to, and ends with. */
  readonly node: string;
  /** Milliseconds for which nobody may take a key that it held when it ended. */
  readonly lockDelay: number;
  /** What becomes of its keys when it ends. */
  readonly behavior: "release" | "delete";
  /** As it was given (`15s`); empty where it does not end by itself. */
  readonly ttl: string;
  /** Checks of the node and of its services; it ends when one of them is critical or gone. */
  readonly nodeChecks: readonly string[];
  readonly serviceChecks: readonly ServiceCheck[];
  /** The lease under its {@link LifeRecord}; empty without a time to live. */
  readonly lease: string;
  /** Whether it is over, and only its keys are still to be given back: it takes no new ones. */
  readonly ending: boolean;
}

export interface ServiceCheck {
  readonly id: string;
  readonly namespace: string;
}

export const sessionTable = jsonTable<SessionRecord>({
  fields: {
    id: true,
    name: true,
    node: true,
    lockDelay: true,
    behavior: true,
    ttl: true,
    nodeChecks: true,
    serviceChecks: true,
    lease: true,
    ending: true,
  },
  lists: ({ id, node }) => [sessionLists.id(id), sessionLists.on(node)],
});

export const sessionLists = {
  id: (id: string) => joined("id", id),
  on: (node: string) => joined("on", folded(node)),
} as const;

/** That a session with a time to live is renewed, for as long as its lease lasts; the key is the session's id. */
export interface LifeRecord {
  readonly session: string;
}

export const lifeTable = jsonTable<LifeRecord>({ fields: { session: true }, leased: true, lists: () => [] });

/**
 * Who holds a key of the key-value store as a lock; the record's key is that key, and it goes with it. It stands apart from
 * the key, so that a write of the key's value cannot take the lock away, and needs no look at it.
 */
export interface LockRecord {
  /** Empty while nobody holds it. */
  readonly session: string;
  /** How many times it was taken. */
  readonly lockIndex: number;
}

export const lockTable = jsonTable<LockRecord>({
  fields: { session: true, lockIndex: true },
  // The key itself is written whenever its lock changes, and its index is what is waited for.
  watched: false,
  lists: ({ session }) => (session === "" ? [] : [lockLists.held(session)]),
});

export const lockLists = {
  held: (session: string) => joined("held", session),
} as const;

/** That a key may not be taken yet, because a session ended that held it; for as long as its lease lasts. */
export interface DelayRecord {
  readonly session: string;
}

export const delayTable = jsonTable<DelayRecord>({ fields: { session: true }, leased: true, lists: () => [] });
