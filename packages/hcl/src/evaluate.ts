import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { Value } from "@millwright/value/value";
import { dynamicValue, tupleValue } from "@millwright/value/value";
import type { Expression } from "./ast.ts";
import type { Context } from "./context.ts";
import { evaluateCall } from "./evaluate-call.ts";
import { evaluateConditional } from "./evaluate-conditional.ts";
import { evaluateFor } from "./evaluate-for.ts";
import { evaluateJson } from "./evaluate-json.ts";
import { evaluateObject } from "./evaluate-object.ts";
import { evaluateBinary, evaluateUnary } from "./evaluate-operation.ts";
import { evaluateSplat, evaluateSplatItem } from "./evaluate-splat.ts";
import { evaluateTemplate, evaluateTemplateJoin } from "./evaluate-template.ts";
import { evaluateIndex, evaluateRelativeTraversal, evaluateScopeTraversal } from "./evaluate-traversal.ts";
import type { Scope } from "./scope.ts";

/**
 * The value of an expression in a scope, as the reference implementation of HCL evaluates it: unknown values with what is
 * known of them, nulls and marks included. Where there are errors the value is the best that can still be said, often
 * unknown, so that what depends on it can be checked too.
 *
 * Without a scope nothing may be referred to, and the strings of JSON are taken literally instead of as templates.
 */
export function evaluate(expression: Expression, scope?: Scope): Diagnosed<Value> {
  const diagnostics: Diagnostic[] = [];
  const value = evaluateWith(expression, { scope, diagnostics, evaluate: evaluateWith });
  return { value, diagnostics };
}

/** As {@link evaluate}, adding to a list of diagnostics. */
export function evaluateInto(expression: Expression, scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
  return evaluateWith(expression, { scope, diagnostics, evaluate: evaluateWith });
}

/** A context for many expressions in one scope, each to be evaluated by its `evaluate`. */
export function contextFor(scope: Scope | undefined, diagnostics: Diagnostic[]): Context {
  return { scope, diagnostics, evaluate: evaluateWith };
}

function evaluateWith(expression: Expression, context: Context): Value {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "template":
      return evaluateTemplate(expression, context);
    case "scopeTraversal":
      return evaluateScopeTraversal(expression, context);
    case "templateWrap":
      return evaluateWith(expression.wrapped, context);
    case "parenthesized":
      return evaluateWith(expression.inner, context);
    case "tuple":
      return tupleValue(expression.elements.map((element) => evaluateWith(element, context)));
    case "object":
      return evaluateObject(expression, context);
    case "call":
      return evaluateCall(expression, context);
    case "conditional":
      return evaluateConditional(expression, context);
    case "index":
      return evaluateIndex(expression, context);
    case "relativeTraversal":
      return evaluateRelativeTraversal(expression, context);
    case "for":
      return evaluateFor(expression, context);
    case "splat":
      return evaluateSplat(expression, context);
    case "splatItem":
      return evaluateSplatItem(expression, context);
    case "binary":
      return evaluateBinary(expression, context);
    case "unary":
      return evaluateUnary(expression, context);
    case "templateJoin":
      return evaluateTemplateJoin(expression, context);
    case "json":
      return evaluateJson(expression.value, context);
    case "invalid":
      if (expression.diagnostics) context.diagnostics.push(...expression.diagnostics);
      return dynamicValue;
  }
}
