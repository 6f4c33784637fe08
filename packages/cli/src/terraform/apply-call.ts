import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { ApplyResult } from "@millwright/engine/apply-run";
import type { Configuration } from "@millwright/engine/configuration";
import type { InstanceChange, Plan } from "@millwright/engine/plan";
import type { PlanBackend } from "@millwright/engine/plan-file";
import type { RunEvent, RunListener } from "@millwright/engine/ports";
import type { FlagValues } from "../flags.ts";
import { renderOutputs } from "../views/outputs.ts";
import { revealedOutputs } from "../views/revealed.ts";
import type { PlannedWaves } from "../waves/plan-waves.ts";
import { progressView } from "../views/progress.ts";
import { styleOf } from "../views/style.ts";
import type { applyFlags } from "./apply.ts";
import { carryOut, type CarryOutInput } from "./carry-out.ts";
import { type OpenState, openState, scopedFor, stateOptions } from "./open-state.ts";
import type { GivenFlag } from "./options.ts";
import { planMode } from "./run-plan.ts";
import type { Session } from "./session.ts";

/** One call of apply or destroy: what was typed, and whom to tell. */
export interface ApplyCall {
  readonly session: Session;
  readonly verb: "apply" | "destroy";
  readonly values: FlagValues<typeof applyFlags>;
  readonly occurrences: readonly GivenFlag[];
}

/** The state that a call works on; undefined where it cannot be read, which was reported. */
export function stateOf(
  { session, verb, values, occurrences }: ApplyCall,
  backend?: PlanBackend,
): Promise<OpenState | undefined> {
  const mode = planMode(values, occurrences, verb === "destroy");
  const scoped = typeof mode === "string" ? scopedFor(mode, values) : values;
  const options = stateOptions(scoped, occurrences, "OperationTypeApply");
  return openState(session, { ...options, ...(backend ? { backend } : {}) });
}

/** Who is told of the steps of a phase. */
export function eventsOf({ session }: Pick<ApplyCall, "session">, phase: "plan" | "apply"): RunListener {
  const { json, reporting, instance } = session;
  if (json) return json.events;
  const told = reporting.concise ? undefined : progressView(session, phase);
  // Those of several instances are under way at once, so that each step is told with the name of its own.
  const named = (event: RunEvent) =>
    told?.(instance ? { ...event, address: `${instance.name}: ${event.address}` } : event);
  return (event) => {
    named(event);
    reporting.also?.events(event);
  };
}

/** Does what a plan says and tells what came of it. Gives the exit code. */
export async function carryOutAndSay(
  call: ApplyCall,
  state: OpenState,
  what: Pick<CarryOutInput, "plan" | "configuration" | "given" | "pending" | "pool" | "record" | "waves">,
): Promise<number> {
  const { session, values } = call;
  const { plan } = what;
  const events = eventsOf(call, "apply");
  const parallelism = values.parallelism ?? 10;
  if (what.waves && !(await what.waves.mayContinue(plan.checks, session.io.signal)))
    return (await import("../waves/back.ts")).endOfWaves(session, what.waves, 0);
  const done = await carryOut({ ...what, session, state, events, parallelism });
  if (!done) return 1;
  const { ok, saved, result } = done;
  if (ok) session.tellJson((view) => view.applied(result.counts, plan.mode, result.state.outputs));
  if (ok && !session.json) await sayDone(call, result.counts, state);
  // Where the waves are gone back from, what is left to do is not the question.
  else if (saved && !session.json && what.waves?.ended?.decision.kind !== "back")
    await sayPartial(session, result.counts);
  if (what.waves?.ended && saved) {
    const { endOfWaves } = await import("../waves/back.ts");
    return endOfWaves(session, what.waves, result.waves?.begun ?? 0);
  }
  return ok && (await mayLeaveObjects(call, plan)) ? 0 : 1;
}

// Whoever waits for the end of a destroy takes it that nothing is left, which is not so of what was let go.
async function mayLeaveObjects({ session, values }: ApplyCall, { mode, changes }: Plan): Promise<boolean> {
  if (mode !== "destroy" || values["suppress-forget-errors"]) return true;
  const left = changes.filter(({ action }) => action === "forget").map(({ address }) => address.text);
  if (left.length === 0) return true;
  const detail = `What was to be destroyed is destroyed. Because of destroy = false these were let go, and are no longer managed, but still there: ${left.join(", ")}. Where that is as it should be, -suppress-forget-errors has it end without an error.`;
  return session.report([errorDiagnostic("Destroy was successful but left behind forgotten instances", detail)]);
}

/** The last words of an apply that went well: what it did, and the outputs. */
export async function sayDone(
  { session, verb }: ApplyCall,
  counts: ApplyResult["counts"],
  state: OpenState,
): Promise<void> {
  const style = styleOf(session.view);
  const { added, changed, destroyed } = counts;
  const imported = counts.imported > 0 ? `${counts.imported} imported, ` : "";
  const text =
    verb === "destroy"
      ? `Destroy complete! Resources: ${destroyed} destroyed.`
      : `Apply complete! Resources: ${imported}${added} added, ${changed} changed, ${destroyed} destroyed.`;
  await session.io.stdout(`\n${style.green(style.bold(text))}\n`);
  const { outputs } = state.kept.current.state;
  if (outputs.size > 0 && verb !== "destroy")
    await session.io.stdout(
      `\n${style.green("Outputs:")}\n\n${renderOutputs(session.reporting.showSensitive ? revealedOutputs(outputs) : outputs)}`,
    );
}

async function sayPartial({ io }: Session, { added, changed, destroyed }: ApplyResult["counts"]): Promise<void> {
  if (added + changed + destroyed === 0) return;
  await io.stdout(
    `\nWhat was done before that is in the state: ${added} added, ${changed} changed, ${destroyed} destroyed.\nRun plan to see what is left to do.\n`,
  );
}

/**
 * The waves that `-waves` asks for, or that a killed run was in; undefined where neither is so, "mistake" where
 * something is wrong, which was reported.
 */
export async function wavesFor(
  call: ApplyCall,
  state: OpenState,
  configuration: Configuration,
  plan: Plan,
): Promise<PlannedWaves<InstanceChange> | "mistake" | undefined> {
  const killed = await state.history.killedInWaves();
  if (call.values.waves === undefined && !killed) return undefined;
  const { wavesOf } = await import("../waves/plan-waves.ts");
  return wavesOf(call, state, { configuration, plan, sizes: call.values.waves, ...(killed ? { killed } : {}) });
}
