import { setImmediate } from "node:timers/promises";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Log } from "@millwright/core/ports";
import { topicOf } from "@millwright/records/table";
import { keepLeading, type Term } from "@millwright/store/leadership";
import { layout } from "./layout.ts";
import { endSession, whyOver } from "./session-end.ts";
import type { DiscoveryCommits } from "./state.ts";

export interface SessionKeeperContext extends DiscoveryCommits {
  readonly chance: Chance;
  readonly log: Log;
  readonly identity: { readonly nodeName: string };
}

/** What a session can end by; each commit that changes one of them is looked at. */
const reasons = ["session", "life", "node", "check"].map((table) => topicOf(table));

const sessionsPerTurn = 500;

/** Ends the sessions that are over, for as long as this server leads in it, until the signal aborts. */
export function keepSessions(context: SessionKeeperContext, signal: AbortSignal): Promise<void> {
  const { store, clock, chance, log, identity } = context;
  const options = { store, clock, chance, log, signal, key: layout.leader("sessions"), name: identity.nodeName };
  return keepLeading(options, (term) => watchSessions(context, term));
}

async function watchSessions(context: SessionKeeperContext, { fence, signal }: Term): Promise<void> {
  const { projection, clock, log } = context;
  while (!signal.aborted && !projection.closed) {
    // Asked for before looking: what changes meanwhile is not missed.
    const changed = projection.changed({ kind: "topics", topics: reasons }, signal);
    let failed = false;
    for (const { id, why } of await sessionsOver(context)) {
      if (signal.aborted) return;
      try {
        await endSession(context, id, { fence, unless: (draft, session) => !whyOver(draft.state, session) });
        log.write("info", "discovery: a session was ended", { session: id, why });
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        failed = true;
        log.write("warn", "discovery: a session could not be ended yet", { session: id, error: messageOf(error) });
      }
    }
    await (failed ? clock.sleep(1_000, signal).catch(() => undefined) : changed);
  }
}

async function sessionsOver({
  projection,
}: SessionKeeperContext): Promise<readonly { readonly id: string; readonly why: string }[]> {
  const over: { id: string; why: string }[] = [];
  let looked = 0;
  for (const session of projection.state.rows("session")) {
    if (++looked % sessionsPerTurn === 0) await setImmediate();
    const why = whyOver(projection.state, session);
    if (why) over.push({ id: session.id, why });
  }
  return over;
}
