import { errorDiagnostic } from "@millwright/core/diagnostics";
import { withProviderMeta } from "../provider-meta.ts";
import type { InstanceKey, ModuleInstance, ProviderConfigAddress } from "../addresses.ts";
import {
  absoluteResourceText,
  childModule,
  instanceAddress,
  parseProviderConfigAddress,
  providerConfigAddress,
  rootModule,
} from "../addresses.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { Resource } from "../configuration.ts";
import type { Expansion } from "../expansion.ts";
import type { InstanceState, ResourceState } from "../state.ts";
import { removalOf } from "../refactor/removals.ts";
import { isProtected } from "./prevent-destroy.ts";
import { planDelete, planForget } from "./delete.ts";
import { settleInterrupted } from "./interrupted.ts";
import type { ActionReason } from "./plan.ts";
import type { ObjectTarget } from "./refresh.ts";
import { refreshObject } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { configKey, inSlot, report } from "./run.ts";

type ResourceNode = Extract<ConfigNode, { readonly kind: "resource" }>;

/**
 * Plans the end of instances that the state has and the configuration no longer wants: their count, key or module instance
 * is gone. `wanted` are the addresses of those that it wants.
 */
export async function planUnwanted(
  run: PlanRun,
  node: ResourceNode,
  wanted: ReadonlySet<string>,
  schema: ObjectTarget["schema"],
): Promise<boolean> {
  const states = statesOf(run, node);
  if (states.length === 0) return true;
  const modules = new Set(run.evaluator.moduleInstances(node.module).map((module) => module.text));
  const steps: Promise<boolean>[] = [];
  for (const state of states) {
    const expansion = run.evaluator.resourceExpansion(state.module, state.address);
    for (const instance of [...state.instances.values()]) {
      const address = instanceAddress(state.module, state.address, instance.key);
      if (wanted.has(address.text) || !run.isTargeted(address.text)) continue;
      if (run.deferrals.allowed && isBelowUnknown(run, state.module)) continue;
      if (state.address.mode === "data") {
        run.refreshed.setCurrent(address, state.provider, undefined);
        continue;
      }
      const moduleThere = modules.has(state.module.text) && expansion;
      const reason = moduleThere ? whyUnwanted(expansion, instance.key) : "delete_because_no_module";
      const providerAddress = servedBy(node.provider, instance);
      if (!run.pool.isConfigured(providerAddress)) {
        steps.push(
          Promise.resolve(report(run, [providerNotPresent(address.text, providerAddress.text, providerAddress)])),
        );
        continue;
      }
      const bare = run.pool.serving(providerAddress, address);
      const provider = withProviderMeta(bare, node.module, providerAddress.source, run.pool);
      const target = { schema, provider, address, providerAddress };
      steps.push(inSlot(run, () => planGone(run, target, instance, reason, node.resource)));
    }
  }
  return (await Promise.all(steps)).every(Boolean);
}

// Whether it is not known yet if a module instance is to stay.
function isBelowUnknown({ evaluator }: PlanRun, { steps }: ModuleInstance): boolean {
  let caller = rootModule;
  for (const { name, key } of steps) {
    if (evaluator.call(caller, name).kind === "unknown") return true;
    caller = childModule(caller, name, key);
  }
  return false;
}

// The instance of a provider configuration that made an object is the one that ends it.
export function servedBy(provider: ProviderConfigAddress, { providerKey }: InstanceState): ProviderConfigAddress {
  const { module, source, alias } = provider;
  return providerKey === undefined ? provider : providerConfigAddress(module, source, alias, providerKey);
}

function statesOf(run: PlanRun, node: ResourceNode): ResourceState[] {
  const all = run.statesByConfig.get(configKey(node.module.path, node.resource.address)) ?? [];
  return all.flatMap((state) => run.refreshed.resource(state.module, state.address) ?? []);
}

function whyUnwanted(expansion: Expansion, key: InstanceKey): ActionReason {
  if (expansion.kind === "disabled") return "delete_because_enabled_false";
  if (expansion.kind === "count" && typeof key === "number") return "delete_because_count_index";
  if (expansion.kind === "forEach" && typeof key === "string") return "delete_because_each_key";
  return "delete_because_wrong_repetition";
}

async function planGone(
  run: PlanRun,
  target: ObjectTarget,
  instance: InstanceState,
  reason: ActionReason,
  resource: Resource | undefined,
  ending: "destroy" | "forget" = "destroy",
): Promise<boolean> {
  if (!instance.current && !(await settleInterrupted(run, target, { dependencies: [], status: "ready" }))) return false;
  const current = instance.current ?? run.refreshed.instance(target.address)?.current;
  const objects = [...(current ? [[undefined, current] as const] : []), ...instance.deposed];
  if (!resource && ending === "destroy" && isProtected(run, target.address, current)) return false;
  let ok = true;
  for (const [deposedKey, object] of objects) {
    const one = deposedKey === undefined ? target : { ...target, deposedKey };
    // What is only forgotten is not looked at any more.
    const prior = await refreshObject(run, one, object, ending === "forget" ? "as-stored" : "read");
    if (!prior) ok = false;
    else if (ending === "forget") planForget(run, one, prior, deposedKey === undefined ? reason : "none");
    else if (run.options.mode !== "refresh-only") {
      const isCurrent = deposedKey === undefined;
      const planned = await planDelete(run, one, prior, isCurrent ? reason : "none", isCurrent ? resource : undefined);
      if (!planned) ok = false;
    }
  }
  return ok;
}

/** Plans the end of a resource that the state has and no configuration declares any more. */
export async function planOrphan(run: PlanRun, state: ResourceState): Promise<boolean> {
  const text = absoluteResourceText(state.module, state.address);
  const instances = [...state.instances.values()].filter(({ key }) =>
    run.isTargeted(instanceAddress(state.module, state.address, key).text),
  );
  if (state.address.mode !== "managed") {
    for (const { key } of instances)
      run.refreshed.setCurrent(instanceAddress(state.module, state.address, key), state.provider, undefined);
    return true;
  }
  if (instances.length === 0) return true;
  const providerAddress = parseProviderConfigAddress(state.provider);
  const schema = providerAddress && run.pool.resourceSchema(providerAddress.source, state.address);
  if (!providerAddress || !schema) return report(run, [providerNotPresent(text, state.provider, providerAddress)]);
  const missing = instances.map((one) => servedBy(providerAddress, one)).find((one) => !run.pool.isConfigured(one));
  if (missing) return report(run, [providerNotPresent(text, missing.text, missing)]);
  const removal = run.options.mode === "normal" && removalOf(run.configuration, state.module, state.address);
  const ending = removal && !removal.destroy ? "forget" : "destroy";
  const steps = instances.map((instance) => {
    const address = instanceAddress(state.module, state.address, instance.key);
    const serving = servedBy(providerAddress, instance);
    const target = { address, schema, provider: run.pool.serving(serving, address), providerAddress: serving };
    const reason = run.movedFrom.has(address.text)
      ? "delete_because_no_move_target"
      : "delete_because_no_resource_config";
    return inSlot(run, () => planGone(run, target, instance, reason, undefined, ending));
  });
  return (await Promise.all(steps)).every(Boolean);
}

function providerNotPresent(text: string, provider: string, address: ProviderConfigAddress | undefined) {
  const code = address ? "provider-not-present" : "bad-provider-address";
  if (address?.key !== undefined) {
    const detail = `To work with ${text} (orphan), its original provider instance at ${provider} is required, but it has been removed. This occurs when an element is taken out of the for_each of a provider configuration while objects created by that instance still exist in the state, most often as both have the same for_each. Put the element back into that of the provider to destroy ${text}, after which you can remove it.`;
    return errorDiagnostic("Provider instance not present", detail, { address: text, code });
  }
  const detail = `To work with ${text} (orphan), its original provider configuration at ${provider} is required, but it has been removed. This occurs when a provider configuration is removed while objects created by that provider still exist in the state. Re-add the provider configuration to destroy ${text}, after which you can remove the provider configuration again.`;
  return errorDiagnostic("Provider configuration not present", detail, { address: text, code });
}
