import type { Plan } from "@millwright/engine/plan";
import { type Measure, measureOf, sumOfMeasures } from "@millwright/engine/waves/measure";
import type { View } from "../io.ts";
import { wrapText } from "./style.ts";

const mostShown = 10;

/** How large a change is, for people: what it touches, what depends on that, and what cannot be undone. Empty where nothing is touched. */
export function renderMeasure(plan: Plan, { width }: View): string {
  const measure = measureOf(plan);
  const { touched, known, dependents } = measure;
  if (touched === 0) return "";
  const isAll = touched === known && dependents === 0;
  return ended([...(isAll ? [] : wrapText(`Touches ${extentOf(measure)}.`, width)), ...lostBy(measure, width)]);
}

/**
 * The same of the plans of several instances: what they come to, a line for each that touches something, those that `uses` says to be
 * made from outputs of these and that are not touched, and what cannot be undone.
 */
export function renderMeasures(
  plans: ReadonlyMap<string, Plan>,
  uses: ReadonlyMap<string, ReadonlySet<string>>,
  { width }: View,
): string {
  const measures = new Map([...plans].map(([name, plan]) => [name, measureOf(plan)]));
  const touched = [...measures].filter(([, measure]) => measure.touched > 0);
  if (touched.length === 0) return "";
  const sum = sumOfMeasures(measures);
  const head = `Touches ${extentOf(sum)}, in ${touched.length} of ${plans.size} instances:`;
  const widest = Math.max(...touched.map(([name]) => name.length));
  const rows = touched.map(([name, measure]) => {
    const lost = measure.irreversible.length;
    return `  ${name.padEnd(widest)}  ${extentOf(measure)}${lost === 0 ? "" : `; ${lost} cannot be undone`}`;
  });
  const names = new Set(touched.map(([name]) => name));
  const users = [...uses].filter(([name, used]) => !names.has(name) && !used.isDisjointFrom(names));
  const text = `Not touched, and made from outputs of these: ${users.map(([name]) => name).join(", ")}.`;
  const others = users.length === 0 ? [] : wrapText(text, width);
  const isAll = sum.touched === sum.known && sum.dependents === 0 && users.length === 0;
  return ended([...(isAll ? [] : [...wrapText(head, width), ...rows, ...others]), ...lostBy(sum, width)]);
}

function ended(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

function extentOf({ touched, known, dependents }: Measure): string {
  const depend = dependents === 0 ? "" : `; ${dependents} more ${dependents === 1 ? "depends" : "depend"} on them`;
  return `${touched} of ${known} objects${depend}`;
}

function lostBy({ irreversible }: Measure, width: number): string[] {
  const lines: string[] = [];
  if (irreversible.length > 0) lines.push("Cannot be undone:");
  for (const { address, why } of irreversible.slice(0, mostShown)) {
    const [first = "", ...rest] = wrapText(`${address}: ${why}`, width - 6);
    lines.push(`  - ${first}`, ...rest.map((line) => `    ${line}`));
  }
  if (irreversible.length > mostShown) lines.push(`  and ${irreversible.length - mostShown} more`);
  return lines;
}

/** What was not read again before it was planned. Empty where all was. */
export function renderUnread({ unread, changes }: Plan, { width }: View): string {
  if (unread.length === 0) return "";
  const known = changes.filter(({ address }) => address.resource.mode === "managed").length;
  const text = `Not read again: ${unread.length} of ${known} objects. Nothing of their types has changed since they last were, as their provider says.`;
  return `\n${wrapText(text, width).join("\n")}\n`;
}
