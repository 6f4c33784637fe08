import { type Diagnosed, type Diagnostic, errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { ModuleInstance, ProviderConfigAddress } from "../addresses.ts";
import { everyInstance, instanceAddress, providerSourceShort } from "../addresses.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { Resource } from "../configuration.ts";
import { instanceDataOf } from "../evaluator.ts";
import type { Expansion } from "../expansion.ts";
import { expansionKeys } from "../expansion.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { withProviderMeta } from "../provider-meta.ts";
import { providerInstance } from "../provider-instance.ts";
import { expansionOf, type ResourceState } from "../state.ts";
import type { ImportTargetInstance } from "../refactor/imports.ts";
import { planData } from "./data.ts";
import { putOffAfter, putOffAll } from "./deferrals.ts";
import { expand } from "./expand.ts";
import { planUnwanted, servedBy } from "./gone.ts";
import type { PlanTarget } from "./managed.ts";
import { planManaged } from "./managed.ts";
import type { PlanRun } from "./run.ts";
import { inSlot, report } from "./run.ts";

type ResourceNode = Extract<ConfigNode, { readonly kind: "resource" }>;

/** Plans every instance of one resource in every instance of its module, and the end of those that are no longer wanted. */
export async function planResource(run: PlanRun, node: ResourceNode, nodeId: string): Promise<boolean> {
  const { resource, provider: providerAddress } = node;
  const schema = run.pool.resourceSchema(providerAddress.source, resource.address);
  if (!schema) return report(run, [unknownType(run, resource, providerAddress)]);
  const imports = run.options.mode === "normal" ? run.imports.of(nodeId, schema) : noImports;
  if (!report(run, imports.diagnostics)) return false;
  const wanted = new Set<string>();
  const steps: Promise<boolean>[] = [];
  let ok = true;
  for (const module of unknownModules(run, node)) {
    const address =
      resource.repetition.kind === "single" ? instanceAddress(module, resource.address, undefined) : undefined;
    putOffAll(run, address ?? everyInstance(module, resource.address), providerAddress, schema);
  }
  for (const module of run.evaluator.moduleInstances(node.module)) {
    const { value: expansion, diagnostics } = expansionNow(run, resource, module);
    if (!report(run, diagnostics)) ok = false;
    else if (expansion.kind === "unknown" && run.deferrals.allowed)
      putOffAll(run, everyInstance(module, resource.address), providerAddress, schema);
    run.evaluator.setResource(module, resource.address, expansion);
    for (const key of expansionKeys(expansion)) {
      const address = instanceAddress(module, resource.address, key);
      wanted.add(address.text);
      const instance = instanceDataOf(expansion, key);
      const stored = run.options.mode === "destroy" ? run.refreshed.instance(address) : undefined;
      const served = stored
        ? { value: servedBy(providerAddress, stored), diagnostics: [] }
        : providerInstance(run.evaluator, node, module, instance);
      if (!report(run, served.diagnostics)) ok = false;
      const { value: serving } = served;
      if (!run.pool.isConfigured(serving)) {
        if (!hasErrors(served.diagnostics)) report(run, [noSuchInstance(address.text, serving, resource)]);
        ok = false;
        continue;
      }
      const provider = withProviderMeta(run.pool.serving(serving, address), node.module, serving.source, run.pool);
      const found = imports.value.get(address.text);
      const imported = found ? { import: found } : {};
      const common = { nodeId, address, resource, instance, schema, provider };
      const target: PlanTarget = { ...common, providerAddress: serving, ...imported };
      steps.push(inSlot(run, () => planInstance(run, target)));
    }
    if (expansion.kind === "unknown")
      for (const text of textsOf(run.refreshed.resource(module, resource.address))) wanted.add(text);
  }
  if (!run.deferrals.has(nodeId) && !report(run, importsOfNone(imports.value, wanted))) ok = false;
  const results = await Promise.all(steps);
  const cleared = await planUnwanted(run, node, wanted, schema);
  return ok && cleared && results.every(Boolean);
}

const noImports: ReturnType<PlanRun["imports"]["of"]> = { value: new Map(), diagnostics: [] };

function importsOfNone(imports: ReadonlyMap<string, ImportTargetInstance>, wanted: ReadonlySet<string>): Diagnostic[] {
  return [...imports.values()]
    .filter(({ address }) => !wanted.has(address.text))
    .map(({ address, block }) => {
      const detail = `The configuration for the given import ${address.text} does not exist. All target instances must have an associated configuration to be imported.`;
      return errorDiagnostic("Configuration for import target does not exist", detail, { subject: block.to.range });
    });
}

// While all is taken down, the instances are those that the state has, whatever the configuration says by now.
function expansionNow(run: PlanRun, resource: Resource, module: ModuleInstance): Diagnosed<Expansion> {
  if (run.options.mode !== "destroy" || resource.address.mode !== "managed")
    return expand(resource.repetition, run.evaluator, module, run.deferrals.allowed ? "good" : "may be put off");
  const state = run.refreshed.resource(module, resource.address);
  return { value: state ? expansionOf(state) : { kind: "unknown" }, diagnostics: [] };
}

// Instances of the module that stand for those whose keys are not known yet.
function unknownModules({ deferrals, evaluator }: PlanRun, { module }: ResourceNode): readonly ModuleInstance[] {
  return deferrals.allowed ? evaluator.unknownInstances(module) : [];
}

function planInstance(run: PlanRun, target: PlanTarget): Promise<boolean> {
  const waits = run.deferrals.hasAny(run.dependencies.get(target.nodeId) ?? []);
  if (waits && run.isTargeted(target.address.text)) return putOffAfter(run, target);
  if (target.resource.address.mode !== "data") return planManaged(run, target);
  return run.isTargeted(target.address.text) ? planData(run, target) : Promise.resolve(true);
}

function textsOf(resource: ResourceState | undefined): string[] {
  if (!resource) return [];
  return [...resource.instances.values()].map(
    ({ key }) => instanceAddress(resource.module, resource.address, key).text,
  );
}

function noSuchInstance(address: string, { text }: ProviderConfigAddress, { provider, range }: Resource) {
  const detail = `${address} is to be served by ${text}, and that provider configuration has no such instance. Its instances are the keys of its for_each.`;
  return errorDiagnostic("Invalid provider instance key", detail, { subject: provider?.range ?? range, address });
}

/** What there is to say of a resource whose provider does not have its type. */
export function unknownType(run: { readonly pool: ProviderPool }, resource: Resource, provider: ProviderConfigAddress) {
  const schema = run.pool.schema(provider.source);
  const { mode } = resource.address;
  const types = { managed: schema?.resources, data: schema?.dataSources, ephemeral: schema?.ephemeralResources }[mode];
  const near = similar(resource.address.type, types?.keys() ?? []);
  const word = { managed: "resource type", data: "data source", ephemeral: "ephemeral resource" }[mode];
  const detail = `The provider ${providerSourceShort(provider.source)} does not support ${word} "${resource.address.type}".${near ? ` Did you mean "${near}"?` : ""}`;
  return errorDiagnostic(`Invalid ${word}`, detail, { subject: resource.typeRange, code: "unknown-resource-type" });
}
