import type { CommitContext } from "@millwright/records/commit";
import type { Draft } from "@millwright/records/draft";
import { Projection, type ProjectionOptions } from "@millwright/records/projection";
import type { Row } from "@millwright/records/row";
import type { Schema } from "@millwright/records/schema";
import type { RecordState } from "@millwright/records/state";
import { type OrchestratorRecords, tables } from "./tables.ts";
import { World } from "./world.ts";

/** All that the jobs server knows: the records in their tables, and `derived`, the same put together for its readers. */
export type OrchestratorState = RecordState<OrchestratorRecords, World>;
export type OrchestratorDraft = Draft<OrchestratorRecords, World>;
export type OrchestratorCommits = CommitContext<OrchestratorRecords, World>;
export type OrchestratorRow<N extends keyof OrchestratorRecords> = Row<OrchestratorRecords, N>;

export const schema: Schema<OrchestratorRecords, World> = {
  root: "orchestrator/",
  tables,
  derive: (rows) => new World(rows),
};

/** Reads the state from a store, and follows it until the projection is closed. */
export function openOrchestratorState(options: ProjectionOptions): Promise<Projection<OrchestratorState>> {
  return Projection.open(schema, options);
}
