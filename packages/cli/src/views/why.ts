import type { SourceRange } from "@millwright/core/source";
import type { ValueChange, WhyOrigin, WhyPart, WhyReport } from "@millwright/engine/why";
import { isNull, isMarkedDeep, sensitive, type Value } from "@millwright/value/value";
import type { View } from "../io.ts";
import { planHeadline } from "./headline.ts";
import { literal } from "./literal.ts";
import type { Style } from "./style.ts";
import { styleOf } from "./style.ts";

/** Why objects change, for people: each attribute that differs, the expression that gives it, and where that leads. */
export function renderWhy(reports: readonly WhyReport[], view: View): string {
  const style = styleOf(view);
  return reports.map((report) => `\n${reportText(report, style)}`).join("");
}

function reportText(report: WhyReport, style: Style): string {
  const { change, parts, triggers, drift } = report;
  const lines = [planHeadline(change, style).trimEnd()];
  const cause = causeText(report);
  if (cause !== undefined) lines.push(`    ${cause}`);
  for (const trigger of triggers)
    lines.push("    replace_triggered_by names what is going to change:", ...originLines(trigger, 3));
  const isNew = isNull(change.before);
  for (const part of parts) if (!isNew || part.expression) lines.push("", ...partLines(part, isNew, style));
  if (parts.length === 0 && cause === undefined && !drift) lines.push("    Its attributes stay as they are.");
  return `${lines.join("\n")}\n`;
}

function causeText({ action, reason, drift, change }: WhyReport): string | undefined {
  if (drift?.action === "delete") return "The object has been deleted outside since the last apply.";
  if (change.importing) return "An import block names it, and it is not in the state yet.";
  if (action === "create") return "It is in the configuration, and there is no object for it in the state.";
  if (reason === "replace_because_tainted")
    return "Its last create did not come to an end, or it was marked by hand (taint).";
  if (reason === "replace_by_request") return "-replace asked for it.";
  if (action === "delete" && reason === "none") return "A destroy was asked for.";
  return change.previousAddress === undefined ? undefined : "A moved block, or a new count, gives it another address.";
}

function partLines(part: WhyPart, isNew: boolean, style: Style): string[] {
  const { name, before, after, forcesReplacement, expression, drift, origins } = part;
  const forced = forcesReplacement ? ` ${style.red("# forces replacement")}` : "";
  const change = isNew ? shown(after) : arrow({ before, after });
  const lines = [`    ${style.bold(name)} = ${change}${forced}`];
  if (drift) lines.push(`      changed outside since the last apply: ${arrow(drift)}`);
  if (!expression) {
    lines.push(
      drift ? "      and not in the configuration" : "      made by the provider: it is not in the configuration",
    );
    return lines;
  }
  lines.push(`      set at ${placeText(expression.range)} by ${oneLine(expression.text)}`);
  return [...lines, ...origins.flatMap((origin) => originLines(origin, 4))];
}

function originLines(origin: WhyOrigin, depth: number): string[] {
  const { text, range, variable, planned, drift, from, kind } = origin;
  const facts: string[] = [];
  if (variable?.before) facts.push(`was ${shown(variable.before)} at the last apply`);
  if (variable) facts.push(`is ${shown(variable.value)}, ${givenText(variable.given, range)}`);
  else if (range && kind !== "resource") facts.push(`at ${placeText(range)}`);
  if (drift) facts.push(`changed outside: ${arrow(drift)}`);
  if (planned) facts.push(`${actionWords[planned.action]} by this plan${byHand(planned)}: ${arrow(planned)}`);
  if (kind === "resource" && !drift && !planned) facts.push("stays as it is");
  const line = `${"  ".repeat(depth)}${text}${facts.length > 0 ? `: ${facts.join("; ")}` : ""}`;
  return [line, ...from.flatMap((one) => originLines(one, depth + 1))];
}

// What somebody has asked for has no expression that could be followed.
function byHand({ reason }: NonNullable<WhyOrigin["planned"]>): string {
  if (reason === "replace_because_tainted") return ", since it is tainted";
  return reason === "replace_by_request" ? ", since -replace asks for it" : "";
}

function givenText(given: string | undefined, range: SourceRange | undefined): string {
  if (given !== undefined) return `given by ${given}`;
  return range ? `its default at ${placeText(range)}` : "its default";
}

const actionWords = {
  "no-op": "kept",
  create: "created",
  read: "read",
  update: "updated",
  delete: "destroyed",
  "delete-create": "replaced",
  "create-delete": "replaced",
  "forget-create": "replaced",
  forget: "forgotten",
} as const;

function arrow({ before, after }: ValueChange): string {
  return `${shown(before)} -> ${shown(after)}`;
}

function shown(value: Value): string {
  return isMarkedDeep(value, sensitive) ? "(sensitive value)" : oneLine(literal(value));
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}

function placeText({ filename, start }: SourceRange): string {
  return `${filename}:${start.line},${start.column}`;
}
