import { existsSync, statSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { PendingCreate } from "@millwright/engine/backend/journal";
import type { Configuration } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import type { SavedPlan } from "@millwright/engine/plan-file";
import type { ProviderRegistry } from "@millwright/engine/ports";
import { type ApplyCall, carryOutAndSay, wavesFor, stateOf } from "./apply-call.ts";
import { variablesForSavedPlan } from "./apply-variables.ts";
import { holdForPlan } from "./hold-parts.ts";
import type { OpenState } from "./open-state.ts";
import { readSavedPlan } from "./plan-files.ts";
import { recoverInterrupted } from "./recover.ts";
import { providersOf } from "./registry.ts";
import { savedConfiguration } from "./saved-configuration.ts";
import type { Session } from "./session.ts";
import { workspaceOf } from "./workspace-of.ts";

/** Carries out a saved plan, without a question; refuses one that has gone stale. Gives the exit code. */
export async function applySaved(call: ApplyCall, name: string): Promise<number> {
  const { session } = call;
  const path = session.path(name);
  const noFile = notAFile(session, name);
  if (noFile) return fail(call, noFile);
  const saved = await readSavedPlan(session, path, call.occurrences);
  if (!saved) return 1;
  const elsewhere = otherWorkspace(session, saved);
  if (elsewhere) return fail(call, elsewhere);
  const unfit = unfitPlan(saved, (await providersOf(session)).registry);
  if (unfit) return fail(call, unfit);
  const state = await stateOf(call, saved.backend);
  if (!state) return 1;
  try {
    const { pending, diagnostics } = await recoverInterrupted(state);
    const stale = staleness(saved.plan, state, pending);
    if (!(await session.report([...diagnostics, ...stale]))) return 1;
    const loaded = await savedConfiguration(session, { ...saved, variables: saved.plan.variables });
    if (!(await session.report(loaded.diagnostics.filter((d) => d.severity === "error")))) return 1;
    const moved = await movedSince(call, state, saved.plan, loaded.value);
    if (!(await session.report(moved))) return 1;
    const given = variablesForSavedPlan(session, call.occurrences, saved.plan, loaded.value.root);
    if (!(await session.report(given.diagnostics))) return 1;
    session.tellJson((view) => view.changes(saved.plan));
    const record = { operation: "apply", saved };
    const inWaves = await wavesFor(call, state, loaded.value, saved.plan);
    if (inWaves === "mistake") return 1;
    if (inWaves && !session.json) await session.io.stdout(`${inWaves.shown}\n`);
    const waves = inWaves ? { waves: inWaves.run } : {};
    const what = { plan: saved.plan, configuration: loaded.value, given: given.value, pending, record, ...waves };
    const code = await carryOutAndSay(call, state, what);
    const left = saved.plan.deferrals.length;
    if (code === 0 && left > 0 && !session.json)
      await session.io.stdout(`\n${left} put off by this plan: plan again to see what is to be done now.\n`);
    return code;
  } finally {
    await state.release();
  }
}

async function fail({ session }: ApplyCall, diagnostic: Diagnostic): Promise<number> {
  await session.report([diagnostic]);
  return 1;
}

/** What is wrong with a file that is to be carried out, where it is none. */
export function notAFile(session: Session, name: string): Diagnostic | undefined {
  const path = session.path(name);
  if (!existsSync(path)) {
    const detail = `There is no file ${name} in ${session.folder}. Save a plan with plan -out=${name} first; to plan and apply in one step, give no file.`;
    return errorDiagnostic("Failed to load plan file", detail);
  }
  if (!statSync(path).isDirectory()) return undefined;
  const detail = `${name} is a folder. To apply the configuration of another folder, use the global -chdir option.`;
  return errorDiagnostic("Invalid plan file", detail);
}

// What the plan says of terraform.workspace would not come out so in another.
function otherWorkspace(session: Session, { backend }: SavedPlan): Diagnostic | undefined {
  const selected = workspaceOf(session);
  if (!backend || backend.workspace === selected) return undefined;
  const detail = `The plan was made in the workspace "${backend.workspace}", and "${selected}" is selected. Select that workspace, or make a plan in this one.`;
  return errorDiagnostic("Saved plan is for another workspace", detail);
}

/** Why a saved plan cannot be carried out by this program. */
export function unfitPlan({ plan, providers }: SavedPlan, registry: ProviderRegistry): Diagnostic | undefined {
  if (plan.errored) {
    const detail = "Planning ended with errors when this plan was made, so it is for looking at only.";
    return errorDiagnostic("Cannot apply incomplete plan", detail);
  }
  for (const source of registry.known()) {
    const text = `${source.host}/${source.namespace}/${source.type}`;
    const before = providers.get(text);
    const now = registry.find(source)?.version;
    if (before === undefined || now === before) continue;
    const detail = `The plan was made with ${text} ${before}, and ${now ?? "no version"} is here now. Make a new plan.`;
    return errorDiagnostic("Saved plan was made with another provider version", detail);
  }
  return undefined;
}

/** Holds what a saved plan is about, where the state is shared; what has happened to that since is a mistake. */
async function movedSince(
  { session }: ApplyCall,
  state: OpenState,
  plan: Plan,
  configuration: Configuration,
): Promise<Diagnostic[]> {
  const held = await holdForPlan(session, state, plan, configuration);
  if (held.kind === "held") return [];
  const detail = `The given plan file can no longer be applied because another operation has changed what it is about since it was created: ${held.parts.join(", ")}. Nothing was changed. Make a new plan.`;
  return [errorDiagnostic("Saved plan is stale", detail)];
}

/** What has happened to a state since a plan was made for it. */
export function staleness(plan: Plan, { kept, shared }: OpenState, pending: readonly PendingCreate[]): Diagnostic[] {
  const { serial, lineage } = kept.current;
  if (lineage !== "" && lineage !== plan.lineage && plan.serial === 0) {
    const detail =
      "The plan was made when there was no state yet, and one has been written since. Nothing was changed. Make a new plan.";
    return [errorDiagnostic("Saved plan is stale", detail)];
  }
  if (lineage !== "" && lineage !== plan.lineage) {
    const detail = `The plan was made for another state: its lineage is ${plan.lineage}, and that of ${kept.place} is ${lineage}. Nothing was changed. Make a new plan.`;
    return [errorDiagnostic("Saved plan does not match the given state", detail)];
  }
  if (lineage === "" && plan.serial > 0) {
    const detail = `The plan was made for a state that was there already, and there is none at ${kept.place}. Run it in the folder and the workspace that it was made for, or make a new plan here. Nothing was changed.`;
    return [errorDiagnostic("Saved plan does not match the given state", detail)];
  }
  // What others did to other parts of a shared state does not matter; its own are looked at once they are held.
  if (serial !== plan.serial && !shared) {
    const detail = `The given plan file can no longer be applied because the state was changed by another operation after the plan was created (the plan is of serial ${plan.serial}, the state is at ${serial}). Nothing was changed. Make a new plan.`;
    return [errorDiagnostic("Saved plan is stale", detail)];
  }
  const open = pending.filter((entry) => !plan.settled.includes(entry.address));
  return open.map(({ address }) => {
    const detail = `A run after this plan was killed while it created ${address}. Make a new plan, which looks for it.`;
    return errorDiagnostic("Saved plan is stale", detail, { address });
  });
}
