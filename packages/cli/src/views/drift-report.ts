import type { DriftFinding, DriftReport } from "@millwright/engine/drift";
import { knownPlain } from "@millwright/engine/values-json";
import { isMarkedDeep, isNull, sensitive, type Value } from "@millwright/value/value";
import { asMap } from "@millwright/value/value";
import type { View } from "../io.ts";
import type { DriftRecord } from "../terraform/drift-log.ts";
import { momentText } from "./moment.ts";
import { renderDriftObject, type Schemas } from "./plan.ts";
import { styleOf, wrapText } from "./style.ts";

/** What a look for drift has found, for people: each object with what differs, then what was let pass, and why. */
export function renderDriftReport(report: DriftReport, view: View, schemas: Schemas): string {
  const style = styleOf(view);
  const { found, ignored } = report;
  const sections = found.map(({ change }) => renderDriftObject(change, style, schemas));
  const passed = ignored.map(({ finding, by }) => `  - ${nameOf(finding)}: ${by.reason} (until ${by.until})\n`);
  if (passed.length > 0) sections.push(`Not counted, by the ignore list:\n${passed.join("")}`);
  const objects = `${found.length} object${found.length === 1 ? " is" : "s are"}`;
  const text = `${objects} no longer what the state says. plan shows what the configuration makes of it; apply -refresh-only takes it over into the state; what may be so for a while belongs into drift.ignore, with a reason and a last day.`;
  sections.push(
    found.length === 0
      ? `${style.green(style.bold("No drift."))} Everything is as the state says${ignored.length > 0 ? ", but for what is listed above" : ""}.\n`
      : `${style.bold("Drift:")} ${wrapText(text, view.width - 7).join("\n")}\n`,
  );
  return sections.map((section) => `\n${section}`).join("");
}

function nameOf({ change, kind, attributes }: DriftFinding): string {
  return kind === "deleted" ? `${change.address.text}, deleted` : `${change.address.text} ${attributes.join(", ")}`;
}

/** The same as JSON has it. Sensitive values are left out. */
export function driftPlain({ found, ignored }: DriftReport): Readonly<Record<string, unknown>> {
  return {
    drift: found.map(findingJson),
    ignored: ignored.map(({ finding, by }) => ({ ...findingJson(finding), reason: by.reason, until: by.until })),
  };
}

function findingJson({ change, kind, attributes }: DriftFinding): Readonly<Record<string, unknown>> {
  const { address, before, after } = change;
  return {
    address: address.text,
    kind,
    attributes: attributes.map((path) => ({ path, before: partJson(before, path), after: partJson(after, path) })),
  };
}

function partJson(object: Value, path: string): Readonly<Record<string, unknown>> {
  let value: Value | undefined = object;
  for (const name of path.split(".")) {
    if (value.marks.has(sensitive)) return { sensitive: true };
    if (isNull(value)) break;
    value = value.data instanceof Map ? asMap(value).get(name) : elementOf(value, Number(name));
    if (!value) return { value: null };
  }
  return isMarkedDeep(value, sensitive) ? { sensitive: true } : { value: knownPlain(value) };
}

function elementOf({ data }: Value, index: number): Value | undefined {
  return Array.isArray(data) ? (data as readonly Value[])[index] : undefined;
}

/** What was found before, a look a line. */
export function driftLogText(records: readonly DriftRecord[]): string {
  if (records.length === 0) return "Nobody has looked for drift here yet.\n";
  const lines = records.map(({ at, found, ignored }) => {
    const names = found.map((one) => (one.kind === "deleted" ? `${one.address} deleted` : one.address)).join(", ");
    const passed = ignored.length > 0 ? ` (${ignored.length} ignored)` : "";
    return `${momentText(at)}  ${found.length === 0 ? "no drift" : names}${passed}\n`;
  });
  return lines.join("");
}
