import type { Plan } from "@millwright/engine/plan";
import type { SavedPlan } from "@millwright/engine/plan-file";
import type { LoadedFolder } from "./folder.ts";
import type { OpenState } from "./open-state.ts";
import { providersOf, providerVersions } from "./registry.ts";
import type { Session } from "./session.ts";

/** A plan with what it was made from, as plan files and the history keep it. */
export async function savedPlan(
  session: Session,
  plan: Plan,
  { files, stack, kept }: LoadedFolder,
  state?: OpenState,
): Promise<SavedPlan> {
  const { registry } = await providersOf(session);
  const text = stack?.saved ?? kept?.contribution;
  const contribution = text === undefined ? {} : { contribution: text };
  return {
    plan,
    files,
    providers: providerVersions(plan, registry),
    ...contribution,
    ...(state?.backend ? { backend: state.backend } : {}),
  };
}
