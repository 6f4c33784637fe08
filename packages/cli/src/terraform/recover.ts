import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { foldJournal } from "@millwright/engine/backend/local-state";
import { keepPending, type PendingCreate, readJournal } from "@millwright/engine/backend/journal";
import type { OpenState } from "./open-state.ts";

/**
 * Takes in what a killed run left beside a state: its finished changes are written into the state at once, and creates that
 * were under way stay in the journal until a plan settles them.
 */
export function recoverInterrupted(state: OpenState): {
  readonly pending: readonly PendingCreate[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const { local } = state;
  const record = readJournal(local.path);
  if (!record) return { pending: [], diagnostics: [] };
  const { lineage, serial } = local.current;
  if (lineage !== "" && record.header.lineage !== lineage) {
    const detail = `The journal beside ${local.path} belongs to another state (lineage ${record.header.lineage}, not ${lineage}). Put the state back that it belongs to, or move the journal away if you know that it is of no use.`;
    return { pending: record.pending, diagnostics: [errorDiagnostic("Journal of another state", detail)] };
  }
  if (record.changes === 0) return { pending: record.pending, diagnostics: [] };
  // A snapshot that was saved on the way holds the first of these changes already: to put them in again changes nothing.
  local.adoptLineage(record.header.lineage, Math.max(serial, record.header.serial));
  local.write(foldJournal(local.current.state, record), "always");
  keepPending(local.path, record.header, record.pending);
  const detail = `A run of ${record.header.started} was ended before it could save its state. ${record.done.length} of its changes had been finished and are in the state now.${unfinishedText(record.unfinished)}`;
  return {
    pending: record.pending,
    diagnostics: [warningDiagnostic("Took in what an interrupted run had done", detail)],
  };
}

function unfinishedText(unfinished: readonly { readonly address: string; readonly action: string }[]): string {
  if (unfinished.length === 0) return "";
  const list = unfinished.map(({ address, action }) => `  - ${action} of ${address}`).join("\n");
  return `\n\nThese were under way, and what came of them is seen by reading the objects again:\n${list}`;
}
