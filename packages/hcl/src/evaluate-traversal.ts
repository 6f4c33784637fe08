import { quote } from "@millwright/text/quote";
import type { Value } from "@millwright/value/value";
import { dynamicValue } from "@millwright/value/value";
import { attributeOf, didYouMean, elementAt, Refusal } from "./access.ts";
import type { Expression, Index, RelativeTraversal, ScopeTraversal, TraversalStep } from "./ast.ts";
import type { Context } from "./context.ts";
import { refuse } from "./context.ts";
import { namesIn, variableIn } from "./scope.ts";

/** `name.step[0]`: a variable and steps into its value. */
export function evaluateScopeTraversal(expression: ScopeTraversal, context: Context): Value {
  const { root, steps } = expression;
  const value = variableIn(context.scope, root.name);
  if (value) return steps.length === 0 ? value : walk(value, steps, expression, context);
  const names = namesIn(context.scope, "variables");
  if (names) {
    const detail = `There is no variable named ${quote(root.name)}.${didYouMean(root.name, names)}`;
    refuse(context, "Unknown variable", detail, { subject: root, expression });
  } else {
    refuse(context, "Variables not allowed", "Variables may not be used here.", { subject: root, expression });
  }
  return dynamicValue;
}

/** Steps into the value of any expression. */
export function evaluateRelativeTraversal(expression: RelativeTraversal, context: Context): Value {
  return walk(context.evaluate(expression.source, context), expression.steps, expression, context);
}

/** `collection[key]` with a key that is computed. */
export function evaluateIndex(expression: Index, context: Context): Value {
  const collection = context.evaluate(expression.collection, context);
  const key = context.evaluate(expression.key, context);
  const found = elementAt(collection, key);
  if (!(found instanceof Refusal)) return found;
  refuse(context, found.summary, found.detail, { subject: expression.brackets, expression });
  return dynamicValue;
}

function walk(start: Value, steps: readonly TraversalStep[], expression: Expression, context: Context): Value {
  let value = start;
  for (const step of steps) {
    const next = step.kind === "attribute" ? attributeOf(value, step.name) : elementAt(value, step.key);
    if (next instanceof Refusal) {
      refuse(context, next.summary, next.detail, { subject: step, expression });
      return dynamicValue;
    }
    value = next;
  }
  return value;
}
