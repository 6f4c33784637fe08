import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { foldJournal, openCreates } from "@millwright/engine/backend/fold";
import { type JournalHeader, type PendingCreate, processStart } from "@millwright/engine/backend/journal";
import type { ProviderProcess } from "@millwright/engine/ports";
import { findProcess } from "@millwright/process/found-process";
import { partOfInstance } from "@millwright/engine/parts/parts-of-plan";
import { withParts } from "./hold-parts.ts";
import type { OpenState } from "./open-state.ts";

/** What a killed run left: the creates that are still open, and what is to be said. */
export interface Recovered {
  readonly pending: readonly PendingCreate[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Takes in what a killed run left beside a state: its finished changes are written into the state at once, and creates that
 * were under way stay in the journal until a plan settles them.
 */
export async function recoverInterrupted(state: OpenState): Promise<Recovered> {
  const { kept } = state;
  const { journal } = kept;
  const record = await journal.read();
  if (!record) return { pending: [], diagnostics: [] };
  const { header } = record;
  if (header.pid !== process.pid && processStart(header.pid) === header.processStart)
    return { pending: [], diagnostics: [atWork(kept.place, header)] };
  await endLeft(record.processes);
  if (record.changes === 0 && record.pending.length === 0) {
    await journal.keepPending(header, []);
    return { pending: [], diagnostics: [] };
  }
  const { lineage } = kept.current;
  if (lineage !== "" && header.lineage !== lineage) {
    const detail = `The journal ${journal.path} belongs to another state (lineage ${header.lineage}, not ${lineage}). Put the state back that it belongs to, or move the journal away if you know that it is of no use.`;
    return { pending: record.pending, diagnostics: [errorDiagnostic("Journal of another state", detail)] };
  }
  const folded = foldJournal(kept.current.state, record);
  const pending = openCreates(folded, record.pending);
  if (record.changes === 0) {
    if (pending.length < record.pending.length) await journal.keepPending(header, pending);
    return { pending, diagnostics: [] };
  }
  // A snapshot that was saved on the way holds the first of these changes already: to put them in again changes nothing.
  const parts = record.done.map(({ address }) => partOfInstance(address));
  await withParts(state, [...new Set(parts)].sort(), async () => {
    const now = foldJournal(kept.current.state, record);
    kept.adoptLineage(header.lineage, Math.max(kept.current.serial, header.serial));
    await kept.write(now, "always");
    await journal.keepPending(header, pending);
  });
  const detail = `A run of ${header.started} was ended before it could save its state. ${record.done.length} of its changes had been finished and are in the state now.${unfinishedText(record.unfinished)}`;
  return {
    pending,
    diagnostics: [warningDiagnostic("Took in what an interrupted run had done", detail)],
  };
}

/** Has the journal forget interrupted creates that a plan has settled, once the state that the plan goes on from is saved. */
export async function forgetSettled({ kept }: OpenState, settled: readonly string[]): Promise<void> {
  const record = await kept.journal.read();
  if (!record) return;
  const open = record.pending.filter(({ address }) => !settled.includes(address));
  await kept.journal.keepPending(record.header, open);
}

/** Has the journal keep these interrupted creates and no others. */
export async function keepOpen({ kept }: OpenState, open: readonly PendingCreate[]): Promise<void> {
  const record = await kept.journal.read();
  if (record) await kept.journal.keepPending(record.header, open);
}

/** Ends the providers that a killed run has left: nothing they still do may come between this run and what it reads. */
async function endLeft(processes: readonly ProviderProcess[]): Promise<void> {
  await Promise.all(processes.map((one) => findProcess(one)?.end({ signal: "SIGTERM", graceMilliseconds: 2_000 })));
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
