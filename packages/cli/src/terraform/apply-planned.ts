import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { InstanceChange, Plan, PlanMode } from "@millwright/engine/plan";
import { hasChanges, isChange } from "@millwright/engine/plan";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { styleOf, wrapText } from "../views/style.ts";
import type { PlannedWaves } from "../waves/plan-waves.ts";
import { programName } from "./program-name.ts";
import { type ApplyCall, carryOutAndSay, wavesFor, eventsOf, sayDone, stateOf } from "./apply-call.ts";
import { ask } from "./ask.ts";
import { loadFolder, type LoadedFolder } from "./folder.ts";
import type { OpenState } from "./open-state.ts";
import { onUnlessGiven } from "./options.ts";
import { holdForPlan, movedDiagnostic } from "./hold-parts.ts";
import { forgetSettled, recoverInterrupted } from "./recover.ts";
import { newPool } from "./run-context.ts";
import { savedPlan } from "./saved-plan.ts";
import type { Session } from "./session.ts";
import { shownPlan } from "./shown-plan.ts";
import { planFolder, type PlannedFolder } from "./run-plan.ts";

/** Plans, shows the plan, asks, and carries it out. Gives the exit code. */
export async function planAndApply(call: ApplyCall, mode: PlanMode): Promise<number> {
  const { session, verb } = call;
  if (!(await wavesAreReadable(call))) return 1;
  const state = await stateOf(call);
  if (!state) return 1;
  try {
    return await applyFolder(call, state, {
      folder: await loadFolder(session, call.occurrences),
      mode,
      operation: verb,
    });
  } finally {
    await state.release();
  }
}

/** Says what is wrong with waves.hcl before anything is planned, and also where nothing changes; false where something is. */
export async function wavesAreReadable({
  session,
  values,
}: {
  readonly session: Session;
  readonly values: { readonly waves: string | undefined };
}): Promise<boolean> {
  if (values.waves === undefined) return true;
  const { waveSettings } = await import("../waves/wave-run.ts");
  const { diagnostics } = waveSettings(session, values.waves);
  return !hasErrors(diagnostics) || session.report(diagnostics);
}

/** What is to be planned and carried out, and what the history calls it. */
export interface FolderToApply {
  readonly folder: LoadedFolder;
  readonly mode: PlanMode;
  readonly operation: string;
  /** What is said before the question, once the plan has been shown. */
  readonly foreword?: (plan: Plan) => string;
}

/**
 * Plans a folder, shows the plan, asks, and carries it out; then the same with what that plan had to put off, until nothing
 * is left. Gives the exit code.
 */
export async function applyFolder(call: ApplyCall, state: OpenState, what: FolderToApply): Promise<number> {
  const rounds = new Set<string>();
  for (let round = call; ; round = withoutReplace(call)) {
    const ended = await applyRound(round, state, what, rounds);
    if (ended !== "go on") return ended;
    if (!call.session.json) await call.session.io.stdout("\nWhat was put off is planned now.\n");
  }
}

// What is replaced on request is replaced once.
function withoutReplace(call: ApplyCall): ApplyCall {
  return { ...call, values: { ...call.values, replace: [] } };
}

/** `rounds`: what each round before has put off. */
async function applyRound(
  call: ApplyCall,
  state: OpenState,
  what: FolderToApply,
  rounds: Set<string>,
): Promise<number | "go on"> {
  const { session } = call;
  const { folder, operation } = what;
  // Kept from the plan to the end of the apply: what was started and configured for the one serves the other.
  const pool = await newPool(session);
  try {
    const agreed = await agreedPlan(call, state, what, pool, rounds);
    if (typeof agreed === "number") return agreed;
    const { plan, given, inWaves } = agreed;
    if (!session.json && plan.changes.some(isChange)) await session.io.stdout("\n");
    const { pending } = await recoverInterrupted(state);
    const record = { operation, saved: await savedPlan(session, plan, folder) };
    const waves = inWaves ? { waves: inWaves.run } : {};
    const carried = { plan, configuration: folder.configuration, given, pending, pool, record, ...waves };
    const code = await carryOutAndSay(call, state, carried);
    rounds.add(putOffBy(plan));
    return code === 0 && plan.deferrals.length > 0 ? "go on" : code;
  } finally {
    await pool.close();
  }
}

/** A plan that is to be carried out, with what it needs held; or the exit code, where there is none. */
async function agreedPlan(
  call: ApplyCall,
  state: OpenState,
  { folder, mode, foreword }: FolderToApply,
  pool: ProviderPool,
  rounds: ReadonlySet<string>,
): Promise<number | AgreedPlan> {
  const { session, values } = call;
  for (;;) {
    const planned = await planAndShow(call, folder, state, mode, pool);
    if (!planned) return 1;
    const { plan, given } = planned;
    // A change that each plan finds anew, such as one of timestamp(), would be carried out again and again.
    if (plan.deferrals.length > 0 && rounds.has(putOffBy(plan))) return finishUnchanged(call, state, plan);
    const changes = hasChanges(plan);
    const inWaves = changes ? await wavesFor(call, state, folder.configuration, plan) : undefined;
    if (inWaves === "mistake") return 1;
    const words = changes ? `${foreword?.(plan) ?? ""}${inWaves?.shown ?? ""}` : "";
    if (words !== "" && !session.json) await session.io.stdout(words);
    if (changes && !values["auto-approve"] && !(await approvalOf(call, plan.mode))) return 1;
    const held = await holdForPlan(session, state, plan, folder.configuration);
    if (held.kind === "held" && !changes) return finishUnchanged(call, state, plan);
    if (held.kind === "held") return { plan, given, inWaves };
    // They stay held, so that what is planned now is of what they are at the end too.
    await session.report([movedDiagnostic(held.parts)]);
  }
}

function putOffBy({ deferrals }: Plan): string {
  return JSON.stringify(deferrals.map(({ reason, change }) => [reason, change.address.text]));
}

interface AgreedPlan extends Pick<PlannedFolder, "plan" | "given"> {
  readonly inWaves: PlannedWaves<InstanceChange> | undefined;
}

async function planAndShow(
  call: ApplyCall,
  folder: LoadedFolder,
  state: OpenState,
  mode: Plan["mode"],
  pool: ProviderPool,
): Promise<Pick<PlannedFolder, "plan" | "given"> | undefined> {
  const { session, values, occurrences } = call;
  const events = eventsOf(call, "plan");
  const found = await planFolder({ session, folder, state, pool, values, occurrences, mode, events });
  const { plan, diagnostics } = found;
  const failed = hasErrors(diagnostics);
  if (plan) session.tellJson((view) => view.plan(plan, failed));
  if (plan && !session.json && (hasChanges(plan) || !failed))
    await session.io.stdout(shownPlan(session, plan, pool) + (diagnostics.length > 0 ? "\n" : ""));
  return (await session.report(diagnostics)) && found.plan ? found : undefined;
}

/** Whether the user says yes to what was shown. */
export async function approvalOf(
  call: Pick<ApplyCall, "session" | "occurrences" | "verb">,
  mode: PlanMode,
): Promise<boolean> {
  const { session, occurrences, verb } = call;
  const { io, view } = session;
  const name = programName(session.style);
  if (!onUnlessGiven(occurrences, "input") || isOff(io.env.TF_INPUT)) {
    const detail = `Changes need a yes, and with -input=false nobody is asked. Give -auto-approve, or save a plan with plan -out=FILE and apply that.`;
    await session.report([errorDiagnostic("Nobody to ask", detail)]);
    return false;
  }
  const style = styleOf(view);
  const question = style.bold(
    mode === "destroy"
      ? "Do you really want to destroy all of these?"
      : mode === "refresh-only"
        ? "Would you like to take these changes over into the state?"
        : "Do you want to perform these actions?",
  );
  const consequence =
    mode === "destroy"
      ? `${name} will destroy what is shown above. There is no undo. Only "yes" is accepted.`
      : `${name} will do exactly what is shown above. Only "yes" is accepted.`;
  const explained = wrapText(consequence, view.width - 2).map((line) => `  ${line}\n`);
  const answer = await ask(io, `\n${question}\n${explained.join("")}\n  ${style.bold("Enter a value:")} `);
  if (answer === undefined) await io.stdout("\n");
  if (answer?.trim() === "yes") return true;
  const why = answer === undefined && !io.signal.aborted ? "There was no answer (the input has ended). " : "";
  await io.stdout(`\n${why}${verb === "destroy" ? "Destroy" : "Apply"} cancelled. Nothing was changed.\n`);
  return false;
}

/** What is said where a plan puts off what one before it has put off. */
export const nothingToGoOnWith = errorDiagnostic(
  "Nothing to go on with",
  "What is put off stays so, whatever is done now: what it waits for is not part of this folder, waits for it in turn, or changes with each plan. Plan it without -allow-deferral to see what is missing.",
);

/** Whether an environment variable that is on by default says no. */
export function isOff(text: string | undefined): boolean {
  return text !== undefined && /^(0|f|false)$/i.test(text);
}

async function finishUnchanged(call: ApplyCall, state: OpenState, plan: Plan): Promise<number> {
  const { session } = call;
  if (plan.deferrals.length > 0) {
    await session.report([nothingToGoOnWith]);
    return 1;
  }
  // What was read again, moved or taken over belongs into the state, also where there is nothing else to do.
  await state.kept.write(plan.priorState);
  if (plan.settled.length > 0) await forgetSettled(state, plan.settled);
  const none = { imported: 0, added: 0, changed: 0, destroyed: 0 };
  session.tellJson((view) => view.applied(none, plan.mode, state.kept.current.state.outputs));
  if (!session.json) await sayDone(call, none, state);
  return 0;
}
