import type { InstanceList } from "@millwright/engine/instances/list";
import type { Plan, PlanCounts } from "@millwright/engine/plan";
import { countChanges, hasChanges } from "@millwright/engine/plan";
import type { View } from "../io.ts";
import type { Session } from "../terraform/session.ts";
import { renderMeasures } from "../views/measure.ts";
import { styleOf, wrapText } from "../views/style.ts";
import type { PlannedInstances } from "./plan-instances.ts";

/** What all plans of a run come to. */
export function totals(plans: Iterable<Plan>): PlanCounts {
  const sum = { add: 0, change: 0, destroy: 0, import: 0 };
  for (const plan of plans) {
    const { add, change, destroy, import: imported } = countChanges(plan.changes);
    sum.add += add;
    sum.change += change;
    sum.destroy += destroy;
    sum.import += imported;
  }
  return sum;
}

export function plansOf(plans: PlannedInstances): Plan[] {
  return [...namedPlans(plans).values()];
}

/** The plans of a run by the names of their instances. */
export function namedPlans({ planned }: PlannedInstances): ReadonlyMap<string, Plan> {
  return new Map([...planned].map(([name, { saved }]) => [name, saved.plan]));
}

/** What had to be left to a later plan: instances, and objects of instances that were put off. */
export function leftToPlan(later: Iterable<string>, plans: Iterable<readonly [string, Plan]>): string[] {
  const putOff = [...plans].flatMap(([name, { deferrals }]) =>
    deferrals.map(({ change }) => `${name}: ${change.address.text}`),
  );
  return [...later, ...putOff];
}

/** The line above what is said of one instance, where nothing else is said beside its name. */
export function sectionLine(name: string, view: View): string {
  return `${styleOf(view).bold(`${name}:`)}\n`;
}

/** An instance as far as the line above its plan tells of it. */
export interface HeadedInstance {
  readonly name: string;
  readonly template: string | undefined;
  readonly task: "make" | "remove";
  /** Undefined or false for what is no longer listed. */
  readonly listed: unknown;
}

/** The line above the plan of one instance; `more` is what else is said of it. */
export function heading({ name, template, listed, task }: HeadedInstance, view: View, more = ""): string {
  const style = styleOf(view);
  const from = template === undefined ? "its template is not known any more" : `template ${template}`;
  const why = listed ? (task === "remove" ? ", to be destroyed" : "") : ", no longer listed, to be destroyed";
  const text = ` ${from}${why}${more} `;
  const rest = Math.max(3, Math.min(78, view.width) - name.length - text.length - 4);
  return `\n${style.dim("──")} ${style.bold(name)}${style.dim(`${text}${"─".repeat(rest)}`)}\n`;
}

/** How large the change is, all instances together and each; under our own name, and where there was something before. */
export function measures({ style, view }: Session, plans: ReadonlyMap<string, Plan>, list: InstanceList): string {
  const isFirst = [...plans.values()].every(({ previousState }) => previousState.resources.size === 0);
  if (style !== "millwright" || isFirst) return "";
  const uses = new Map([...list.instances].map(([name, { dependencies }]) => [name, dependencies]));
  return renderMeasures(plans, uses, view);
}

/** The last lines of a plan of instances: the sum of all, and what became of those that have no section of their own. */
export function summary(plans: PlannedInstances, view: View): string {
  const style = styleOf(view);
  const all = [...plans.planned.values()];
  const changed = all.filter(({ saved }) => hasChanges(saved.plan));
  const unchanged = all.filter(({ saved }) => !hasChanges(saved.plan)).map(({ task }) => task.name);
  const { add, change, destroy } = totals(plansOf(plans));
  const what = changed.length === 1 ? "1 instance" : `${changed.length} instances`;
  const head =
    changed.length === 0
      ? `${style.green(style.bold("No changes."))} ${style.bold("All instances match their templates and inputs.")}`
      : `${style.bold(`Plan for ${what}:`)} ${add} to add, ${change} to change, ${destroy} to destroy.`;
  const left = leftToPlan(plans.later.keys(), namedPlans(plans)).length + plans.failed.length;
  const lines = [left > 0 && changed.length === 0 ? "" : `${head}\n`];
  const list = (label: string, names: readonly string[]) => {
    if (names.length > 0)
      lines.push(...wrapText(`${label}: ${names.join(", ")}`, view.width).map((line) => `${line}\n`));
  };
  if (changed.length > 0)
    list(
      "Changed, in this order",
      changed.map(({ task }) => task.name),
    );
  if (changed.length > 0) list("Unchanged", unchanged);
  for (const [name, why] of plans.later) list(`Planned after this apply`, [`${name}, since ${why}`]);
  list("Not planned, because of errors", plans.failed);
  list("Not planned, because they depend on those", plans.skipped);
  return `\n${lines.join("")}`;
}
