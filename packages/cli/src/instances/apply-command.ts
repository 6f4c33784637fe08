import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { PlanMode } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { applyFlags, nobodyToAsk } from "../terraform/apply.ts";
import { approvalOf, nothingToGoOnWith, wavesAreReadable } from "../terraform/apply-planned.ts";
import type { GivenFlag } from "../terraform/options.ts";
import { runPlanning } from "../terraform/planning-session.ts";
import { readLine } from "../terraform/read-line.ts";
import type { CommandStyle, Session } from "../terraform/session.ts";
import { applySavedInstances } from "./apply-saved-instances.ts";
import { carryOutInstances } from "./carry-out-instances.ts";
import { instancePlanningFlags, misuseOfInstances } from "./flags.ts";
import { instanceWaves } from "./instance-waves.ts";
import { loadListing } from "./listing.ts";
import { planInstances } from "./plan-instances.ts";
import { leftToPlan, namedPlans, plansOf } from "./render.ts";
import { showPlans } from "./show-plans.ts";

const flags = {
  ...instancePlanningFlags,
  "auto-approve": applyFlags["auto-approve"],
  waves: {
    ...applyFlags.waves,
    help: "Carry the instances out in waves of these sizes, such as 1,10%,100% of the instances that change, and ask the gates of waves.hcl between them. Without sizes those of the file, or 1,10%,33%,100%.",
  },
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
  return runPlanning(io, style, parsed, {
    destroys: verb === "destroy",
    misuse: ({ args: given, values }) => misuse(verb, given, values),
    run: ({ session, mode, values, occurrences, args: [file] }) => {
      const call = { session, verb, values, occurrences };
      return file === undefined ? planAndApply(call, mode) : applySavedInstances(call, file);
    },
  });
}

function misuse(verb: Verb, args: readonly string[], values: FlagValues<typeof flags>): Diagnostic | undefined {
  if (args.length > 0 && values.instance.length > 0) {
    const detail = "A saved plan is carried out as a whole. Give -instance when planning.";
    return errorDiagnostic("Part of a saved plan", detail);
  }
  return nobodyToAsk(args, values) ?? misuseOfInstances(args, values, verb === "destroy" ? 0 : 1);
}

async function planAndApply(call: ApplyInstancesCall, mode: PlanMode): Promise<number> {
  if (!(await wavesAreReadable(call))) return 1;
  // What had to wait for outputs is planned in a round of its own, as often as that brings something new.
  const rounds = new Set<string>();
  for (;;) {
    const code = await oneRound(call, mode, rounds);
    if (code !== "again") return code;
    if (!call.session.json) await call.session.io.stdout("\nWhat had to wait for these outputs is planned now.\n");
  }
}

// `rounds` are what each round before has left to a later one.
async function oneRound(call: ApplyInstancesCall, mode: PlanMode, rounds: Set<string>): Promise<number | "again"> {
  const { session, values, occurrences } = call;
  const listing = await loadListing(session);
  const chosen = values.instance;
  const operation = "OperationTypeApply";
  const plans = await planInstances({ session, listing, mode, chosen, values, occurrences, operation });
  if (!plans) return 1;
  try {
    if (!(await showPlans(session, plans))) return 1;
    const { order, planned: ready, variables, given } = plans;
    const changes = plansOf(plans).some(hasChanges);
    const left = leftToPlan(plans.later.keys(), namedPlans(plans)).join();
    // A change that each plan finds anew, such as one of timestamp(), would be carried out again and again.
    if (left !== "" && rounds.has(left)) return (await session.report([nothingToGoOnWith])) ? 0 : 1;
    const waves = await instanceWaves(call, { order, ready, chosen, waited: rounds.size > 0 });
    rounds.add(left);
    if (waves === "mistake") return 1;
    if (waves && !session.json) await session.io.stdout(waves.shown);
    if (changes && !values["auto-approve"] && !(await approvalOf(call, mode))) return 1;
    const { list } = listing;
    const code = await carryOutInstances(call, { list, variables, order, ready, given, ...(waves ? { waves } : {}) });
    return code === 0 && left !== "" && changes ? "again" : code;
  } finally {
    await plans.release();
  }
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
