import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Expression, ScopeTraversal } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import { expressionValues } from "@millwright/hcl/expression-values";
import { referencesIn } from "@millwright/hcl/references";
import type { Scope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { boolType, stringType } from "@millwright/value/types";
import {
  asBool,
  asString,
  ephemeral,
  isKnown,
  isMarkedDeep,
  isNull,
  objectValue,
  sensitive,
  unmark,
  unmarkDeep,
  type Value,
} from "@millwright/value/value";
import { rootModule } from "../addresses.ts";
import type { CheckRule } from "../configuration.ts";
import { type Evaluator, noInstance } from "../evaluator.ts";
import { parseReference } from "../references.ts";
import type { TestRun } from "./test-file.ts";
import { type TestScope, wrongRun } from "./values.ts";

/** What a run's assertions are looked at in: what the run has left behind, and what came before it. */
export interface AssertionScope {
  readonly evaluator: Evaluator;
  readonly test: TestScope;
}

/** What came of a run's assertions: `fail` where one does not hold, `error` where one cannot be told. */
export interface AssertionResult {
  readonly status: "pass" | "fail" | "error";
  readonly diagnostics: readonly Diagnostic[];
}

export function checkAssertions({ asserts }: Pick<TestRun, "asserts">, scope: AssertionScope): AssertionResult {
  const results = asserts.map((rule) => checkAssertion(rule, scope));
  const status = (["error", "fail"] as const).find((each) => results.some((result) => result.status === each));
  return { status: status ?? "pass", diagnostics: results.flatMap((result) => result.diagnostics) };
}

function checkAssertion(rule: CheckRule, context: AssertionScope): AssertionResult {
  const scope = scopeOf(rule.condition, context);
  const subject = rangeOf(rule.condition);
  const condition = hasErrors(scope.diagnostics)
    ? { value: undefined, diagnostics: scope.diagnostics }
    : evaluate(rule.condition, scope.value);
  if (!condition.value || hasErrors(condition.diagnostics))
    return { status: "error", diagnostics: condition.diagnostics };
  const place = (cause: { readonly unknown?: true }) => {
    const lines = expressionValues(rule.condition, scope.value, cause);
    return { subject, ...(lines.length > 0 ? { expressionValues: lines } : {}) };
  };
  const wrong = (summary: string, detail: string, cause: { readonly unknown?: true } = {}): AssertionResult => ({
    status: "error",
    diagnostics: [...condition.diagnostics, errorDiagnostic(summary, detail, place(cause))],
  });
  const [value] = unmark(condition.value);
  if (!isKnown(value)) return wrong("Unknown condition value", unknownCondition, { unknown: true });
  if (isNull(value))
    return wrong("Invalid condition run", "Condition expression must return either true or false, not null.");
  const bool = convert(value, boolType);
  if (!bool.ok) return wrong("Invalid condition run", `Invalid condition run: ${bool.message}.`);
  if (asBool(bool.value)) return { status: "pass", diagnostics: condition.diagnostics };
  const message = failureMessage(rule.errorMessage, context);
  const failed = errorDiagnostic("Test assertion failed", message.value, place({}));
  return { status: "fail", diagnostics: [...condition.diagnostics, ...message.diagnostics, failed] };
}

const unknownCondition =
  "Condition expression could not be evaluated at this time. This means you have executed a `run` block with `command = plan` and one of the values your condition depended on is not known until after the plan has been applied. Either remove this value from your condition, or execute an `apply` command from this `run` block. Alternatively, if there is an override for this value, you can make it available during the plan phase by setting `override_during = plan` in the `override_` block.";

function failureMessage(expression: Expression, context: AssertionScope): Diagnosed<string> {
  const scope = scopeOf(expression, context);
  const { value, diagnostics } = hasErrors(scope.diagnostics)
    ? { value: undefined, diagnostics: scope.diagnostics }
    : evaluate(expression, scope.value);
  if (!value || hasErrors(diagnostics))
    return { value: "The error message of this assertion could not be evaluated.", diagnostics };
  for (const kind of [sensitive, ephemeral]) {
    if (!isMarkedDeep(value, kind)) continue;
    const detail = `The error expression used to explain this condition refers to ${kind} values, so that the message is not shown. You can correct this by removing references to ${kind} values.`;
    const warning = { severity: "warning" as const, summary: `Error message refers to ${kind} values`, detail };
    return {
      value: `The error message of this assertion is not shown, as it holds ${kind} values.`,
      diagnostics: [...diagnostics, { ...warning, subject: rangeOf(expression) }],
    };
  }
  const text = convert(unmarkDeep(value)[0], stringType);
  if (!text.ok || !isKnown(text.value) || isNull(text.value))
    return { value: "The error message of this assertion is not a known text.", diagnostics };
  return { value: asString(text.value).trim(), diagnostics };
}

/** What an assertion may name: all that the configuration under test can, its outputs, and runs that came before. */
function scopeOf(expression: Expression, { evaluator, test }: AssertionScope): Diagnosed<Scope> {
  const diagnostics: Diagnostic[] = [];
  const ours = new Map<string, Map<string, Value>>();
  const put = (root: string, name: string, value: Value) => {
    const known = ours.get(root);
    if (known) known.set(name, value);
    else ours.set(root, new Map([[name, value]]));
  };
  const theirs: ScopeTraversal[] = [];
  const root = evaluator.context.configuration.root;
  for (const traversal of referencesIn(expression)) {
    const step = traversal.steps[0];
    const name = step?.kind === "attribute" ? step.name : undefined;
    const place = { subject: rangeOf(traversal) };
    if (traversal.root.name === "run" && name !== undefined) {
      const wrong = wrongRun(name, test, place);
      if (wrong) diagnostics.push(wrong);
      else put("run", name, test.runs.get(name)!);
    } else if (traversal.root.name === "output" && name !== undefined) {
      if (root.outputs.has(name)) put("output", name, evaluator.output(rootModule, name).value);
      else diagnostics.push(notDeclared("output value", name, place));
    } else if (traversal.root.name === "var" && name !== undefined && !root.variables.has(name)) {
      const value = test.variables.get(name);
      if (value) put("var", name, value);
      else diagnostics.push(notDeclared("input variable", name, place));
    } else theirs.push(traversal);
  }
  const parsed = theirs.map(parseReference);
  for (const reference of parsed) diagnostics.push(...missing(reference, evaluator));
  const { value, diagnostics: found } = evaluator.scope(parsed, rootModule, noInstance, expression.file.name);
  const variables = new Map<string, Value>();
  for (const name of value.variables?.keys() ?? []) {
    const known = value.variables?.get(name);
    if (known) variables.set(name, known);
  }
  for (const [name, entries] of ours) {
    const also = variables.get(name);
    const known =
      also && typeof also.data === "object" && also.data instanceof Map ? also.data : new Map<string, Value>();
    variables.set(name, objectValue([...known, ...entries]));
  }
  return { value: { ...value, variables }, diagnostics: [...diagnostics, ...found] };
}

function notDeclared(what: string, name: string, place: { readonly subject: ReturnType<typeof rangeOf> }): Diagnostic {
  const article = what.startsWith("i") || what.startsWith("o") ? "An" : "A";
  const block = what === "input variable" ? "variable" : "output";
  const detail = `${article} ${what} with the name "${name}" has not been declared. This ${block} can be declared with a ${block} "${name}" {} block.`;
  return errorDiagnostic(`Reference to undeclared ${what}`, detail, place);
}

function missing(parsed: ReturnType<typeof parseReference>, evaluator: Evaluator): Diagnostic[] {
  if (!parsed.ok) return [];
  const { subject, range } = parsed.reference;
  const root = evaluator.context.configuration.root;
  const place = { subject: range };
  if (subject.kind === "local" && !root.locals.has(subject.name)) {
    const detail = `A local value with the name "${subject.name}" has not been declared.`;
    return [errorDiagnostic("Reference to undeclared local value", detail, place)];
  }
  if (subject.kind === "module" && !root.calls.has(subject.name)) {
    const detail = `No module call named "${subject.name}" is declared in the root module.`;
    return [errorDiagnostic("Reference to undeclared module", detail, place)];
  }
  if (subject.kind !== "resource") return [];
  const { mode, type, name } = subject.address;
  const text = `${mode === "managed" ? "" : `${mode}.`}${type}.${name}`;
  if (root.resources.has(text)) return [];
  const what = mode === "data" ? "A data resource" : "A managed resource";
  const detail = `${what} "${type}" "${name}" has not been declared in the root module.`;
  return [errorDiagnostic("Reference to undeclared resource", detail, place)];
}
