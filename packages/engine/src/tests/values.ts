import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Body, Expression, ScopeTraversal } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { referencesIn } from "@millwright/hcl/references";
import type { Lookup } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { dynamicValue, objectValue, type Value } from "@millwright/value/value";
import type { Module } from "../configuration.ts";
import type { CollectedVariables, VariableSource } from "../variables.ts";
import { collectVariables } from "../variables.ts";
import type { TestFile, TestRun } from "./test-file.ts";

/** What expressions of a test file may refer to, outside of its assertions. */
export interface TestScope {
  readonly variables: ReadonlyMap<string, Value>;
  /** What a variable is that nobody has given a value. */
  readonly defaults: ReadonlyMap<string, Value>;
  /** Outputs of the runs that came before, as objects. */
  readonly runs: ReadonlyMap<string, Value>;
  /** All runs of the file. */
  readonly runNames: ReadonlySet<string>;
  readonly functions: Lookup<FunctionSpec>;
}

/** Evaluates an expression that stands in a test file, outside of its assertions. */
export function evaluateInTest(expression: Expression, scope: TestScope): Diagnosed<Value> {
  const wrong = referencesIn(expression).flatMap((traversal) => wrongReference(traversal, scope) ?? []);
  if (wrong.length > 0) return { value: dynamicValue, diagnostics: wrong };
  const variables = new Map([
    ["var", objectValue([...scope.defaults, ...scope.variables])],
    ["run", objectValue(scope.runs)],
  ]);
  return evaluate(expression, { variables, functions: scope.functions });
}

function wrongReference(traversal: ScopeTraversal, scope: TestScope): Diagnostic | undefined {
  const step = traversal.steps[0];
  const name = step?.kind === "attribute" ? step.name : undefined;
  const place = { subject: rangeOf(traversal) };
  if (traversal.root.name === "var" && name !== undefined) {
    if (scope.variables.has(name) || scope.defaults.has(name)) return undefined;
    const detail = `The input variable "${name}" is not available to the current context. You can only reference global variables, and in a run block those of the file.`;
    return errorDiagnostic("Reference to unavailable variable", detail, place);
  }
  if (traversal.root.name === "run" && name !== undefined) return wrongRun(name, scope, place);
  const detail =
    "You can only reference variables (var.NAME) and outputs of earlier run blocks (run.NAME.OUTPUT) from here. Objects of the configuration can be referred to in assert blocks.";
  return errorDiagnostic("Invalid reference", detail, place);
}

/** What is wrong with a reference to `run.NAME`. */
export function wrongRun(
  name: string,
  scope: Pick<TestScope, "runs" | "runNames">,
  place: { readonly subject: ReturnType<typeof rangeOf> },
): Diagnostic | undefined {
  if (scope.runs.has(name)) return undefined;
  if (scope.runNames.has(name)) {
    const detail = `The run block "${name}" has not executed yet. You can only reference run blocks that are in the same test file and will execute before the current run block.`;
    return errorDiagnostic("Reference to unavailable run block", detail, place);
  }
  const detail = `The run block "${name}" does not exist within this test file. You can only reference run blocks that are in the same test file and will execute before the current run block.`;
  return errorDiagnostic("Reference to unknown run block", detail, place);
}

/**
 * Values that were given from outside (environment, files, command line), by name: of the folder's variables as these
 * convert them, and of others as they are.
 */
export function globalVariables(
  root: Module,
  sources: readonly VariableSource[],
): Diagnosed<ReadonlyMap<string, Value>> {
  const own: VariableSource[] = [];
  const others = new Map<string, Value>();
  const diagnostics: Diagnostic[] = [];
  for (const source of sources) {
    if (source.kind !== "file") {
      if (root.variables.has(source.name)) own.push(source);
      else if (source.kind === "value") others.set(source.name, source.value);
      else others.set(source.name, textValue(source.text));
      continue;
    }
    const known = [...source.attributes].filter(([name]) => root.variables.has(name));
    own.push({ ...source, attributes: new Map(known) });
    for (const [name, attribute] of source.attributes) {
      if (root.variables.has(name)) continue;
      const result = evaluate(attribute.expression);
      diagnostics.push(...result.diagnostics);
      others.set(name, result.value);
    }
  }
  const given = new Map([...root.variables].filter(([name]) => isGiven(own, name)));
  const collected = collectVariables({ ...root, variables: given }, own);
  diagnostics.push(...collected.diagnostics);
  return { value: new Map([...others, ...collected.value.final]), diagnostics };
}

/** Defaults of the folder's variables: OpenTofu lets test files refer to these too. */
export function defaultVariables(root: Module): ReadonlyMap<string, Value> {
  const withDefault = [...root.variables].filter(([, variable]) => variable.default);
  return collectVariables({ ...root, variables: new Map(withDefault) }, []).value.final;
}

function isGiven(sources: readonly VariableSource[], name: string): boolean {
  return sources.some((source) => (source.kind === "file" ? source.attributes.has(name) : source.name === name));
}

const textValue = (text: string): Value => ({ ...dynamicValue, type: { kind: "string" }, data: text });

/** The variables of the configuration under test as a run gives them, and what its own expressions may refer to. */
export interface RunVariables {
  readonly collected: CollectedVariables;
  readonly scope: TestScope;
}

/** Values of a run's variables: its own hold over the file's, and these over those from outside. */
export function runVariables(
  root: Module,
  file: TestFile,
  run: TestRun,
  global: TestScope,
): Diagnosed<RunVariables | undefined> {
  const diagnostics: Diagnostic[] = [];
  const given = new Map(global.variables);
  const evaluateAll = (variables: ReadonlyMap<string, Expression>, scope: TestScope) => {
    for (const [name, expression] of variables) {
      const result = evaluateInTest(expression, scope);
      diagnostics.push(...result.diagnostics);
      given.set(name, result.value);
    }
  };
  evaluateAll(file.variables, global);
  evaluateAll(run.variables, { ...global, variables: new Map(given) });
  for (const [name, expression] of run.variables) {
    if (root.variables.has(name)) continue;
    const detail = `The module under test does not declare a variable named "${name}", but it is declared in run block "${run.name}".`;
    diagnostics.push(warningDiagnostic("Value for undeclared variable", detail, { subject: rangeOf(expression) }));
  }
  for (const variable of root.variables.values()) {
    if (given.has(variable.name) || variable.default) continue;
    const detail = `The module under test for run block "${run.name}" has a required variable "${variable.name}" with no set value. Use a -var or -var-file command line argument or add this variable into a "variables" block within the test file or run block.`;
    diagnostics.push(errorDiagnostic("No value for required variable", detail, { subject: variable.range }));
  }
  if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
  const sources = [...given]
    .filter(([name]) => root.variables.has(name))
    .map(([name, value]) => ({ kind: "value" as const, name, value }));
  const collected = collectVariables(root, sources);
  const scope = { ...global, variables: new Map([...given, ...collected.value.final]) };
  return { value: { collected: collected.value, scope }, diagnostics: [...diagnostics, ...collected.diagnostics] };
}

/** A body in which every argument is the value that it has in a test. */
export function settledBody(body: Body, scope: TestScope): Diagnosed<Body> {
  const diagnostics: Diagnostic[] = [];
  const settle = (inner: Body): Body => ({
    ...inner,
    attributes: new Map(
      [...inner.attributes].map(([name, attribute]) => {
        if (referencesIn(attribute.expression).length === 0) return [name, attribute];
        const { value, diagnostics: found } = evaluateInTest(attribute.expression, scope);
        diagnostics.push(...found);
        const { file, start, end } = attribute.expression;
        return [name, { ...attribute, expression: { kind: "literal", value, file, start, end } }];
      }),
    ),
    blocks: inner.blocks.map((block) => ({ ...block, body: settle(block.body) })),
  });
  return { value: settle(body), diagnostics };
}
