import { noteText } from "@millwright/provider/plan-note";
import type { Schema } from "@millwright/provider/schema";
import { typeToPlain } from "@millwright/value/type-json";
import { compareKeys } from "@millwright/value/types";
import { isNull, isWhollyKnown, unmarkDeep } from "@millwright/value/value";
import { everyKey, keyText, providerSourceText } from "../addresses.ts";
import type { Configuration } from "../configuration.ts";
import type { Action, Deferral, InstanceChange, OutputChange, Plan } from "../plan/plan.ts";
import { hasChanges, isComplete } from "../plan/plan.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { servedTerraformVersion } from "../provider-pool.ts";
import { isEmptyState, type State, StateBuilder } from "../state.ts";
import { storedIdentity } from "../identity.ts";
import { identityPlain } from "../statefile/write.ts";
import { collectVariables } from "../variables.ts";
import { groupChecks } from "../check/results.ts";
import { checksJson } from "./checks-json.ts";
import { configurationJson } from "./configuration-json.ts";
import { addressPlain, type ModuleEntry, moduleTree, stateJson, valuesPlain } from "./state-json.ts";
import { knownPlain, sensitivePlain, unknownPlain } from "./values-json.ts";

type Plain = Readonly<Record<string, unknown>>;

/**
 * A plan in the documented JSON output format 1.2 (`show -json`). It holds sensitive values in clear.
 * What providers have people read beside a change is its `notes`, which only this program has.
 */
export async function planJson(plan: Plan, configuration: Configuration, pool: ProviderPool): Promise<Plain> {
  const variables = variablesPlain(plan, configuration);
  const prior = plan.mode === "destroy" ? plan.priorState : withPlannedOrder(plan, withPlannedOutputs(plan));
  return {
    format_version: "1.2",
    terraform_version: servedTerraformVersion,
    ...(variables.length > 0 ? { variables: Object.fromEntries(variables) } : {}),
    planned_values: plannedValues(plan, pool),
    ...(plan.drift.length > 0 ? { resource_drift: plan.drift.map(changeJson) } : {}),
    ...(plan.changes.length > 0 ? { resource_changes: plan.changes.map(changeJson) } : {}),
    ...(plan.deferrals.length > 0 ? { deferred_changes: plan.deferrals.map(deferralJson) } : {}),
    ...(plan.outputs.size > 0 ? { output_changes: outputChanges(plan.outputs) } : {}),
    ...(isEmptyState(prior) ? {} : { prior_state: await stateJson({ ...prior, checkResults: null }, pool) }),
    configuration: configurationJson(configuration, pool),
    ...(plan.relevant.length > 0 ? { relevant_attributes: plan.relevant.map(relevantPlain) } : {}),
    ...(plan.checks.length > 0 ? { checks: checksJson(groupChecks(plan.checks)) } : {}),
    timestamp: plan.timestamp,
    applyable: !plan.errored && hasChanges(plan),
    complete: isComplete(plan),
    errored: plan.errored,
  };
}

// What was given is told as it was given, before it got its type; defaults are told as they are seen. No plan has what is ephemeral.
function variablesPlain(plan: Plan, { root }: Configuration): (readonly [string, Plain])[] {
  const given = [...plan.variables].map(([name, value]) => ({ kind: "value", name, value }) as const);
  const { final } = collectVariables(root, given).value;
  return [...root.variables.values()].flatMap((variable) => {
    const value = plan.variables.get(variable.name) ?? (variable.default && final.get(variable.name));
    return value ? [[variable.name, { value: knownPlain(value) }] as const] : [];
  });
}

function relevantPlain({ resource, key, attribute }: Plan["relevant"][number]): Plain {
  return {
    resource: `${resource}${keyText(key)}`,
    attribute: attribute.map((step) => ("attribute" in step ? step.attribute : knownPlain(step.index))),
  };
}

/** Outputs that are known already are told as if they had been there before, as the reference tells them. */
function withPlannedOutputs({ priorState, outputs }: Plan): State {
  const told = new Map(priorState.outputs);
  for (const [name, { action, after, sensitive }] of outputs) {
    if (action === "delete" || !isWhollyKnown(after)) continue;
    const [value] = unmarkDeep(after);
    if (isNull(value)) told.delete(name);
    else told.set(name, { value, sensitive });
  }
  return { ...priorState, outputs: new Map([...told].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** What an object comes after by its configuration is told beside what the state has of that, where the object is going to change. */
function withPlannedOrder({ changes, refreshed }: Plan, state: State): State {
  if (!refreshed) return state;
  const builder = new StateBuilder(state);
  for (const { address, action, deposedKey, provider, dependencies } of changes) {
    const current = builder.instance(address)?.current;
    if (!current || deposedKey !== undefined || action === "no-op" || action === "delete" || action === "forget")
      continue;
    const all = [...new Set([...current.dependencies, ...dependencies])].sort(compareKeys);
    builder.setCurrent(address, provider.text, { ...current, dependencies: all });
  }
  return builder.snapshot();
}

function plannedValues(plan: Plan, pool: ProviderPool): Plain {
  const outputs = [...plan.outputs]
    .filter(([, { action }]) => action !== "delete")
    .map(([name, { after, sensitive }]) => {
      return [
        name,
        isWhollyKnown(after) ? { sensitive, type: typeToPlain(after.type), value: knownPlain(after) } : { sensitive },
      ] as const;
    });
  const entries: ModuleEntry[] = [];
  for (const change of plan.changes) {
    if (change.deposedKey !== undefined || isNull(change.after)) continue;
    const schema = pool.resourceSchema(change.provider.source, change.address.resource);
    const plain = {
      ...addressPlain(change.address),
      provider_name: providerSourceText(change.provider.source),
      schema_version: schema?.version ?? 0,
      ...valuesPlain(change.after),
      ...plannedIdentity(change, schema),
    };
    entries.push({ address: change.address, plain });
  }
  return {
    ...(outputs.length > 0 ? { outputs: Object.fromEntries(outputs) } : {}),
    // In the order of their addresses as text, [10] before [2], as the reference has it here and in no other place.
    root_module: moduleTree(entries, (a, b) => (a.text < b.text ? -1 : 1)),
  };
}

function plannedIdentity({ afterIdentity }: InstanceChange, schema: Schema | undefined): Plain {
  if (!schema || !afterIdentity || !isWhollyKnown(afterIdentity)) return {};
  return identityPlain(storedIdentity(afterIdentity, schema).identity);
}

const actions: Readonly<Record<Action, readonly string[]>> = {
  "no-op": ["no-op"],
  create: ["create"],
  read: ["read"],
  update: ["update"],
  delete: ["delete"],
  "delete-create": ["delete", "create"],
  "create-delete": ["create", "delete"],
  "forget-create": ["forget", "create"],
  forget: ["forget"],
};

function changeJson(change: InstanceChange): Plain {
  const { address, before, after, replacePaths, reason, deposedKey, notes, previousAddress, importing } = change;
  const { beforeIdentity, afterIdentity } = change;
  const known = knownPlain(after);
  return {
    ...withPrevious(addressPlain(address), previousAddress),
    ...(address.module.text === "" ? {} : { module_address: address.module.text }),
    provider_name: providerSourceText(change.provider.source),
    ...(deposedKey === undefined ? {} : { deposed: deposedKey }),
    change: {
      actions: actions[change.action],
      before: knownPlain(before) ?? null,
      ...(known === undefined ? {} : { after: known }),
      after_unknown: isWhollyKnown(after) ? {} : unknownPlain(after),
      before_sensitive: sensitivePlain(before),
      after_sensitive: sensitivePlain(after),
      ...(replacePaths.length > 0
        ? {
            replace_paths: replacePaths.map((path) =>
              path.map((step) => ("attribute" in step ? step.attribute : knownPlain(step.index))),
            ),
          }
        : {}),
      ...importingPlain(importing),
      ...(beforeIdentity ? { before_identity: knownPlain(beforeIdentity) } : {}),
      ...(afterIdentity && isWhollyKnown(afterIdentity) ? { after_identity: knownPlain(afterIdentity) } : {}),
    },
    ...(reason === "none" ? {} : { action_reason: reason }),
    ...(notes ? { notes: notes.map(noteText) } : {}),
  };
}

function deferralJson({ reason, change }: Deferral): Plain {
  const isEvery = change.address.text.endsWith(everyKey) ? { index_unknown: true } : {};
  return { reason, resource_change: { ...changeJson(change), ...isEvery } };
}

// The place of a property in the document is where Terraform has it.
function withPrevious({ address, ...rest }: Plain, previous: string | undefined): Plain {
  return { address, ...(previous === undefined ? {} : { previous_address: previous }), ...rest };
}

function importingPlain(importing: InstanceChange["importing"]): Plain {
  if (!importing) return {};
  const { id, identity, generatedConfig } = importing;
  return {
    importing: { ...(id === undefined ? {} : { id }), ...(identity ? { identity: knownPlain(identity) } : {}) },
    ...(generatedConfig === undefined ? {} : { generated_config: generatedConfig }),
  };
}

function outputChanges(outputs: ReadonlyMap<string, OutputChange>): Plain {
  return Object.fromEntries(
    [...outputs].map(([name, { action, before, after, sensitive }]) => {
      const known = knownPlain(after);
      const plain = {
        actions: [action],
        before: knownPlain(before) ?? null,
        ...(known === undefined ? {} : { after: known }),
        after_unknown: isWhollyKnown(after) ? false : unknownPlain(after),
        before_sensitive: sensitive,
        after_sensitive: sensitive,
      };
      return [name, plain] as const;
    }),
  );
}
