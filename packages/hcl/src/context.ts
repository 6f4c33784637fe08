import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Value } from "@millwright/value/value";
import type { Expression, Node } from "./ast.ts";
import { expressionValues } from "./expression-values.ts";
import type { Scope } from "./scope.ts";
import { rangeOf } from "./source-file.ts";

/** What the evaluation of one form needs: where names are looked up, where diagnostics go, and how parts are evaluated. */
export interface Context {
  /** Absent where nothing may be referred to and the strings of JSON are taken literally. */
  readonly scope: Scope | undefined;
  readonly diagnostics: Diagnostic[];
  readonly evaluate: (expression: Expression, context: Context) => Value;
}

/** The same context inside another scope. */
export function inScope(context: Context, scope: Scope): Context {
  return { scope, diagnostics: context.diagnostics, evaluate: context.evaluate };
}

/** The same context with a list of its own for diagnostics, to be added or dropped later. */
export function aside(context: Context): Context {
  return { scope: context.scope, diagnostics: [], evaluate: context.evaluate };
}

/** Where a fault is, and the expression whose values explain it. */
export interface Place {
  readonly subject: Node;
  readonly context?: Node;
  readonly expression?: Expression;
  /** What was being done, as the first line above the values: `while calling upper(str)`. */
  readonly activity?: string;
}

/** Adds an error to the context's diagnostics. */
export function refuse(context: Context, summary: string, detail: string, place: Place): void {
  const values = place.expression ? expressionValues(place.expression, context.scope) : [];
  const lines = place.activity === undefined ? values : [place.activity, ...values];
  context.diagnostics.push(
    errorDiagnostic(summary, detail, {
      subject: rangeOf(place.subject),
      ...(place.context ? { context: rangeOf(place.context) } : {}),
      ...(lines.length > 0 ? { expressionValues: lines } : {}),
    }),
  );
}

/** Whether errors were added since there were `before` diagnostics. */
export function failedSince(context: Context, before: number): boolean {
  const { diagnostics } = context;
  for (let i = before; i < diagnostics.length; i++) if (diagnostics[i]!.severity === "error") return true;
  return false;
}
