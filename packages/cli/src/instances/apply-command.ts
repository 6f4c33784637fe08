import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Outcome } from "@millwright/engine/graph";
import { hasChanges, type PlanMode } from "@millwright/engine/plan";
import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { approvalOf } from "../terraform/apply-planned.ts";
import type { GivenFlag } from "../terraform/options.ts";
import { planMode } from "../terraform/run-plan.ts";
import type { CommandStyle } from "../terraform/session.ts";
import { Session } from "../terraform/session.ts";
import { sourcesIn } from "../views/diagnostics.ts";
import { JsonView } from "../views/json-lines.ts";
import { styleOf } from "../views/style.ts";
import { applyInstances, type AppliedInstances } from "./apply-instances.ts";
import { applySavedInstances } from "./apply-saved-instances.ts";
import { instancePlanningFlags, misuseOfInstances } from "./flags.ts";
import { loadListing } from "./listing.ts";
import { planInstances, type PlannedInstances } from "./plan-instances.ts";
import { plansOf } from "./render.ts";
import { showPlans } from "./show-plans.ts";
import { readLine } from "../terraform/read-line.ts";

const flags = {
  ...instancePlanningFlags,
  "auto-approve": { kind: "bool", help: "Do not ask before changing anything." },
  waves: { kind: "string", value: "SIZES", alone: "", help: "Not for a list of instances: see -instance." },
} as const satisfies FlagTable;

type Verb = "apply" | "destroy";

/** One call of apply or destroy over instances. */
export interface ApplyInstancesCall {
  readonly session: Session;
  readonly verb: Verb;
  readonly values: FlagValues<typeof flags>;
  readonly occurrences: readonly GivenFlag[];
}

/** Applies or destroys the instances that the folder lists. */
export async function runApplyInstances(
  verb: Verb,
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const parsed = await readLine(flags, args, io, () => help(verb, style));
  if (typeof parsed === "number") return parsed;
  const { values, occurrences } = parsed;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: values["compact-warnings"],
    ...(values.json ? { json: new JsonView(io, sourcesIn(io.cwd)) } : {}),
  });
  const mode = planMode(values, verb === "destroy");
  const refused = typeof mode === "string" ? misuse(verb, parsed.args, values) : mode;
  if (refused || typeof mode !== "string") {
    await session.report(refused ? [refused] : []);
    return 1;
  }
  const call = { session, verb, values, occurrences };
  const [file] = parsed.args;
  return session.guard(() => (file === undefined ? planAndApply(call, mode) : applySavedInstances(call, file)));
}

function misuse(verb: Verb, args: readonly string[], values: FlagValues<typeof flags>): Diagnostic | undefined {
  if (values.json && !values["auto-approve"] && args.length === 0) {
    const detail = "With -json nobody can be asked, so apply needs -auto-approve or a saved plan.";
    return errorDiagnostic("Plan file or auto-approve required", detail);
  }
  if (values.waves !== undefined) {
    const detail =
      "Waves divide the changes of one state, and each instance has its own. Apply some of the instances at a time by -instance=NAME, and the rest when these are well.";
    return errorDiagnostic("Waves over instances", detail);
  }
  if (args.length > 0 && values.instance.length > 0) {
    const detail = "A saved plan is carried out as a whole. Give -instance when planning.";
    return errorDiagnostic("Part of a saved plan", detail);
  }
  return misuseOfInstances(args, values, verb === "destroy" ? 0 : 1);
}

async function planAndApply(call: ApplyInstancesCall, mode: PlanMode): Promise<number> {
  // What had to wait for outputs is planned in a round of its own, as often as that brings something new.
  for (;;) {
    const round = await oneRound(call, mode);
    if (round !== "again") return round;
    if (!call.session.json) await call.session.io.stdout("\nWhat had to wait for these outputs is planned now.\n");
  }
}

async function oneRound(call: ApplyInstancesCall, mode: PlanMode): Promise<number | "again"> {
  const { session, values, occurrences } = call;
  const listing = await loadListing(session);
  const chosen = values.instance;
  const operation = "OperationTypeApply";
  const plans = await planInstances({ session, listing, mode, chosen, values, occurrences, operation });
  if (!plans) return 1;
  try {
    if (!(await showPlans(session, plans))) return 1;
    const changes = plansOf(plans).some(hasChanges);
    if (changes && !values["auto-approve"] && !(await approvalOf(call, mode))) return 1;
    const applied = await applyInstances({
      session,
      list: listing.list,
      variables: plans.variables,
      order: plans.order,
      given: plans.given,
      parallelism: values.parallelism ?? 10,
      ready: readyOf(plans),
    });
    const ok = await sayApplied(call, applied);
    return ok && plans.later.size > 0 && changes ? "again" : ok ? 0 : 1;
  } finally {
    await plans.release();
  }
}

function readyOf({ planned }: PlannedInstances) {
  return new Map(
    [...planned].map(([name, { folder, ...instance }]) => {
      return [name, { ...instance, configuration: folder.configuration, files: folder.files }] as const;
    }),
  );
}

/** The last words of an apply of instances: what was done, what failed, what was not begun. */
export async function sayApplied(
  { session, verb }: Pick<ApplyInstancesCall, "session" | "verb">,
  { outcomes, counts }: AppliedInstances,
): Promise<boolean> {
  const named = (wanted: Outcome) => [...outcomes].filter(([, outcome]) => outcome === wanted).map(([name]) => name);
  const failed = named("failed");
  const skipped = named("skipped");
  const ok = failed.length + skipped.length === 0;
  const { imported, added, changed, destroyed } = counts;
  if (session.json) {
    session.json.total({ add: added, change: changed, destroy: destroyed, import: imported }, verb);
    return ok;
  }
  const style = styleOf(session.view);
  const done = named("done").length;
  const what = done === 1 ? "1 instance" : `${done} instances`;
  const sum = `${added} added, ${changed} changed, ${destroyed} destroyed`;
  if (ok) {
    const head = `${verb === "destroy" ? "Destroy" : "Apply"} complete! ${what}. Resources: ${sum}.`;
    await session.io.stdout(`\n${style.green(style.bold(head))}\n`);
    return true;
  }
  const lines = [
    `${style.bold(`${what} done, ${failed.length} failed, ${skipped.length} not begun.`)} Resources: ${sum}.`,
  ];
  if (failed.length > 0) lines.push(`Failed: ${failed.join(", ")}`);
  if (skipped.length > 0) lines.push(`Not begun: ${skipped.join(", ")}`);
  await session.io.stdout(
    `\n${lines.join("\n")}\nWhat was done is in the states. Run plan to see what is left to do.\n`,
  );
  return false;
}

function help(verb: Verb, style: CommandStyle): string {
  const what =
    verb === "apply"
      ? `Usage: ${style} apply [flags] [PLAN]

Brings every instance that this folder lists to what its template and inputs
say: in their order, independent ones side by side. Shows the plan and asks
first; a saved plan is carried out without a question.

Example: ${style} apply change.plan
`
      : `Usage: ${style} destroy [flags]

Removes everything that the instances of this folder have made, in the reverse
of their order. Shows the plan, and asks.

Example: ${style} destroy -instance=app-blue
`;
  return `${what}\n${describeFlags(flags)}`;
}
