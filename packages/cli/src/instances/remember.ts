import type { Configuration } from "@millwright/engine/configuration";
import { forgetInstance, readRecord, writeRecord } from "@millwright/engine/instances/record";
import type { SavedPlan } from "@millwright/engine/plan-file";
import { isMarkedDeep, sensitive, type Value } from "@millwright/value/value";
import { sealingOf } from "../terraform/backend/sealing.ts";
import type { OpenState } from "../terraform/open-state.ts";
import type { Session } from "../terraform/session.ts";
import { placeTo } from "./place.ts";

/** What an instance is going to be made by. */
export interface MadeBy {
  /** Its plan, whose variables are the inputs, with the template's files. */
  readonly saved: SavedPlan;
  readonly configuration: Configuration;
  readonly state: OpenState;
}

/**
 * Keeps what the session's instance is made by, for the day when it is to be taken down. To be called before anything is made, so
 * that what a killed run has made is not forgotten either. False where it is not known how to keep it, which was reported.
 */
export async function rememberInstance(session: Session, { saved, configuration, state }: MadeBy): Promise<boolean> {
  const { instance } = session;
  if (!instance || saved.plan.mode === "destroy") return true;
  const sealing = await sealingOf(session, [], "state");
  if (!sealing) return false;
  const { name, listFolder, template, dependencies } = instance;
  const { variables: inputs } = saved.plan;
  // Where the state is encrypted, no secret of it is to lie beside it in clear.
  const isSecret = ([input, value]: readonly [string, Value]) =>
    isMarkedDeep(value, sensitive) || configuration.root.variables.get(input)?.sensitive === true;
  const withheld = sealing.sealed ? [...inputs].filter(isSecret).map(([input]) => input) : [];
  writeRecord(listFolder, name, {
    template,
    place: placeTo(listFolder, state.kept.place),
    lineage: state.kept.lineage,
    dependencies: dependencies ?? readRecord(listFolder, name)?.dependencies ?? [],
    outputs: [...configuration.root.outputs.keys()],
    inputs: new Map([...inputs].filter(([input]) => !withheld.includes(input))),
    withheld,
    files: saved.files,
    ...(saved.contribution === undefined ? {} : { contribution: saved.contribution }),
  });
  return true;
}

/** Forgets the session's instance where a destroy has left nothing of it. */
export function forgetIfGone({ instance }: Session, { kept }: OpenState): void {
  if (instance && kept.current.state.resources.size === 0) forgetInstance(instance.listFolder, instance.name);
}
