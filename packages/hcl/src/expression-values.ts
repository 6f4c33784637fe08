import { quote } from "@millwright/text/quote";
import { friendlyName } from "@millwright/value/friendly";
import { isCollection } from "@millwright/value/types";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { asNumber, ephemeral, sensitive } from "@millwright/value/value";
import { attributeOf, elementAt, Refusal } from "./access.ts";
import type { Expression, ScopeTraversal, TraversalStep } from "./ast.ts";
import { referencesIn } from "./references.ts";
import type { Scope } from "./scope.ts";
import { variableIn } from "./scope.ts";

/** What a diagnostic is about, where it is about values that cannot be shown: they are mentioned only then. */
export interface Cause {
  readonly unknown?: true;
  readonly sensitive?: true;
  readonly ephemeral?: true;
}

/**
 * One line for each reference of an expression, in order: `var.name is "x"`, `var.list is list of string with 2 elements`.
 * Where a reference leads nowhere, its longest part that leads somewhere is said. Bare names (loop variables) and, unless
 * they are the `cause`, unknown and sensitive values are left out, as they distract from what is wrong.
 */
export function expressionValues(
  expression: Expression,
  scope: Scope | undefined,
  cause: Cause = {},
): readonly string[] {
  const lines = new Map<string, string>();
  for (const reference of referencesIn(expression)) {
    const found = longestPart(reference, scope);
    if (!found || lines.has(found.text)) continue;
    const statement = describe(found.value, cause);
    if (statement !== undefined) lines.set(found.text, statement);
  }
  return [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, statement]) => `${text} ${statement}`);
}

function longestPart(reference: ScopeTraversal, scope: Scope | undefined): { text: string; value: Value } | undefined {
  const root = variableIn(scope, reference.root.name);
  if (!root) return undefined;
  let value = root;
  let text = reference.root.name;
  for (const step of reference.steps) {
    const next = step.kind === "attribute" ? attributeOf(value, step.name) : elementAt(value, step.key);
    if (next instanceof Refusal) break;
    value = next;
    text += stepText(step);
  }
  return text === reference.root.name ? undefined : { text, value };
}

/** A step as it is written: `.name`, `["key"]`, `[0]`. */
export function stepText(step: TraversalStep): string {
  return step.kind === "attribute" ? `.${step.name}` : `[${compactText(step.key)}]`;
}

function describe(value: Value, cause: Cause): string | undefined {
  if (value.marks.has(ephemeral)) return cause.ephemeral ? "has an ephemeral value" : undefined;
  if (value.marks.has(sensitive)) return cause.sensitive ? "has a sensitive value" : undefined;
  if (!(value.data instanceof Unknown)) return `is ${compactText(value)}`;
  if (value.type.kind === "dynamic") return cause.unknown ? "will be known only after apply" : undefined;
  const what = `is a ${friendlyName(value.type)}`;
  return cause.unknown ? `${what}${lengthText(value, value.data)}, known only after apply` : what;
}

/** Longer lists than this are as good as any. */
const greatestLengthShown = 1024;

function lengthText(value: Value, { refinements }: Unknown): string {
  if (!isCollection(value.type) || !refinements) return "";
  const least = refinements.minimumLength ?? 0;
  const most = refinements.maximumLength ?? Number.POSITIVE_INFINITY;
  if (least === most) return ` of length ${least}`;
  if (least === 0) return most <= greatestLengthShown ? ` with up to ${most} elements` : "";
  return most <= greatestLengthShown
    ? ` with between ${least} and ${most} elements`
    : ` with at least ${least} elements`;
}

/**
 * A value on a few words of one line: primitives as they are, all else by its type and size. Says nothing of what is inside,
 * which may be sensitive where the whole is not.
 */
export function compactText(value: Value): string {
  const { type, data } = value;
  if (value.marks.has(sensitive)) return "(sensitive value)";
  if (data === null) return "null";
  if (data instanceof Unknown) return "(not yet known)";
  switch (type.kind) {
    case "bool":
      return String(data);
    case "number":
      return asNumber(value).toRoundedText(10);
    case "string":
      return quote(String(data));
    case "list":
    case "set":
    case "map":
    case "tuple":
      return countText(friendlyName(type), data instanceof Map ? data.size : (data as readonly Value[]).length);
    case "object":
      return objectText([...type.attributes.keys()]);
    default:
      return friendlyName(type);
  }
}

function countText(name: string, count: number): string {
  if (count === 0) return `empty ${name}`;
  return count === 1 ? `${name} with 1 element` : `${name} with ${count} elements`;
}

function objectText(names: readonly string[]): string {
  if (names.length === 0) return "object with no attributes";
  return names.length === 1 ? `object with 1 attribute ${quote(names[0]!)}` : `object with ${names.length} attributes`;
}
