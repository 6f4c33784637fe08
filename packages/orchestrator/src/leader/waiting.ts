import { isDeepStrictEqual } from "node:util";
import type { Allocation } from "@millwright/scheduler/allocation";
import { hasEnded } from "@millwright/scheduler/allocation";
import type { AllocId } from "@millwright/scheduler/ids";
import type { OrchestratorContext } from "../context.ts";
import { newEvaluation } from "../evaluation.ts";
import type { ClientRecord } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";

/** Lets what waited for the end of an allocation start. */
export function releaseWaiting(draft: OrchestratorDraft, ended: AllocId): void {
  const next = draft.row("alloc", ended)?.allocation.replacedBy;
  const row = next ? draft.row("alloc", next) : undefined;
  if (row?.waitsFor === ended) draft.put("alloc", row.key, { ...row, waitsFor: null });
}

/** What a replacement waits for, or null. What never started, as it waited itself, hands down what it waited for. */
export function waitsFor(draft: OrchestratorDraft, { id, replaces }: Allocation, isLost: boolean): AllocId | null {
  const before = replaces === null ? undefined : draft.row("alloc", replaces);
  if (!before || replaces === null) return null;
  const client = draft.row("client", replaces);
  if (isLost || (client && hasEnded({ client: client.status }))) return null;
  if (before.waitsFor === null) return replaces;
  const first = draft.row("alloc", before.waitsFor);
  if (!first) return null;
  draft.put("alloc", first.key, { ...first, allocation: { ...first.allocation, replacedBy: id } });
  return before.waitsFor;
}

/**
 * Writes what a node says of one of its allocations, with what follows from its end: what waited for it may start, and where it
 * ended although it was wanted, its job is looked at. To be called with all of a commit's updates one after another.
 */
export function writeClient(
  draft: OrchestratorDraft,
  context: Pick<OrchestratorContext, "clock" | "chance">,
  id: AllocId,
  record: ClientRecord,
): void {
  const alloc = draft.row("alloc", id);
  const before = draft.row("client", id);
  draft.put("client", id, record);
  if (!alloc || !hasEnded({ client: record.status })) return;
  releaseWaiting(draft, id);
  const isNew = before === undefined || !hasEnded({ client: before.status });
  if (!isNew || alloc.allocation.desired !== "run") return;
  const { namespace, job: id_, version } = alloc.allocation;
  const job = draft.state.derived.snapshot.jobs.get(jobKey(namespace, id_))?.versions.get(version);
}
