import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Configuration } from "@millwright/engine/configuration";
import type { InstanceList } from "@millwright/engine/instances/list";
import { whyInInstance } from "@millwright/engine/instances/why";
import { readRecord } from "@millwright/engine/instances/record";
import type { Plan } from "@millwright/engine/plan";
import type { WhyReport } from "@millwright/engine/why";
import type { Value } from "@millwright/value/value";
import type { FlagTable } from "../flags.ts";
import { rangeInList } from "../terraform/instance-scope.ts";
import type { Session } from "../terraform/session.ts";
import { badWhy, sayWhy } from "../terraform/why.ts";
import type { ListVariables } from "./list-values.ts";
import { type HeadedInstance, heading } from "./render.ts";
import { noSuchInstance } from "./tasks.ts";

/** The flag that asks for reasons, over instances. */
export const whyInstanceFlags = {
  why: {
    kind: "strings",
    value: "INSTANCE:ADDRESS",
    help: "Say why this object of an instance (or what is in this resource or module of it) changes: which expression, variable, change outside, or output of another instance causes it. With one -instance its name may be left out.",
  },
} as const satisfies FlagTable;

/** An object of an instance, as it is named on the command line. */
interface InstanceAddress {
  readonly instance: string;
  readonly address: string;
}

/** Reads `app: terraform_data.a`, with or without a space, as messages have it; undefined where the instance is not named. */
function instanceAddress(text: string): InstanceAddress | undefined {
  const [, instance, address] = /^(?:instance\.)?([\w-]+):\s*(.*)$/s.exec(text) ?? [];
  return instance === undefined || address === undefined ? undefined : { instance, address };
}

/** What is wrong with the objects that reasons were asked for, as far as the line alone tells. */
export function badInstanceWhy(texts: readonly string[], chosen: readonly string[]): Diagnostic | undefined {
  const unnamed = texts.find((text) => instanceAddress(text) === undefined);
  if (unnamed !== undefined && chosen.length !== 1) {
    const detail = `"${unnamed}" does not say whose object it is. Put the name of the instance in front: -why='NAME:${unnamed}'.`;
    return errorDiagnostic("Address without its instance", detail);
  }
  return badWhy(texts.map((text) => instanceAddress(text)?.address ?? text));
}

/** An instance of a run, as far as reasons need it. */
export interface InstanceToExplain {
  readonly task: HeadedInstance;
  readonly session: Session;
  readonly plan: Plan;
  readonly configuration: Configuration;
}

export interface InstancesToExplain {
  readonly list: InstanceList;
  readonly variables: ListVariables;
  readonly instances: ReadonlyMap<string, InstanceToExplain>;
}

/** An object whose reasons were asked for, with what gives them. */
export interface AskedWhy extends InstanceAddress {
  readonly of: InstanceToExplain;
  explain(address: string): WhyReport[];
}

/** The objects that reasons were asked for; undefined where one is of no instance of the run, which was reported. */
export async function whyOfInstances(
  session: Session,
  all: InstancesToExplain,
  texts: readonly string[],
  chosen: readonly string[],
): Promise<readonly AskedWhy[] | undefined> {
  const asked: AskedWhy[] = [];
  for (const text of texts) {
    const named = instanceAddress(text) ?? { instance: chosen[0]!, address: text };
    const of = all.instances.get(named.instance);
    if (!of) {
      await session.report([noPlanOf(named.instance, all)]);
      return undefined;
    }
    asked.push({ ...named, of, explain: reasonsIn(all, named.instance) });
  }
  return asked;
}

/** Says why objects of instances change, each below the heading of its instance. False where there is no such instance. */
export async function sayWhyInInstances(
  session: Session,
  all: InstancesToExplain,
  texts: readonly string[],
  chosen: readonly string[],
): Promise<boolean> {
  const asked = await whyOfInstances(session, all, texts, chosen);
  for (const { of, address, explain } of asked ?? []) {
    if (!session.json) await session.io.stdout(heading(of.task, session.view));
    await sayWhy(of.session, of.plan, of.configuration, [address], explain);
  }
  return asked !== undefined;
}

// What explains the objects of an instance, with what other instances have to do with it.
function reasonsIn({ list, variables, instances }: InstancesToExplain, name: string) {
  const explained = new Map(
    [...instances].map(([other, { session, plan, configuration }]) => {
      const { instance } = session;
      const placeOf = (range: SourceRange) => (instance ? rangeInList(instance, range) : range);
      const inputsBefore = instance ? (readRecord(instance.listFolder, other)?.inputs ?? nothing) : nothing;
      return [other, { plan, configuration, inputsBefore, placeOf }];
    }),
  );
  const of = { list, instances: explained, variables: variables.final, variablesFrom: variables.from };
  return (address: string): WhyReport[] => whyInInstance(of, name, address);
}

const nothing: ReadonlyMap<string, Value> = new Map();

function noPlanOf(name: string, { list, instances }: InstancesToExplain): Diagnostic {
  if (!list.instances.has(name)) return noSuchInstance(name, new Set([...list.instances.keys(), ...instances.keys()]));
  const detail = `The instance "${name}" is not planned by this run, so there is nothing to explain of it.`;
  return errorDiagnostic("Instance is not planned", detail);
}
