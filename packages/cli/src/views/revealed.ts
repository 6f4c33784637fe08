import type { InstanceChange, Plan } from "@millwright/engine/plan";
import type { OutputState } from "@millwright/engine/state";
import { unmarkDeep, type Value } from "@millwright/value/value";

/** A plan whose sensitive values are shown. For showing alone: it is no plan to carry out. */
export function revealedPlan(plan: Plan): Plan {
  const outputs = [...plan.outputs].map(([name, output]) => {
    return [name, { ...output, before: bare(output.before), after: bare(output.after), sensitive: false }] as const;
  });
  return {
    ...plan,
    changes: plan.changes.map(revealedChange),
    drift: plan.drift.map(revealedChange),
    deferrals: plan.deferrals.map((one) => ({ ...one, change: revealedChange(one.change) })),
    outputs: new Map(outputs),
  };
}

/** Outputs of which sensitive ones are shown too. */
export function revealedOutputs(outputs: ReadonlyMap<string, OutputState>): ReadonlyMap<string, OutputState> {
  return new Map([...outputs].map(([name, output]) => [name, { ...output, sensitive: false }]));
}

function revealedChange(change: InstanceChange): InstanceChange {
  return { ...change, before: bare(change.before), after: bare(change.after) };
}

function bare(value: Value): Value {
  return unmarkDeep(value)[0];
}
