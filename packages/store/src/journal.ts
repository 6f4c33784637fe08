import type { LeaseId } from "./contract.ts";
import type { Version } from "./history.ts";

/** What an embedded store must find again after a restart, in the order it happened. */
export type JournalRecord =
  | { readonly kind: "commit"; readonly revision: number; readonly versions: readonly Version[] }
  | { readonly kind: "leaseGranted"; readonly lease: LeaseId; readonly ttl: number }
  | { readonly kind: "leaseEnded"; readonly lease: LeaseId }
  /** Revisions before `oldest` are gone; `dropped` are versions that nobody can read any more. */
  | { readonly kind: "compacted"; readonly oldest: number; readonly dropped: readonly Dropped[] };

/** Names one version: what a revision made of a key. */
export interface Dropped {
  readonly key: string;
  readonly modified: number;
}

/** Where an embedded store writes before it acknowledges. */
export interface Journal {
  /** Resolves once all records are durable; rejects with an operational error where none of them is, and none will be. */
  append(records: readonly JournalRecord[]): Promise<void>;
  close(): Promise<void>;
}
