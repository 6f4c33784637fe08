import { type Diagnosed, errorDiagnostic } from "@millwright/core/diagnostics";
import { expansionOf, type ResourceState } from "../state.ts";
import { similar } from "@millwright/core/similar";
import type { Provider } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import type { InstanceKey, ModuleInstance, ProviderConfigAddress, ResourceAddress } from "../addresses.ts";
import {
  absoluteResourceText,
  instanceAddress,
  parseProviderConfigAddress,
  providerSourceShort,
} from "../addresses.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { Resource } from "../configuration.ts";
import type { Expansion } from "../expansion.ts";
import { instanceDataOf } from "../evaluator.ts";
import { expansionKeys } from "../expansion.ts";
import { planData } from "./data.ts";
import { planDelete } from "./delete.ts";
import { expand } from "./expand.ts";
import type { PlanTarget } from "./managed.ts";
import { planManaged } from "./managed.ts";
import type { ActionReason } from "./plan.ts";
import { refreshObject } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { report } from "./run.ts";

type ResourceNode = Extract<ConfigNode, { readonly kind: "resource" }>;

/** Plans every instance of one resource in every instance of its module, and the end of those that are no longer wanted. */
export async function planResource(run: PlanRun, node: ResourceNode, nodeId: string): Promise<boolean> {
  const { resource, provider: providerAddress } = node;
  const schema = run.pool.resourceSchema(providerAddress.source, resource.address);
  if (!schema) return report(run, [unknownType(run, resource, providerAddress)]);
  const provider = run.pool.configured(providerAddress);
  const wanted = new Set<string>();
  const steps: (boolean | Promise<boolean>)[] = [];
  let ok = true;
  for (const module of run.evaluator.moduleInstances(node.module)) {
    const { value: expansion, diagnostics } = expansionNow(run, resource, module);
    if (!report(run, diagnostics)) ok = false;
    run.evaluator.setResource(module, resource.address, expansion);
    for (const key of expansionKeys(expansion)) {
      const address = instanceAddress(module, resource.address, key);
      wanted.add(address.text);
      const target: PlanTarget = {
        nodeId,
        address,
        resource,
        instance: instanceDataOf(expansion, key),
        schema,
        provider,
        providerAddress,
      };
      steps.push(resource.address.mode === "data" ? planDataTarget(run, target) : planManaged(run, target));
    }
    if (expansion.kind === "unknown")
      for (const text of textsOf(run.refreshed.resource(module, resource.address))) wanted.add(text);
  }
  const results = await Promise.all(steps);
  const cleared = await planUnwanted(run, node, wanted, schema, provider);
  return ok && cleared && results.every(Boolean);
}

// While all is taken down, the instances are those that the state has, whatever the configuration says by now.
function expansionNow(run: PlanRun, resource: Resource, module: ModuleInstance): Diagnosed<Expansion> {
  if (run.options.mode !== "destroy" || resource.address.mode !== "managed")
    return expand(resource.repetition, run.evaluator, module, false);
  const state = run.refreshed.resource(module, resource.address);
  return { value: state ? expansionOf(state) : { kind: "count", count: 0 }, diagnostics: [] };
}

function planDataTarget(run: PlanRun, target: PlanTarget): Promise<boolean> | boolean {
  if (run.isTargeted(target.address.text)) return planData(run, target);
  return true;
}

function textsOf(resource: ResourceState | undefined): string[] {
  if (!resource) return [];
  return [...resource.instances.values()].map(
    ({ key }) => instanceAddress(resource.module, resource.address, key).text,
  );
}

// Instances that the state has and the configuration (no longer) wants: their count, key or module instance is gone.
async function planUnwanted(
  run: PlanRun,
  node: ResourceNode,
  wanted: ReadonlySet<string>,
  schema: Schema,
  provider: Provider,
): Promise<boolean> {
  let ok = true;
  for (const state of statesOf(run, node)) {
    for (const { key } of state.instances.values()) {
      const address = instanceAddress(state.module, state.address, key);
      if (wanted.has(address.text)) continue;
      if (state.address.mode === "data") {
        run.refreshed.setCurrent(address, state.provider, undefined);
        continue;
      }
      const moduleThere = run.evaluator
        .moduleInstances(node.module)
        .some((module) => module.text === state.module.text);
      const expansion = run.evaluator.resourceExpansion(state.module, state.address);
      const reason = moduleThere && expansion ? whyUnwanted(expansion, key) : "delete_because_no_module";
      const target = { address, schema, provider, providerAddress: node.provider };
      if (!(await planGone(run, target, state, key, reason))) ok = false;
    }
  }
  return ok;
}

function statesOf(run: PlanRun, node: ResourceNode): ResourceState[] {
  const all = run.statesByConfig.get(configKey(node.module.path, node.resource.address)) ?? [];
  return all.flatMap((state) => run.refreshed.resource(state.module, state.address) ?? []);
}

/** How `PlanRun.statesByConfig` keys resources: by static module path and resource. */
export function configKey(modulePath: string, resource: ResourceAddress): string {
  return `${modulePath}|${resource.mode}|${resource.type}|${resource.name}`;
}

function whyUnwanted(expansion: Expansion, key: InstanceKey): ActionReason {
  if (expansion.kind === "count")
    return typeof key === "number" ? "delete_because_count_index" : "delete_because_wrong_repetition";
  if (expansion.kind === "forEach")
    return typeof key === "string" ? "delete_because_each_key" : "delete_because_wrong_repetition";
  return "delete_because_wrong_repetition";
}

interface GoneTarget {
  readonly address: ReturnType<typeof instanceAddress>;
  readonly schema: Schema;
  readonly provider: Provider;
  readonly providerAddress: ProviderConfigAddress;
}

async function planGone(
  run: PlanRun,
  target: GoneTarget,
  state: ResourceState,
  key: InstanceKey,
  reason: ActionReason,
): Promise<boolean> {
  const { address, schema, provider, providerAddress } = target;
  const instance = [...state.instances.values()].find((other) => other.key === key);
  const objects: [string | undefined, NonNullable<typeof instance>["current"]][] = [
    [undefined, instance?.current],
    ...[...(instance?.deposed ?? [])],
  ];
  let ok = true;
  for (const [deposedKey, object] of objects) {
    if (!object) continue;
    const prior = await refreshObject(run, address, deposedKey, object, schema, provider, providerAddress);
    if (!prior) ok = false;
    else if (run.options.mode !== "refresh-only") {
      const full = deposedKey === undefined ? target : { ...target, deposedKey };
      if (!(await planDelete(run, full, prior, deposedKey === undefined ? reason : "none", undefined))) ok = false;
    }
  }
  return ok;
}

/** Plans the end of a resource that the state has and no configuration declares any more. */
export async function planOrphan(run: PlanRun, state: ResourceState): Promise<boolean> {
  const text = absoluteResourceText(state.module, state.address);
  const providerAddress = parseProviderConfigAddress(state.provider);
  if (state.address.mode !== "managed") {
    for (const { key } of state.instances.values()) {
      run.refreshed.setCurrent(instanceAddress(state.module, state.address, key), state.provider, undefined);
    }
    return true;
  }
  const schema = providerAddress && run.pool.resourceSchema(providerAddress.source, state.address);
  if (!providerAddress || !schema || !run.pool.isConfigured(providerAddress)) {
    const detail = `To work with ${text} (orphan), its original provider configuration at ${state.provider} is required, but it has been removed. This occurs when a provider configuration is removed while objects created by that provider still exist in the state. Re-add the provider configuration to destroy ${text}, after which you can remove the provider configuration again.`;
    return report(run, [errorDiagnostic("Provider configuration not present", detail, { address: text })]);
  }
  const provider = run.pool.configured(providerAddress);
  let ok = true;
  for (const { key } of state.instances.values()) {
    const address = instanceAddress(state.module, state.address, key);
    const reason = isModuleDeclared(run, state.module)
      ? "delete_because_no_resource_config"
      : "delete_because_no_module";
    if (!(await planGone(run, { address, schema, provider, providerAddress }, state, key, reason))) ok = false;
  }
  return ok;
}

function isModuleDeclared(run: PlanRun, module: ModuleInstance): boolean {
  return run.configuration.modules.has(module.steps.map((step) => `module.${step.name}`).join("."));
}

function unknownType(run: PlanRun, resource: Resource, provider: ProviderConfigAddress) {
  const schema = run.pool.schema(provider.source);
  const types = resource.address.mode === "data" ? schema?.dataSources : schema?.resources;
  const near = similar(resource.address.type, types?.keys() ?? []);
  const word = resource.address.mode === "data" ? "data source" : "resource type";
  const detail = `The provider ${providerSourceShort(provider.source)} does not support ${word} "${resource.address.type}".${near ? ` Did you mean "${near}"?` : ""}`;
  return errorDiagnostic(`Invalid ${word}`, detail, { subject: resource.range, code: "unknown-resource-type" });
}
