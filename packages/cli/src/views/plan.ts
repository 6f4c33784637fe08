import type { InstanceChange, Plan } from "@millwright/engine/plan";
import { countChanges, hasChanges, isChange } from "@millwright/engine/plan";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import type { NoteTone, PlanNote } from "@millwright/provider/plan-note";
import { formatPath } from "@millwright/value/path";
import type { View } from "../io.ts";
import { align } from "./align.ts";
import { renderDeferrals } from "./deferrals.ts";
import { diffObject, diffValue } from "./diff.ts";
import { hasDrifted, shownDrift } from "./drift.ts";
import { driftHeadline, planHeadline } from "./headline.ts";
import type { Symbol } from "./lines.ts";
import { lineText, paint } from "./lines.ts";
import { escapeControls } from "./literal.ts";
import type { Style } from "./style.ts";
import { styleOf, wrapText } from "./style.ts";

/** Where the schemas of a plan's resources are. */
export type Schemas = Pick<ProviderPool, "resourceSchema">;

/** A plan for people: what was found changed, what is going to be done and why, in the end one line of numbers. */
export function renderPlan(plan: Plan, view: View, schemas: Schemas): string {
  const style = styleOf(view);
  const drift = shownDrift(plan);
  const sections = drift.length > 0 ? [renderDrift(drift, plan, style, view, schemas)] : [];
  if (hasChanges(plan)) sections.push(...plannedSections(plan, style, view, schemas));
  else if (!plan.errored && plan.deferrals.length > 0) sections.push(nothingYet(style));
  else if (!plan.errored) sections.push(noChanges(plan, plan.drift.some(hasDrifted), style, view));
  if (plan.deferrals.length > 0) sections.push(renderDeferrals(plan.deferrals, view));
  return sections.map((section) => `\n${section}`).join("");
}

function plannedSections(plan: Plan, style: Style, view: View, schemas: Schemas): string[] {
  const changes = plan.changes.filter(isChange);
  const hasOutputs = [...plan.outputs.values()].some((output) => output.action !== "no-op");
  const sections: string[] = [];
  if (changes.length > 0) {
    const marks = legend(changes, style);
    sections.push(
      marks === ""
        ? "These changes of the state are planned:\n"
        : `These changes are planned. Each is marked with what is done:\n${marks}`,
    );
    for (const change of changes)
      sections.push(planHeadline(change, style) + renderObject(change, symbolOf(change), style, schemas));
    const { add, change, destroy, import: imported } = countChanges(changes);
    const imports = imported > 0 ? `${imported} to import, ` : "";
    const forget = changes.filter(({ action }) => action === "forget").length;
    const tail = forget > 0 ? ` ${forget} to forget.` : "";
    const later = plan.deferrals.length > 0 ? ` ${plan.deferrals.length} put off.` : "";
    sections.push(
      `${style.bold("Plan:")} ${imports}${add} to add, ${change} to change, ${destroy} to destroy.${tail}${later}\n`,
    );
  } else if (hasOutputs) {
    const text = "No resource is changed. An apply saves these outputs to the state:";
    return [`${wrapText(text, view.width).join("\n")}\n\n${renderOutputChanges(plan, style)}`];
  }
  if (hasOutputs) sections.push(`${style.bold("Changes to Outputs:")}\n${renderOutputChanges(plan, style)}`);
  return sections;
}

function nothingYet(style: Style): string {
  return `${style.bold("Nothing can be done yet.")} What is left to do is put off.\n`;
}

function noChanges(plan: Plan, drifted: boolean, style: Style, view: View): string {
  const say = (head: string, text: string) =>
    `${style.green(style.bold("No changes."))} ${style.bold(head)}\n${text === "" ? "" : `\n${wrapText(text, view.width).join("\n")}\n`}`;
  if (plan.mode === "destroy") {
    const text = "Either there is nothing in the state, or the objects that were there are gone already.";
    return say("No objects need to be destroyed.", text);
  }
  if (plan.mode === "refresh-only") return say("The state still matches what is there.", "");
  if (drifted) {
    const text =
      "What has changed outside is what the configuration says now, so nothing is left to do. An apply -refresh-only takes it over into the state.";
    return say("The configuration still matches what is there.", text);
  }
  const text = "What is there was compared with the configuration, and no differences were found.";
  const what = plan.targets.length > 0 ? "The targets match" : "Your infrastructure matches";
  return say(`${what} the configuration.`, text);
}

const legendTexts: readonly (readonly [InstanceChange["action"], Symbol, string])[] = [
  ["create", "+", "create"],
  ["update", "~", "update in-place"],
  ["delete", "-", "destroy"],
  ["delete-create", "-/+", "destroy and then create replacement"],
  ["create-delete", "+/-", "create replacement and then destroy"],
  ["forget-create", "./+", "forget, leave it as it is, and create a new one"],
  ["read", "<=", "read (data resources)"],
  ["forget", ".", "forget, and leave it as it is"],
];

function legend(changes: readonly InstanceChange[], style: Style): string {
  return legendTexts
    .filter(([action]) => changes.some((change) => change.action === action))
    .map(([, symbol, text]) => `${margin(symbol, style)} ${text}\n`)
    .join("");
}

function symbolOf({ action }: InstanceChange): Symbol {
  return legendTexts.find(([known]) => known === action)?.[1] ?? " ";
}

function margin(symbol: Symbol, style: Style): string {
  return `${" ".repeat(3 - symbol.length)}${paint(symbol, style)}`;
}

/** The object of a change with what differs, as a block. */
function renderObject(change: InstanceChange, symbol: Symbol, style: Style, schemas: Schemas): string {
  const { resource } = change.address;
  const schema = schemas.resourceSchema(change.provider.source, resource);
  const word = resource.mode === "data" ? "data" : "resource";
  const header = `${word} ${JSON.stringify(resource.type)} ${JSON.stringify(resource.name)} {`;
  const forces = new Set(change.replacePaths.map(formatPath));
  // What is only forgotten stays as it is.
  const after = change.action === "forget" ? change.before : change.after;
  const body = schema ? diffObject(change.before, after, schema.block, { style, forces }) : [];
  const lines = [`${margin(symbol, style)} ${header}`, ...body.map((line) => lineText(line, style)), "    }", ""];
  return lines.join("\n") + renderNotes(change.notes ?? [], style);
}

/** What the provider has to say beside the object, below it. */
function renderNotes(notes: readonly PlanNote[], style: Style): string {
  if (notes.length === 0) return "";
  const paints: Readonly<Record<NoteTone, (text: string) => string>> = {
    plain: (text) => text,
    heading: style.bold,
    create: style.green,
    destroy: style.red,
    change: style.yellow,
    accent: style.cyan,
    warning: style.yellow,
  };
  const lines = notes.map((pieces) => {
    const painted = pieces.map(({ text, tone }) => paints[tone](escapeControls(text))).join("");
    return painted === "" ? "" : `    ${painted}`;
  });
  return `\n${lines.join("\n")}\n`;
}

function renderDrift(drift: readonly InstanceChange[], plan: Plan, style: Style, view: View, schemas: Schemas): string {
  const intro = `${style.bold(style.cyan("Note:"))} Objects have changed outside of this folder since its last apply:`;
  const changes = drift.map((change) => renderDriftObject(change, style, schemas));
  const outro =
    plan.mode === "refresh-only"
      ? "This is a refresh-only plan: an apply takes the changes above over into the state, and does nothing else."
      : "Where the configuration says otherwise, the plan below brings it back.";
  const end = hasChanges(plan) ? [`${wrapText(outro, view.width).join("\n")}\n`] : [];
  return [`${intro}\n`, ...changes, ...end].join("\n");
}

/** What was found to have become of one object, as a block. */
export function renderDriftObject(change: InstanceChange, style: Style, schemas: Schemas): string {
  return driftHeadline(change, style) + renderObject(change, driftSymbols[change.action] ?? "~", style, schemas);
}

const driftSymbols: Partial<Readonly<Record<InstanceChange["action"], Symbol>>> = { delete: "-", "no-op": " " };

function renderOutputChanges(plan: Plan, style: Style): string {
  const entries = [...plan.outputs]
    .filter(([, output]) => output.action !== "no-op")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = align(entries.map(([name]) => name));
  const context = { style, forces: new Set<string>() };
  const lines = entries.flatMap(([, { before, after }], i) => {
    const { symbol, head, body } = diffValue(before, after, context);
    const first = { depth: 0, symbol, text: `${names[i]!} = ${head}` };
    return [first, ...body].map((line) => `${lineText(line, style)}\n`);
  });
  return lines.join("");
}
