import type { Diagnostic } from "@millwright/core/diagnostics";
import { checkProvisioners } from "../provision/validate.ts";
import { hasErrors } from "@millwright/core/diagnostics";
import { impliedType } from "@millwright/provider/implied-type";
import type { Provider, ValidateCall } from "@millwright/provider/protocol";
import { dynamicType, type Type } from "@millwright/value/types";
import { ephemeral, mark, unknownValue, unmarkDeep } from "@millwright/value/value";
import type { ResourceMode } from "../addresses.ts";
import { instanceAddress, rootModule } from "../addresses.ts";
import type { ConfigNode } from "../config-graph.ts";
import { configGraph, usedProviders } from "../config-graph.ts";
import type { Repetition } from "../configuration.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import type { EvaluatorContext, InstanceData } from "../evaluator.ts";
import { Evaluator } from "../evaluator.ts";
import { prefetch } from "../functions/prefetch.ts";
import { ProviderFunctions } from "../functions/provider-functions.ts";
import { cyclesOf, walkGraph } from "../graph.ts";
import { providerDiagnostics, providerDied } from "../objects.ts";
import { expand } from "../plan/expand.ts";
import { cycleFound } from "../plan/make.ts";
import { sourcesOf } from "../provider-sources.ts";
import type { NodeRun } from "../plan/nodes.ts";
import { visitCall, visitCheck, visitLocal, visitOutput, visitProvider, visitVariable } from "../plan/nodes.ts";
import { unknownType } from "../plan/resource.ts";
import { report } from "../plan/run.ts";
import { checkProviderMeta } from "../provider-meta.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { emptyState } from "../state.ts";
import { checkImportIdentities, checkRefactoring } from "./refactoring.ts";
import { missingProviderConfigurations } from "./provider-configurations.ts";
import { checkReferences } from "./references.ts";
import { checkShapes } from "./shapes.ts";

/**
 * Checks a configuration without looking at any state or the world: references, types and the providers' own rules, with
 * everything unknown that only a run can know. All that is found comes back.
 */
export async function validateConfiguration(context: EvaluatorContext, pool: ProviderPool): Promise<Diagnostic[]> {
  return (await walkUnknown(context, pool)).diagnostics;
}

/**
 * The types of the root module's outputs, as far as they can be told without any state or the world: `dynamic` for others, and
 * for all outputs of a configuration with errors.
 */
export async function outputTypes(context: EvaluatorContext, pool: ProviderPool): Promise<ReadonlyMap<string, Type>> {
  const { evaluator, diagnostics } = await walkUnknown(context, pool);
  const typeOf = (name: string) =>
    evaluator && !hasErrors(diagnostics) ? evaluator.output(rootModule, name).value.type : dynamicType;
  return new Map([...context.configuration.root.outputs.keys()].map((name) => [name, typeOf(name)]));
}

interface Walked {
  readonly diagnostics: Diagnostic[];
  /** Undefined where the configuration could not be walked at all. */
  readonly evaluator?: Evaluator;
}

async function walkUnknown(context: EvaluatorContext, pool: ProviderPool): Promise<Walked> {
  const diagnostics: Diagnostic[] = [...(await pool.load(sourcesOf(context.configuration, emptyState)))];
  if (hasErrors(diagnostics)) return { diagnostics };
  diagnostics.push(...missingProviderConfigurations(context.configuration));
  diagnostics.push(...checkProviderMeta(context.configuration, pool));
  diagnostics.push(...checkReferences(context.configuration, pool), ...checkRefactoring(context.configuration));
  diagnostics.push(...checkImportIdentities(context.configuration, pool));
  if (hasErrors(diagnostics)) return { diagnostics: [...diagnostics, ...checkShapes(context.configuration, pool)] };
  const graph = configGraph(context.configuration);
  diagnostics.push(...cyclesOf(graph).map(cycleFound));
  if (hasErrors(diagnostics)) return { diagnostics };
  const evaluator = new Evaluator(context, new ProviderFunctions(pool));
  const run: NodeRun = { evaluator, checks: [], pool, diagnostics, validating: true };
  const used = usedProviders(graph);
  await walkGraph(graph, async (node, id) => {
    if (node.kind === "provider" && !used.has(id)) return true;
    await prefetch(evaluator, pool, node);
    return visit(run, node);
  });
  return { diagnostics, evaluator };
}

function visit(run: NodeRun, node: ConfigNode): boolean | Promise<boolean> {
  switch (node.kind) {
    case "variable":
      return visitVariable(run, node);
    case "local":
      return visitLocal(run, node);
    case "output":
      return visitOutput(run, node);
    case "call":
      return visitCall(run, node);
    case "provider":
      return visitProvider(run, node);
    case "check":
      return visitCheck(run, node);
    case "close":
      return true;
    case "resource":
      return validateResource(run, node);
  }
}

async function validateResource(
  run: NodeRun,
  { module, resource, provider }: Extract<ConfigNode, { readonly kind: "resource" }>,
): Promise<boolean> {
  const schema = run.pool.resourceSchema(provider.source, resource.address);
  if (!schema) return report(run, [unknownType(run, resource, provider)]);
  let ok = true;
  for (const instance of run.evaluator.moduleInstances(module)) {
    const { value: expansion, diagnostics } = expand(resource.repetition, run.evaluator, instance, "good");
    run.evaluator.setResource(
      instance,
      resource.address,
      resource.repetition.kind === "single" ? { kind: "single" } : { kind: "unknown" },
    );
    if (!report(run, diagnostics)) ok = false;
    if (expansion.kind === "count" && expansion.count === 0) continue;
    const address = instanceAddress(instance, resource.address, undefined);
    const decoded = decodeResourceConfig(
      run.evaluator,
      resource,
      schema,
      address,
      anyInstance(resource.repetition.kind),
    );
    if (!report(run, decoded.diagnostics)) {
      ok = false;
      continue;
    }
    const unknown = unknownValue(impliedType(schema.block));
    const self = { ...anyInstance(resource.repetition.kind), self: unknown };
    if (!report(run, await checkProvisioners(run.evaluator, resource, instance, self))) ok = false;
    const unseen = resource.address.mode === "ephemeral" ? mark(unknown, ephemeral) : unknown;
    if (resource.repetition.kind === "single") run.evaluator.setInstance(instance, resource.address, undefined, unseen);
    try {
      const handle = await run.pool.any(provider.source);
      const call = { type: resource.address.type, config: unmarkDeep(decoded.value)[0] };
      const answer = await validateConfig(handle, resource.address.mode, call);
      if (!report(run, providerDiagnostics(answer.diagnostics, address.text, resource.body))) ok = false;
    } catch (error) {
      ok = report(run, [providerDied(address.text, "checking the configuration", error)]) && ok;
    }
  }
  return ok;
}

function validateConfig(provider: Provider, mode: ResourceMode, call: ValidateCall) {
  switch (mode) {
    case "managed":
      return provider.validateResourceConfig(call);
    case "data":
      return provider.validateDataConfig(call);
    case "ephemeral":
      return provider.validateEphemeralConfig(call);
  }
}

// While validating, any instance stands for all: its key and value are still to come.
function anyInstance(kind: Repetition["kind"]): InstanceData {
  if (kind === "forEach")
    return { each: { key: unknownValue({ kind: "string" }), value: unknownValue({ kind: "dynamic" }) } };
  return kind === "count" ? { count: unknownValue({ kind: "number" }) } : {};
}
