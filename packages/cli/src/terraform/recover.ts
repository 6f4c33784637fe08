import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { foldJournal, openCreates } from "@millwright/engine/backend/local-state";
import {
  type JournalHeader,
  keepPending,
  type PendingCreate,
  processStart,
  readJournal,
} from "@millwright/engine/backend/journal";
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
  const { header } = record;
  if (header.pid !== process.pid && processStart(header.pid) === header.processStart)
    return { pending: [], diagnostics: [atWork(local.path, header)] };
  if (record.changes === 0 && record.pending.length === 0) {
    keepPending(local.path, header, []);
    return { pending: [], diagnostics: [] };
  }
  const { lineage, serial } = local.current;
  if (lineage !== "" && header.lineage !== lineage) {
    const detail = `The journal beside ${local.path} belongs to another state (lineage ${header.lineage}, not ${lineage}). Put the state back that it belongs to, or move the journal away if you know that it is of no use.`;
    return { pending: record.pending, diagnostics: [errorDiagnostic("Journal of another state", detail)] };
  }
  const folded = foldJournal(local.current.state, record);
  const pending = openCreates(folded, record.pending);
  if (record.changes === 0) {
    if (pending.length < record.pending.length) keepPending(local.path, header, pending);
    return { pending, diagnostics: [] };
  }
  // A snapshot that was saved on the way holds the first of these changes already: to put them in again changes nothing.
  local.adoptLineage(header.lineage, Math.max(serial, header.serial));
  local.write(folded, "always");
  keepPending(local.path, header, pending);
  const detail = `A run of ${header.started} was ended before it could save its state. ${record.done.length} of its changes had been finished and are in the state now.${unfinishedText(record.unfinished)}`;
  return {
    pending,
    diagnostics: [warningDiagnostic("Took in what an interrupted run had done", detail)],
  };
}

/** Has the journal forget interrupted creates that a plan has settled, once the state that the plan goes on from is saved. */
export function forgetSettled({ local }: OpenState, settled: readonly string[]): void {
  const record = readJournal(local.path);
  if (!record) return;
  const open = record.pending.filter(({ address }) => !settled.includes(address));
  keepPending(local.path, record.header, open);
}

// Only a run that has not waited for the lock (-lock=false) can see the journal of one that lives.
function atWork(path: string, { pid, started }: JournalHeader): Diagnostic {
  const detail = `Process ${pid} has been changing ${path} since ${started}. Wait for it to end, and leave the lock on so that this happens by itself.`;
  return errorDiagnostic("Another run is at work", detail);
}

function unfinishedText(unfinished: readonly { readonly address: string; readonly action: string }[]): string {
  if (unfinished.length === 0) return "";
  const list = unfinished.map(({ address, action }) => `  - ${action} of ${address}`).join("\n");
  return `\n\nThese were under way, and what came of them is seen by reading the objects again:\n${list}`;
}
