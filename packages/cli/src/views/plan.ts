import type { InstanceChange, Plan } from "@millwright/engine/plan";
import { countChanges, hasChanges } from "@millwright/engine/plan";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { resourceText } from "@millwright/engine/addresses";
import { formatPath } from "@millwright/value/path";
import { rawEquals } from "@millwright/value/operations";
import { isKnown, isNull, sensitive, unmarkDeep } from "@millwright/value/value";
import type { View } from "../io.ts";
import { align } from "./align.ts";
import type { DiffLine, Symbol } from "./diff.ts";
import { diffObject, diffValue } from "./diff.ts";
import type { Style } from "./style.ts";
import { styleOf, wrapText } from "./style.ts";

/** A plan for people: what was found changed, what is going to be done and why, in the end one line of numbers. */
export function renderPlan(plan: Plan, view: View, schemas: Pick<ProviderPool, "resourceSchema">): string {
  const style = styleOf(view);
  const parts: string[] = [];
  const drift = relevantDrift(plan);
  if (drift.length > 0) parts.push(renderDrift(drift, plan, style, view, schemas));
  const changes = plan.changes.filter((change) => change.action !== "no-op");
  const outputs = [...plan.outputs].filter(([, output]) => output.action !== "no-op");
  if (!hasChanges(plan)) return [...parts, noChanges(plan, drift.length > 0, style, view)].join("");
  if (changes.length > 0) {
    parts.push(
      `\n${wrapText("The following changes are planned. Each is marked with what is done:", view.width).join("\n")}\n${legend(changes, style)}\n`,
    );
    for (const change of changes) parts.push(renderChange(change, style, schemas));
    const { add, change, destroy } = countChanges(changes);
    parts.push(`\n${style.bold("Plan:")} ${add} to add, ${change} to change, ${destroy} to destroy.\n`);
  } else if (outputs.length > 0) {
    parts.push(
      `\n${wrapText("No resource changes. Only outputs would be saved to the state:", view.width).join("\n")}\n`,
    );
  }
  if (outputs.length > 0) parts.push(`\n${style.bold("Changes to Outputs:")}\n${renderOutputChanges(plan, style)}`);
  return parts.join("");
}

function noChanges(plan: Plan, drifted: boolean, style: Style, view: View): string {
  const head = style.green(style.bold("No changes."));
  const wrap = (text: string) => wrapText(text, view.width).join("\n");
  if (plan.mode === "destroy")
    return `\n${head} ${style.bold("No objects need to be destroyed.")}\n\n${wrap("Either there is nothing in the state, or the objects that were there are gone already.")}\n`;
  if (plan.mode === "refresh-only") return `\n${head} ${style.bold("The state still matches what is there.")}\n`;
  if (drifted)
    return `\n${head} ${style.bold("The configuration still matches what is there.")}\n\n${wrap("What has changed outside is what the configuration says now, so nothing is left to do. An apply -refresh-only takes it over into the state.")}\n`;
  return `\n${head} ${style.bold("Your infrastructure matches the configuration.")}\n\n${wrap("What is there was compared with the configuration, and no differences were found, so no changes are needed.")}\n`;
}

const legendTexts: readonly (readonly [InstanceChange["action"], Symbol, string])[] = [
  ["create", "+", "create"],
  ["update", "~", "update in-place"],
  ["delete", "-", "destroy"],
  ["delete-create", "-/+", "destroy and then create replacement"],
  ["create-delete", "+/-", "create replacement and then destroy"],
  ["read", "<=", "read (data resources)"],
];

function legend(changes: readonly InstanceChange[], style: Style): string {
  const used = legendTexts.filter(([action]) => changes.some((change) => change.action === action));
  return used
    .map(([, symbol, text]) => `${symbol.padStart(3)} ${text}`.replace(symbol, paint(symbol, style)))
    .map((line) => `${line}\n`)
    .join("");
}

function paint(symbol: Symbol, style: Style): string {
  switch (symbol) {
    case "+":
      return style.green("+");
    case "-":
      return style.red("-");
    case "~":
      return style.yellow("~");
    case "-/+":
      return `${style.red("-")}/${style.green("+")}`;
    case "+/-":
      return `${style.green("+")}/${style.red("-")}`;
    case "<=":
      return style.cyan("<=");
    case " ":
      return " ";
  }
}

/** One change: a line that says what and why, then the resource with what differs. */
export function renderChange(
  change: InstanceChange,
  style: Style,
  schemas: Pick<ProviderPool, "resourceSchema">,
): string {
  const { address } = change;
  const symbol = legendTexts.find(([action]) => action === change.action)?.[1] ?? " ";
  const schema = schemas.resourceSchema(change.provider.source, address.resource);
  const word = address.resource.mode === "data" ? "data" : "resource";
  const header = `${word} ${JSON.stringify(address.resource.type)} ${JSON.stringify(address.resource.name)} {`;
  const forces = new Set(change.replacePaths.map(formatPath));
  const body = schema ? diffObject(change.before, change.after, schema.block, { style, forces }) : [];
  const lines = [
    `  ${paint(symbol, style)} ${header}`,
    ...body.map((line) => lineText(line, style)),
    `    }${symbol === "-" ? style.dim(" -> null") : ""}`,
  ];
  if (symbol.length > 1) lines[0] = `${" ".repeat(3 - symbol.length)}${paint(symbol, style)} ${header}`;
  return `\n${comment(change, style)}${lines.join("\n")}\n`;
}

function comment(change: InstanceChange, style: Style): string {
  const { address, deposedKey } = change;
  const name = style.bold(`${address.text}${deposedKey === undefined ? "" : ` (deposed object ${deposedKey})`}`);
  const bold = (text: string) => style.bold(text);
  const lines = [`  # ${name} ${headline(change, bold, style)}`];
  const why = reasonText(change);
  if (why !== undefined) lines.push(`  # (${why})`);
  return `${lines.join("\n")}\n`;
}

function headline(change: InstanceChange, bold: (text: string) => string, style: Style): string {
  switch (change.action) {
    case "create":
      return bold("will be created");
    case "read":
      return bold("will be read during apply");
    case "update":
      return bold("will be updated in-place");
    case "delete":
      return change.deposedKey === undefined
        ? bold("will be ") + style.red(bold("destroyed"))
        : bold("will be ") + style.red(bold("destroyed")) + bold(" after an earlier replacement");
    case "delete-create":
    case "create-delete":
      if (change.reason === "replace_because_tainted")
        return bold("is tainted, so must be ") + style.red(bold("replaced"));
      if (change.reason === "replace_by_request")
        return bold("will be ") + style.red(bold("replaced")) + bold(", as requested");
      if (change.reason === "replace_by_triggers")
        return bold("will be ") + style.red(bold("replaced")) + bold(" due to changes in replace_triggered_by");
      return bold("must be ") + style.red(bold("replaced"));
    case "forget":
      return bold("will no longer be managed");
    case "no-op":
      return bold("is unchanged");
  }
}

function reasonText(change: InstanceChange): string | undefined {
  const { address } = change;
  switch (change.reason) {
    case "delete_because_no_resource_config":
      return `because ${resourceText(address.resource)} is not in configuration`;
    case "delete_because_no_module":
      return `because ${address.module.text} is not in configuration`;
    case "delete_because_wrong_repetition":
      return "because resource does not use this kind of repetition";
    case "delete_because_count_index":
      return `because index [${address.key}] is out of range for count`;
    case "delete_because_each_key":
      return `because key [${JSON.stringify(address.key)}] is not in for_each map`;
    case "read_because_config_unknown":
      return "config refers to values not yet known";
    case "read_because_dependency_pending":
      return "depends on a resource or a module with changes pending";
    default:
      return undefined;
  }
}

/** A line of a diff with its indentation. */
export function lineText({ depth, symbol, text, closing }: DiffLine, style: Style): string {
  if (text === "") return "";
  if (closing) return `${" ".repeat(4 * depth + 4)}${text}`;
  const painted = text.startsWith("# (") && symbol === " " ? style.dim(text) : text;
  return `${" ".repeat(4 * depth + 2)}${paint(symbol, style)} ${painted}`;
}

// Only what the state remembered and the world has otherwise is worth a word; what is planned is shown below anyway.
function relevantDrift(plan: Plan): readonly InstanceChange[] {
  return plan.drift.filter(
    (change) =>
      change.deposedKey === undefined && !rawEquals(unmarkDeep(change.before)[0], unmarkDeep(change.after)[0]),
  );
}

function renderDrift(
  drift: readonly InstanceChange[],
  plan: Plan,
  style: Style,
  view: View,
  schemas: Pick<ProviderPool, "resourceSchema">,
): string {
  const intro = "Objects have changed outside of this program since the last apply:";
  const changes = drift.map((change) => {
    const text = renderChange(change, style, schemas);
    return text.replace("will be updated in-place", "has changed").replace(/will be .*destroyed.*/, "has been deleted");
  });
  const outro =
    plan.mode === "refresh-only"
      ? "This is a refresh-only plan: an apply takes the changes above over into the state and does nothing else."
      : "";
  return [
    `\n${style.bold(style.cyan("Note:"))} ${wrapText(intro, view.width - 6).join("\n")}\n`,
    ...changes,
    outro === "" ? "" : `\n${wrapText(outro, view.width).join("\n")}\n`,
  ].join("");
}

function renderOutputChanges(plan: Plan, style: Style): string {
  const entries = [...plan.outputs]
    .filter(([, output]) => output.action !== "no-op")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = align(entries.map(([name]) => name));
  return entries
    .map(([, { before, after }], i) => {
      const changesMark =
        before.marks.has(sensitive) !== after.marks.has(sensitive) &&
        !isNull(before) &&
        !isNull(after) &&
        isKnown(after);
      const { symbol, head, body } = diffValue(before, after, { style, forces: new Set() });
      const note = changesMark ? ` ${style.dim("# changes whether it is sensitive")}` : "";
      return [
        `  ${paint(symbol, style)} ${names[i]!} = ${head}${note}`,
        ...body.map((line) => lineText(line, style)),
        "",
      ].join("\n");
    })
    .join("");
}
