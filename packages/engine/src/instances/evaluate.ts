import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import type { Expression } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import { referencesIn } from "@millwright/hcl/references";
import { rangeOf } from "@millwright/hcl/source-file";
import { dynamicValue, objectValue, type Value } from "@millwright/value/value";
import type { VariableSource } from "../variables.ts";
import type { InstanceList, ListedInstance } from "./instance-list.ts";

/** What the inputs of a list's instances are made from. */
export interface ListValues {
  /** Final values of the list's own variables. */
  readonly variables: ReadonlyMap<string, Value>;
  /** The outputs of an instance, as one object: known, or unknown where they are still to come. */
  outputs(instance: string): Value;
  functions(filename: string): Lookup<FunctionSpec>;
}

/** The inputs of an instance as values for its template's variables, each with the place where it is written. */
export function evaluateInputs(
  list: InstanceList,
  instance: ListedInstance,
  values: ListValues,
): Diagnosed<readonly VariableSource[]> {
  const diagnostics: Diagnostic[] = [];
  const locals = new Map<string, Value>();
  const variables = new Map([
    ["var", objectValue(values.variables)],
    ["instance", objectValue([...instance.dependencies].map((name) => [name, values.outputs(name)]))],
  ]);
  const scope: Lookup<Value> = {
    get: (name) => (name === "local" ? localsObject() : variables.get(name)),
    keys: () => [...variables.keys(), "local"],
  };
  // The object of locals has those that are worked out; each is, before what refers to it.
  const localsObject = (): Value => objectValue(locals);
  const valueOf = (expression: Expression): Value => {
    for (const name of localsIn(list, expression)) {
      if (locals.has(name)) continue;
      const local = list.locals.get(name);
      invariant(local, "a list's references are checked when it is read");
      // A cycle was reported when the list was read.
      locals.set(name, dynamicValue);
      locals.set(name, valueOf(local.expression));
    }
    const functions = values.functions(expression.file.name);
    const found = evaluate(expression, { variables: scope, functions });
    diagnostics.push(...found.diagnostics);
    return found.value;
  };
  const sources = [...instance.inputs].map(([name, { expression }]): VariableSource => {
    const from = `the list of instances, for "${instance.name}"`;
    return { kind: "value", name, value: valueOf(expression), written: { range: rangeOf(expression), from } };
  });
  return { value: sources, diagnostics };
}

function localsIn(list: InstanceList, expression: Expression): string[] {
  return referencesIn(expression).flatMap(({ root, steps: [step] }) =>
    root.name === "local" && step?.kind === "attribute" && list.locals.has(step.name) ? [step.name] : [],
  );
}
