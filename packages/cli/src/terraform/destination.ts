import type { History } from "@millwright/engine/history";
import { loadConfiguration } from "@millwright/engine/load";
import { filesOf } from "@millwright/engine/node-files";
import { type SavedPlan, savedPlanOf } from "@millwright/engine/plan-file";
import { valuesOf } from "./apply-variables.ts";
import type { LoadedFolder } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import type { GivenFlag } from "./options.ts";
import { savedConfiguration } from "./saved-configuration.ts";
import type { Session } from "./session.ts";

/** A run that can be gone back to, with the plan that it carried out. */
export interface Destination {
  readonly number: number;
  readonly saved: SavedPlan;
}

/** The last run that was carried out wholly and whose plan is kept; undefined where there is none. */
export async function destinationBefore(
  history: History,
  before = Number.POSITIVE_INFINITY,
): Promise<Destination | undefined> {
  for (const number of (await history.numbers()).filter((one) => one < before).reverse()) {
    const record = await history.record(number);
    if (!record?.result?.complete) continue;
    const found = await destinationAt(history, number);
    if (found) return found;
  }
  return undefined;
}

/** The same, where there is a configuration to go back to: after a destroy there is none. */
export async function lastWhole(history: History): Promise<Destination | undefined> {
  const last = await destinationBefore(history);
  return last?.saved.plan.mode === "destroy" ? undefined : last;
}

/** The run of that number; undefined where its plan is kept no longer. */
export async function destinationAt(history: History, number: number): Promise<Destination | undefined> {
  const bytes = await history.plan(number);
  return bytes && { number, saved: savedPlanOf(bytes, `run ${number} in ${history.place}`) };
}

/** The folder as it was when a run was planned. Ephemeral variables have the values that are given now. */
export async function folderOfRun(
  session: Session,
  { saved }: Destination,
  occurrences: readonly GivenFlag[],
): Promise<LoadedFolder> {
  const { plan, files, contribution } = saved;
  const { value, diagnostics } = await savedConfiguration(session, { ...saved, variables: plan.variables });
  const isAsked = (name: string | undefined) => name !== undefined && plan.ephemeralVariables.includes(name);
  const anew = variableSources(session, occurrences).sources.filter(
    (source) => "name" in source && isAsked(source.name),
  );
  const variables = [...valuesOf(plan.variables), ...anew];
  const kept = { variables, ...(contribution === undefined ? {} : { contribution }) };
  return { configuration: value, files, diagnostics, kept };
}

/** A folder that says nothing, for taking all down. */
export function emptyFolder(): LoadedFolder {
  const { value } = loadConfiguration(filesOf(new Map()), { tofuFiles: true });
  return { configuration: value, files: new Map(), diagnostics: [], kept: { variables: [] } };
}
