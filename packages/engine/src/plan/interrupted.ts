import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { impliedType } from "@millwright/provider/implied-type";
import type { InterruptedAnswer } from "@millwright/provider/protocol";
import { decodeJson } from "@millwright/value/json";
import { isNull } from "@millwright/value/value";
import type { PendingCreate } from "../backend/journal.ts";
import { storedObject } from "../objects.ts";
import type { ObjectState, State } from "../state.ts";
import { noPrivate, StateBuilder } from "../state.ts";
import { parseAddress } from "../parse-address.ts";
import { readSent } from "./read-sent.ts";
import type { ObjectTarget } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { report } from "./run.ts";

/**
 * The state with an empty instance for each create that may have happened, so that a plan comes by it also where the
 * configuration no longer wants it.
 */
export function withInterrupted(state: State, entries: Iterable<PendingCreate>): State {
  const builder = new StateBuilder(state);
  for (const { address, provider } of entries) {
    const parsed = parseAddress(address);
    if (parsed?.kind === "instance") builder.hold(parsed.address, provider);
  }
  return builder.snapshot();
}

/** Takes those out again of which nothing came. */
export function withoutEmpty(builder: StateBuilder, entries: Iterable<PendingCreate>): void {
  for (const { address, provider } of entries) {
    const parsed = parseAddress(address);
    if (parsed?.kind !== "instance") continue;
    const current = builder.instance(parsed.address)?.current;
    if (!current) builder.setCurrent(parsed.address, provider, undefined);
  }
}

/**
 * Settles a create of this instance that was under way when an earlier run was killed, if there was one. Where the provider
 * can tell by what was sent whether the object is there (its identity follows from the configuration), it is taken over or
 * ruled out. Otherwise that is an error which says what was sent and when, and offers what can be done: nothing is created
 * twice silently. `kept` is how an object that is taken over is kept. False where the instance cannot be planned.
 */
export async function settleInterrupted(
  run: PlanRun,
  target: ObjectTarget,
  kept: Pick<ObjectState, "dependencies" | "status">,
): Promise<boolean> {
  const { address, schema, providerAddress } = target;
  const entry = run.interrupted.get(address.text);
  if (!entry) return true;
  const found = await look(target, entry);
  if (found.kind === "unknown") return report(run, [unsettled(entry, found.why)]);
  run.interrupted.delete(address.text);
  if (found.kind === "absent" || isNull(found.state)) return true;
  const parts = { ...kept, private: found.private ?? noPrivate, createBeforeDestroy: false };
  run.refreshed.setCurrent(address, providerAddress.text, storedObject(found.state, schema, parts));
  const detail = `The create of ${entry.address} was under way when its run ended at ${entry.at}. The object is there, and is taken into the state.${kept.status === "tainted" ? " Its provisioners had not run to their end, so it is to be replaced." : ""}`;
  return report(run, [
    warningDiagnostic("Took over an object of an interrupted create", detail, { address: entry.address }),
  ]);
}

async function look({ provider, schema }: ObjectTarget, entry: PendingCreate): Promise<InterruptedAnswer> {
  const sent = decodeJson(entry.sent, impliedType(schema.block));
  if (!sent.ok) return { kind: "unknown", why: "what was sent does not fit the provider's schema" };
  try {
    const call = { type: entry.type, sent: sent.value };
    return await (provider.findInterrupted ? provider.findInterrupted(call) : readSent(provider, schema, call));
  } catch (error) {
    return { kind: "unknown", why: messageOf(error) };
  }
}

/** Interrupted creates of what the configuration no longer has: nobody else would speak of them. `reported` were spoken of. */
export function noLongerWanted(
  left: ReadonlyMap<string, PendingCreate>,
  reported: readonly Diagnostic[],
): Diagnostic[] {
  const known = new Set(reported.filter((d) => d.code === "pending-create").map((d) => d.address));
  return [...left.values()]
    .filter((entry) => !known.has(entry.address))
    .map((entry) => unsettled(entry, "the configuration does not have it any more, so it was not looked for"));
}

function unsettled(entry: PendingCreate, why: string): Diagnostic {
  // As a shell takes it.
  const typed = /^[\w.-]+$/.test(entry.address) ? entry.address : `'${entry.address}'`;
  const detail = `A run that was killed had asked for ${entry.address} to be created, at ${entry.at}, and no answer came. Whether the object exists is not known: ${why}.

What was sent (unknown and sensitive parts left out):
  ${entry.sent}

Look whether it is there, then do one of these:
  - it exists and is wanted:      import ${typed} ID   (or an import block)
  - it exists and is not wanted:  remove it by hand, then: state rm ${typed}
  - it does not exist:            state rm ${typed}   (the next plan creates it)`;
  return errorDiagnostic("A create may have happened", detail, { address: entry.address, code: "pending-create" });
}
