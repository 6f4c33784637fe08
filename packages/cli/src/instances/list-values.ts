import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { ListValues } from "@millwright/engine/instances/evaluate";
import type { InstanceList } from "@millwright/engine/instances/list";
import { collectVariables, type VariableSource } from "@millwright/engine/variables";
import type { Value } from "@millwright/value/value";
import { askForVariables } from "../terraform/ask.ts";
import { variableSources } from "../terraform/variable-sources.ts";
import type { GivenFlag } from "../terraform/options.ts";
import { evaluatorContext } from "../terraform/run-context.ts";
import type { Session } from "../terraform/session.ts";
import { givenFrom } from "../terraform/why.ts";

/** Values of a list's variables: as they were given, and what expressions see. */
export interface ListVariables {
  readonly given: ReadonlyMap<string, Value>;
  readonly final: ReadonlyMap<string, Value>;
  /** Who gave them, in words. */
  readonly from: ReadonlyMap<string, string>;
}

/** Collects the values of a list's own variables, as for any folder; asks for those that have none, where it may. */
export async function listVariables(
  session: Session,
  list: InstanceList,
  occurrences: readonly GivenFlag[],
  mayAsk: boolean,
): Promise<Diagnosed<ListVariables>> {
  const { sources, diagnostics } = variableSources(session, occurrences);
  const asked = await askForVariables(session, list.module, sources, mayAsk);
  return collected(list, [...asked, ...sources], diagnostics);
}

/** The same from a saved plan. */
export function savedVariables(list: InstanceList, given: ReadonlyMap<string, Value>): Diagnosed<ListVariables> {
  const sources = [...given].map(([name, value]) => ({ kind: "value", name, value }) as const);
  return collected(list, sources, []);
}

function collected(
  list: InstanceList,
  sources: readonly VariableSource[],
  before: readonly Diagnostic[],
): Diagnosed<ListVariables> {
  const { value, diagnostics } = collectVariables(list.module, sources);
  return { value: { ...value, from: givenFrom(sources) }, diagnostics: [...before, ...diagnostics] };
}

export interface ListRun {
  readonly session: Session;
  readonly list: InstanceList;
  readonly variables: ListVariables;
  /** Where functions such as `timestamp` give what holds now, and not a value that is known later. */
  readonly applying: boolean;
  outputs(instance: string): Value;
}

/** What the inputs of a list's instances are evaluated with. */
export function listValues({ session, list, variables, applying, outputs }: ListRun): ListValues {
  const module = list.functions ? { ...list.module, functions: list.functions } : list.module;
  const configuration = { root: module, modules: new Map([["", module]]) };
  const context = evaluatorContext(session, { configuration, variables: variables.final, applying });
  return { variables: variables.final, outputs, functions: (filename) => context.functions(module, filename) };
}
