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
  { files, stack }: LoadedFolder,
  state?: OpenState,
): Promise<SavedPlan> {
  const { registry } = await providersOf(session);
  const contribution = stack ? { contribution: stack.saved } : {};
  return {
    plan,
    files,
    providers: providerVersions(plan, registry),
    ...contribution,
    ...(state?.backend ? { backend: state.backend } : {}),
  };
}
