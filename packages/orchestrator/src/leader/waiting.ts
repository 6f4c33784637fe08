import type { Allocation } from "@millwright/scheduler/allocation";
import { hasEnded } from "@millwright/scheduler/allocation";
import type { AllocId } from "@millwright/scheduler/ids";
import type { OrchestratorDraft } from "../state.ts";

/** Lets what waited for the end of an allocation start. */
export function releaseWaiting(draft: OrchestratorDraft, ended: AllocId): void {
  const next = draft.row("alloc", ended)?.allocation.replacedBy;
  const row = next ? draft.row("alloc", next) : undefined;
  if (row?.waitsFor === ended) draft.put("alloc", row.key, { ...row, waitsFor: null });
}

/**
 * What a new allocation waits for, or null. What it replaces may itself wait and never have started: then it waits for the same.
 * `isLost`: what it replaces is written as lost in the same commit.
 */
export function waitsFor(
  draft: OrchestratorDraft,
  { id, replaces }: Pick<Allocation, "id" | "replaces">,
  isLost: boolean,
): AllocId | null {
  const before = replaces === null ? undefined : draft.row("alloc", replaces);
  if (!before || replaces === null) return null;
  if (isLost || clientHasEnded(draft, replaces)) return null;
  if (before.waitsFor === null) return replaces;
  const first = draft.row("alloc", before.waitsFor);
  if (!first) return null;
  draft.put("alloc", first.key, { ...first, allocation: { ...first.allocation, replacedBy: id } });
  return before.waitsFor;
}

function clientHasEnded(draft: OrchestratorDraft, id: AllocId): boolean {
  const client = draft.row("client", id);
  return client !== undefined && hasEnded({ client: client.status });
}
