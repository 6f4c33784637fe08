import type { PendingCreate } from "@millwright/engine/backend/journal";
import { type OpenState, openState, type StateOptions } from "./open-state.ts";
import { recoverInterrupted } from "./recover.ts";
import type { Session } from "./session.ts";

/** Holds a state while something is done with it. Gives the exit code: the work's, or 1 where it cannot be had, which was reported. */
export async function withState(
  session: Session,
  options: StateOptions,
  work: (state: OpenState) => Promise<number>,
): Promise<number> {
  const state = await openState(session, options);
  if (!state) return 1;
  try {
    return await work(state);
  } finally {
    await state.release();
  }
}

/** The same, once what a killed run has left beside it is taken in; `pending` are its creates that are still open. */
export function withRecovered(
  session: Session,
  options: StateOptions,
  work: (state: OpenState, pending: readonly PendingCreate[]) => Promise<number>,
): Promise<number> {
  return withState(session, options, async (state) => {
    const { pending, diagnostics } = await recoverInterrupted(state);
    return (await session.report(diagnostics)) ? work(state, pending) : 1;
  });
}
