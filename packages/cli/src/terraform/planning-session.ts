import type { Diagnostic } from "@millwright/core/diagnostics";
import type { PlanMode } from "@millwright/engine/plan";
import type { FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { jsonLines } from "../views/json-lines.ts";
import type { GivenFlag, planningFlags } from "./options.ts";
import { type reportingFlags, reportingOf } from "./reporting.ts";
import { planMode } from "./run-plan.ts";
import { type CommandStyle, Session } from "./session.ts";

type Values = FlagValues<typeof planningFlags & typeof reportingFlags>;

/** A command that plans or applies, as its line was read: whom to tell, what was typed, and which mode that is. */
export interface PlanningCall<V extends Values = Values> {
  readonly session: Session;
  readonly mode: PlanMode;
  readonly values: V;
  readonly occurrences: readonly GivenFlag[];
  readonly args: readonly string[];
}

export interface PlanningWork<V extends Values> {
  /** Whether it is a destroy, whatever the flags say. */
  readonly destroys?: boolean;
  /** What does not go together on the line. */
  misuse(call: PlanningCall<V>): Diagnostic | undefined;
  run(call: PlanningCall<V>): Promise<number>;
}

/** Does the work of a command that plans or applies, where its line makes sense; gives the exit code. */
export async function runPlanning<V extends Values>(
  io: CommandIo,
  style: CommandStyle,
  line: Pick<PlanningCall<V>, "values" | "occurrences" | "args">,
  { destroys = false, misuse, run }: PlanningWork<V>,
): Promise<number> {
  const { values, occurrences, args } = line;
  const { session, refused } = planningSession(io, style, values, occurrences);
  const mode = planMode(values, occurrences, destroys);
  const call = typeof mode === "string" ? { session, mode, values, occurrences, args } : mode;
  const wrong = refused ?? ("summary" in call ? call : misuse(call));
  if (!wrong && !("summary" in call)) return session.guard(() => run(call));
  await session.report(wrong ? [wrong] : []);
  return 1;
}

function planningSession(
  io: CommandIo,
  style: CommandStyle,
  values: Values,
  occurrences: readonly GivenFlag[],
): { readonly session: Session; readonly refused: Diagnostic | undefined } {
  const { instance } = io;
  const reporting = reportingOf(io, values, occurrences);
  const refused = "summary" in reporting ? reporting : undefined;
  const also = "summary" in reporting ? undefined : instance ? reporting.also?.named(instance.name) : reporting.also;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: values["compact-warnings"],
    ...("summary" in reporting ? {} : { reporting: { ...reporting, also } }),
    ...(values.json ? { json: jsonLines(io) } : {}),
  });
  return { session, refused };
}
