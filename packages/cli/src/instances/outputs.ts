import type { Module } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import type { State } from "@millwright/engine/state";
import { dynamicType } from "@millwright/value/types";
import { mark, nullValue, objectValue, sensitive, type Value } from "@millwright/value/value";

const none = nullValue(dynamicType);

/** What an instance's outputs will be once its plan is carried out: unknown where that is still to come. */
export function plannedOutputs({ outputs, priorState }: Plan, template: Module): Value {
  return objectValue(
    [...template.outputs.keys()].map((name) => [name, outputs.get(name)?.after ?? stored(priorState, name) ?? none]),
  );
}

/** The outputs that an instance has. One that a state does not have is null, as a state keeps no null outputs. */
export function storedOutputs(state: State, names: Iterable<string>): Value {
  return objectValue([...names].map((name) => [name, stored(state, name) ?? none]));
}

function stored({ outputs }: State, name: string): Value | undefined {
  const output = outputs.get(name);
  return output && (output.sensitive ? mark(output.value, sensitive) : output.value);
}
