import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Plan } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { type BackStep, fits } from "@millwright/engine/waves/ways-back";
import type { ApplyCall } from "../terraform/apply-call.ts";
import { eventsOf } from "../terraform/apply-call.ts";
import { approvalOf } from "../terraform/apply-planned.ts";
import { carryOut } from "../terraform/carry-out.ts";
import { emptyFolder, folderOfRun } from "../terraform/destination.ts";
import type { OpenState } from "../terraform/open-state.ts";
import { recoverInterrupted } from "../terraform/recover.ts";
import { newPool } from "../terraform/run-context.ts";
import { planFolder } from "../terraform/run-plan.ts";
import { savedPlan } from "../terraform/saved-plan.ts";
import { renderPlan } from "../views/plan.ts";
import type { WaveRun } from "./wave-run.ts";

/** The end of an apply that a gate has ended before its last wave. Gives the exit code, which is never 0. */
export async function endOfWaves(call: ApplyCall, state: OpenState, run: WaveRun, begun: number): Promise<number> {
  const { session } = call;
  const { gate, decision } = run.ended!;
  const where = begun === 0 ? "before the first wave" : `after wave ${begun} of ${run.planned.waves.length}`;
  if (decision.kind !== "back" || begun === 0) {
    const detail = `The gate "${gate}" is against the next wave: ${sentence(decision.because)}\n\nWhat was done stays. To go on from here, run apply with -waves again; to take it back, run revert.`;
    await session.report([errorDiagnostic(`Stopped ${where}`, detail)]);
    return 1;
  }
  const detail = `The gate "${gate}" asks to go back: ${sentence(decision.because)}`;
  await session.report([errorDiagnostic(`Going back ${where}`, detail)]);
  return (await goBack(call, state, run, begun)) ? 1 : 2;
}

// What a gate says may be whole sentences already.
function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

// Takes back what the first waves have done; false where not all of it could be.
async function goBack(call: ApplyCall, state: OpenState, run: WaveRun, begun: number): Promise<boolean> {
  const { session, occurrences, values } = call;
  const { waves, backs, before } = run.planned;
  const targets = [
    ...new Set(
      waves
        .slice(0, begun)
        .flat()
        .map(({ address }) => address.text),
    ),
  ];
  const shown = new Map(backs.slice(0, begun).flatMap(({ steps }) => [...steps]));
  const wanted = before ? targets : targets.filter((address) => shown.get(address) === "destroy");
  const folder = before ? await folderOfRun(session, before, occurrences) : emptyFolder();
  const pool = await newPool(session);
  try {
    const planning = { ...values, target: wanted, exclude: [], replace: [], out: undefined };
    const mode = before ? "normal" : "destroy";
    const events = eventsOf(call, "plan");
    const found = await planFolder({ session, folder, state, pool, values: planning, occurrences, mode, events });
    const { plan } = found;
    if (!plan || hasErrors(found.diagnostics)) {
      await session.report(found.diagnostics);
      return false;
    }
    if (!hasChanges(plan)) return true;
    if (session.json) session.json.plan(plan, false);
    else await session.io.stdout(`${renderPlan(plan, session.view, pool)}\n`);
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
    if (done?.ok && !session.json) await session.io.stdout("\nWhat the waves had done is taken back.\n");
    return done?.ok === true;
  } finally {
    await pool.close();
  }
}

// The approval of the waves covers their ways back as they were shown, and nothing else.
async function isAsShown(call: ApplyCall, plan: Plan, shown: ReadonlyMap<string, BackStep>): Promise<boolean> {
  const more = plan.changes.filter(({ address, action }) => !fits(shown.get(address.text), action));
  if (more.length === 0) return true;
  const names = more.slice(0, 10).map(({ address, action }) => `  - ${action} of ${address.text}`);
  const detail = `Going back needs more than was shown before the first wave:\n${names.join("\n")}\n\nThis is not covered by what was approved.`;
  await call.session.report([{ ...errorDiagnostic("Way back is not as it was shown", detail), severity: "warning" }]);
  return approvalOf(call, plan.mode);
}
