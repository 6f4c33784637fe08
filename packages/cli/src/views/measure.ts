import type { Plan } from "@millwright/engine/plan";
import { measureOf } from "@millwright/engine/waves/measure";
import type { View } from "../io.ts";
import { wrapText } from "./style.ts";

const mostShown = 10;

/** How large a change is, for people: what it touches, what depends on that, and what cannot be undone. Empty where nothing is touched. */
export function renderMeasure(plan: Plan, { width }: View): string {
  const { touched, known, dependents, irreversible } = measureOf(plan);
  if (touched === 0) return "";
  const depend = dependents === 0 ? "" : `; ${dependents} more ${dependents === 1 ? "depends" : "depend"} on them`;
  const isAll = touched === known && dependents === 0;
  const lines = isAll ? [] : wrapText(`Touches ${touched} of ${known} objects${depend}.`, width);
  if (irreversible.length > 0) lines.push("Cannot be undone:");
  for (const { address, why } of irreversible.slice(0, mostShown)) {
    const [first = "", ...rest] = wrapText(`${address}: ${why}`, width - 6);
    lines.push(`  - ${first}`, ...rest.map((line) => `    ${line}`));
  }
  if (irreversible.length > mostShown) lines.push(`  and ${irreversible.length - mostShown} more`);
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

/** What was not read again before it was planned. Empty where all was. */
export function renderUnread({ unread, changes }: Plan, { width }: View): string {
  if (unread.length === 0) return "";
  const known = changes.filter(({ address }) => address.resource.mode === "managed").length;
  const text = `Not read again: ${unread.length} of ${known} objects. Nothing of their types has changed since they last were, as their provider says.`;
  return `\n${wrapText(text, width).join("\n")}\n`;
}
