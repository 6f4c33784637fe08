import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Module } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import { collectVariables, type VariableSource } from "@millwright/engine/variables";
import { rawEquals } from "@millwright/value/operations";
import { unmarkDeep, type Value } from "@millwright/value/value";
import { variableSources } from "./variable-sources.ts";
import type { GivenFlag } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * The values of ephemeral variables for an apply of a saved plan, which keeps only their names: those that were given when
 * it was made are needed again, and no others. Any other variable has the plan's value, and flags must not say another.
 */
export function variablesForSavedPlan(
  session: Session,
  occurrences: readonly GivenFlag[],
  plan: Plan,
  root: Module,
): Diagnosed<ReadonlyMap<string, Value>> {
  const { sources, diagnostics } = variableSources(session, occurrences);
  const planned = valuesOf(plan.variables);
  const collected = collectVariables(root, [...planned, ...sources]);
  const isEphemeral = (name: string) => root.variables.get(name)?.ephemeral === true;
  const given = new Map([...collected.value.given].filter(([name]) => isEphemeral(name)));
  const missing = plan.ephemeralVariables.filter((name) => !given.has(name));
  const surplus = [...given.keys()].filter((name) => !plan.ephemeralVariables.includes(name));
  const found = collected.diagnostics.filter(({ summary }) => summary !== "No value for required variable");
  const value = new Map([...given].filter(([name]) => plan.ephemeralVariables.includes(name)));
  const changed = changedByFlags(occurrences, root, [...planned, ...variableSources(session, []).sources], {
    planned,
    all: [...planned, ...sources],
  });
  return {
    value,
    diagnostics: [
      ...diagnostics,
      ...found,
      ...missing.map(notGivenAgain),
      ...surplus.map(notGivenBefore),
      ...changed.map(changedByFlag),
    ],
  };
}

/** The values that a plan keeps, and others with them, as variables are given. */
export function valuesOf(variables: ReadonlyMap<string, Value>): VariableSource[] {
  return [...variables].map(([name, value]) => ({ kind: "value", name, value }));
}

// What the environment and files say meanwhile is passed over: only flags are meant for this apply.
function changedByFlags(
  occurrences: readonly GivenFlag[],
  root: Module,
  withoutFlags: readonly VariableSource[],
  { planned, all }: { readonly planned: readonly VariableSource[]; readonly all: readonly VariableSource[] },
): readonly string[] {
  if (!occurrences.some(({ name }) => name === "var" || name === "var-file")) return [];
  const [before, here, wanted] = [planned, withoutFlags, all].map((sources) => collectVariables(root, sources).value);
  const differs = (a: Value, b: Value) => !rawEquals(unmarkDeep(a)[0], unmarkDeep(b)[0]);
  return [...root.variables.values()].flatMap(({ name, ephemeral }) => {
    const [old, found, now] = [before, here, wanted].map((values) => values!.final.get(name)!);
    return !ephemeral && differs(old!, now!) && differs(found!, now!) ? [name] : [];
  });
}

function notGivenAgain(name: string): Diagnostic {
  return errorDiagnostic(
    "No value for required variable",
    `The ephemeral input variable "${name}" was set during the plan phase, and so must also be set during the apply phase. A saved plan does not keep its value: give it again with -var, -var-file or TF_VAR_${name}.`,
  );
}

function notGivenBefore(name: string): Diagnostic {
  return errorDiagnostic(
    "Ephemeral variable was not set during planning",
    `The ephemeral input variable "${name}" was not set during the planning phase, and so must remain unset during the apply phase.`,
  );
}

function changedByFlag(name: string): Diagnostic {
  return errorDiagnostic(
    "Can't change variable when applying a saved plan",
    `The variable ${name} cannot be set using the -var and -var-file options when applying a saved plan file, because a saved plan includes the variable values that were set when it was created. Make a new plan, or declare the variable with ephemeral = true to keep it out of plans.`,
  );
}
