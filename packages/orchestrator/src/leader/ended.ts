import { hasEnded } from "@millwright/scheduler/allocation";
import type { AllocId } from "@millwright/scheduler/ids";
import { jobKey } from "@millwright/scheduler/snapshot";
import type { OrchestratorContext } from "../context.ts";
import type { ClientRecord } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";
import { ask } from "./ask.ts";
import { releaseWaiting } from "./waiting.ts";

/**
 * Writes what a node says of its allocations, and what follows where one has ended: what waited for its end may start, and if it was
 * still wanted, its job is looked at. All that one commit takes in at once.
 */
export function writeClients(
  draft: OrchestratorDraft,
  context: Pick<OrchestratorContext, "clock" | "chance">,
  updates: readonly { readonly id: AllocId; readonly record: ClientRecord }[],
): void {
  const asked = new Set<string>();
  for (const { id, record } of updates) {
    const before = draft.row("client", id);
    draft.put("client", id, record);
    if (!hasEnded({ client: record.status })) continue;
    releaseWaiting(draft, id);
    if (before && hasEnded({ client: before.status })) continue;
    askBecauseEnded(draft, context, id, asked);
  }
}

function askBecauseEnded(
  draft: OrchestratorDraft,
  context: Pick<OrchestratorContext, "clock" | "chance">,
  id: AllocId,
  asked: Set<string>,
): void {
  const alloc = draft.row("alloc", id)?.allocation;
  if (alloc?.desired !== "run") return;
  const key = jobKey(alloc.namespace, alloc.job);
  const record = draft.state.derived.snapshot.jobs.get(key);
  const job = record?.versions.get(record.current);
  // Batch work that has ended well is done; whether it has is for the scheduler to say of all else.
  const status = draft.row("client", id)?.status;
  const isDone = status === "complete" && (job?.type === "batch" || job?.type === "sysbatch");
  if (!job || isDone || asked.has(key)) return;
  asked.add(key);
  ask(draft, context, alloc, "alloc-failure");
}
