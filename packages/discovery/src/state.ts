import type { BlockingContext } from "@millwright/records/blocking";
import type { CommitContext } from "@millwright/records/commit";
import type { Draft } from "@millwright/records/draft";
import type { GenerationsContext } from "@millwright/records/generations";
import type { Projection } from "@millwright/records/projection";
import type { RecordState } from "@millwright/records/state";
import type { Records, Row } from "./tables.ts";

/** The discovery server's records in memory, and what works on them. */
export type DiscoveryState = RecordState<Records>;
export type DiscoveryProjection = Projection<DiscoveryState>;
export type DiscoveryDraft = Draft<Records>;
export type DiscoveryCommits = CommitContext<Records>;
export type DiscoveryReads = BlockingContext<DiscoveryState>;
export type DiscoveryGenerations = GenerationsContext<Records>;

/** One key of the key-value store. */
export type KvEntry = Row<"kv">;
