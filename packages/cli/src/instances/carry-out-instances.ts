import type { Outcome } from "@millwright/engine/graph";
import { styleOf } from "../views/style.ts";
import { endOfWaves } from "../waves/back.ts";
import type { ApplyInstancesCall } from "./apply-command.ts";
import { applyInstances, type ApplyInstancesInput, type AppliedInstances, namedChecks } from "./apply-instances.ts";

/** Carries out the plans of instances, in waves where these are given, and tells what came of it. Gives the exit code. */
export async function carryOutInstances(
  call: ApplyInstancesCall,
  what: Omit<ApplyInstancesInput, "session" | "parallelism">,
): Promise<number> {
  const { session, values } = call;
  const { waves, ready } = what;
  const checks = [...ready.values()].flatMap(({ session: inside, saved }) => namedChecks(inside, saved.plan.checks));
  if (waves && !(await waves.run.mayContinue(checks, session.io.signal))) return endOfWaves(session, waves.run, 0);
  const applied = await applyInstances({ ...what, session, parallelism: values.parallelism ?? 10 });
  waves?.journal.end();
  const ended = waves?.run.ended;
  await sayApplied(call, applied, ended?.decision.kind === "back");
  if (waves && ended) return endOfWaves(session, waves.run, applied.begun);
  return isWhole(applied) ? 0 : 1;
}

function isWhole({ outcomes }: AppliedInstances): boolean {
  return [...outcomes.values()].every((outcome) => outcome === "done");
}

/** What was done, what failed, what was not begun. Where it is gone back, what is left to do is not the question. */
async function sayApplied(
  { session, verb }: ApplyInstancesCall,
  applied: AppliedInstances,
  goesBack: boolean,
): Promise<void> {
  const { outcomes, counts } = applied;
  const named = (wanted: Outcome) => [...outcomes].filter(([, outcome]) => outcome === wanted).map(([name]) => name);
  const failed = named("failed");
  const skipped = named("skipped");
  const { imported, added, changed, destroyed } = counts;
  session.tellJson((view) => view.total({ add: added, change: changed, destroy: destroyed, import: imported }, verb));
  if (session.json) return;
  const style = styleOf(session.view);
  const done = named("done").length;
  const what = done === 1 ? "1 instance" : `${done} instances`;
  const sum = `${added} added, ${changed} changed, ${destroyed} destroyed`;
  if (isWhole(applied)) {
    const head = `${verb === "destroy" ? "Destroy" : "Apply"} complete! ${what}. Resources: ${sum}.`;
    return session.io.stdout(`\n${style.green(style.bold(head))}\n`);
  }
  const lines = [
    `${style.bold(`${what} done, ${failed.length} failed, ${skipped.length} not begun.`)} Resources: ${sum}.`,
  ];
  if (failed.length > 0) lines.push(`Failed: ${failed.join(", ")}`);
  if (skipped.length > 0) lines.push(`Not begun: ${skipped.join(", ")}`);
  if (!goesBack) lines.push("What was done is in the states. Run plan to see what is left to do.");
  return session.io.stdout(`\n${lines.join("\n")}\n`);
}
