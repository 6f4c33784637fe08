import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { asSentence } from "@millwright/core/sentence";
import type { Plan } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { type BackStep, fits } from "@millwright/engine/waves/ways-back";
import type { FlagValues } from "../flags.ts";
import type { ApplyCall } from "../terraform/apply-call.ts";
import { eventsOf } from "../terraform/apply-call.ts";
import { approvalOf } from "../terraform/apply-planned.ts";
import { carryOut } from "../terraform/carry-out.ts";
import { type Destination, emptyFolder, folderOfRun } from "../terraform/destination.ts";
import type { OpenState } from "../terraform/open-state.ts";
import type { planningFlags } from "../terraform/options.ts";
import { recoverInterrupted } from "../terraform/recover.ts";
import { newPool } from "../terraform/run-context.ts";
import { planFolder } from "../terraform/run-plan.ts";
import { savedPlan } from "../terraform/saved-plan.ts";
import type { Session } from "../terraform/session.ts";
import { renderPlan } from "../views/plan.ts";
import type { WaveRun } from "./wave-run.ts";

/** The end of an apply that a gate has ended before its last wave. Gives the exit code, which is never 0. */
export async function endOfWaves<T>(session: Session, run: WaveRun<T>, begun: number): Promise<number> {
  const { gate, decision } = run.ended!;
  const where = begun === 0 ? "before the first wave" : `after wave ${begun} of ${run.work.waves.length}`;
  if (decision.kind !== "back" || begun === 0) {
    const detail = `The gate "${gate}" is against the next wave: ${asSentence(decision.because)}\n\nWhat was done stays. To go on from here, run apply with -waves again; to take it back, run revert.`;
    await session.report([errorDiagnostic(`Stopped ${where}`, detail)]);
    return 1;
  }
  const detail = `The gate "${gate}" asks to go back: ${asSentence(decision.because)}`;
  await session.report([errorDiagnostic(`Going back ${where}`, detail)]);
  if (!(await run.work.back(begun))) return 2;
  if (!session.json) await session.io.stdout("\nWhat the waves had done is taken back.\n");
  return 1;
}

/** The call that began the waves, with the session of what goes back. */
export interface BackCall extends Pick<ApplyCall, "session" | "verb" | "occurrences"> {
  readonly values: FlagValues<typeof planningFlags>;
}

/** What is taken back of a state, and how that was shown. */
export interface TakingBack {
  /** Addresses of the objects that are taken back; nothing else is looked at. */
  readonly touched: readonly string[] | "everything";
  readonly shown: ReadonlyMap<string, BackStep>;
  /** The run that is gone back to; without one, what was made is destroyed. */
  readonly before: Destination | undefined;
  /** What stands above the plan of the way back. */
  readonly heading?: string;
}

/** Plans the way back of one state, and carries it out where it is as it was shown, or is agreed to. False where it is not done. */
export async function takeBack(call: BackCall, state: OpenState, back: TakingBack): Promise<boolean> {
  const { session, occurrences, values } = call;
  const { touched, shown, before, heading = "" } = back;
  const folder = before ? await folderOfRun(session, before, occurrences) : emptyFolder();
  const pool = await newPool(session);
  try {
    const addresses = touched === "everything" ? [] : touched;
    const target = before ? addresses : addresses.filter((address) => shown.get(address) === "destroy");
    // Without a target everything would be meant.
    if (touched !== "everything" && target.length === 0) return noWayBack(session);
    const none: readonly string[] = [];
    const only = { target, exclude: none, replace: none, "target-file": none, "exclude-file": none };
    const planning = { ...values, ...only };
    const mode = before ? "normal" : "destroy";
    const events = eventsOf(call, "plan");
    const found = await planFolder({ session, folder, state, pool, values: planning, occurrences, mode, events });
    const { plan } = found;
    if (!plan || hasErrors(found.diagnostics)) {
      await session.report(found.diagnostics);
      return false;
    }
    if (!hasChanges(plan)) return true;
    session.tellJson((view) => view.plan(plan, false));
    if (!session.json) await session.io.stdout(`${heading}${renderPlan(plan, session.view, pool)}\n`);
    if (!(await isAsShown(call, plan, shown))) return false;
    const { pending } = await recoverInterrupted(state);
    const operation = before ? `back to ${before.number}` : "back to nothing";
    const record = { operation, saved: await savedPlan(session, plan, folder) };
    const done = await carryOut({
      session,
      state,
      plan,
      configuration: folder.configuration,
      given: found.given,
      pending,
      pool,
      events: eventsOf(call, "apply"),
      parallelism: values.parallelism ?? 10,
      record,
    });
    return done?.ok === true;
  } finally {
    await pool.close();
  }
}

async function noWayBack(session: Session): Promise<false> {
  const detail =
    "What the waves have changed has no way back, as was shown before the first of them: no whole run is in the history. It stays as it is.";
  await session.report([errorDiagnostic("Nothing can be taken back", detail)]);
  return false;
}

// The approval of the waves covers their ways back as they were shown, and nothing else.
async function isAsShown(call: BackCall, plan: Plan, shown: ReadonlyMap<string, BackStep>): Promise<boolean> {
  const more = plan.changes.filter(({ address, action }) => !fits(shown.get(address.text), action));
  if (more.length === 0) return true;
  const names = more.slice(0, 10).map(({ address, action }) => `  - ${action} of ${address.text}`);
  const detail = `Going back needs more than was shown before the first wave:\n${names.join("\n")}\n\nThis is not covered by what was approved.`;
  await call.session.report([{ ...errorDiagnostic("Way back is not as it was shown", detail), severity: "warning" }]);
  return approvalOf(call, plan.mode);
}
