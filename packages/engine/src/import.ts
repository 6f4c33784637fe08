import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { dynamicValue } from "@millwright/value/value";
import type { InstanceAddress, InstanceKey, ModuleInstance, ProviderConfigAddress } from "./addresses.ts";
import { childModule, resourceText, rootModule, staticModule } from "./addresses.ts";
import { configGraph, nodeId } from "./config-graph.ts";
import type { Repetition, Resource } from "./configuration.ts";
import type { EvaluatorContext } from "./evaluator.ts";
import { Evaluator, instanceDataOf } from "./evaluator.ts";
import { type Expansion, expansionKeys } from "./expansion.ts";
import { ProviderFunctions } from "./functions/provider-functions.ts";
import { cyclesOf, walkGraph } from "./graph.ts";
import { storedIdentity } from "./identity.ts";
import { markSensitive, storedObject } from "./objects.ts";
import { readExisting } from "./read-existing.ts";
import { expand } from "./plan/expand.ts";
import { cycleFound } from "./plan/make.ts";
import { sourcesOf } from "./provider-sources.ts";
import type { NodeRun } from "./plan/nodes.ts";
import { visitLocal, visitProvider, visitVariable } from "./plan/nodes.ts";
import { providerOfResource } from "./provider-config.ts";
import { providerInstance } from "./provider-instance.ts";
import type { ProviderPool } from "./provider-pool.ts";
import type { State } from "./state.ts";
import { StateBuilder } from "./state.ts";

/** Takes an object that exists already into the state, at an address that the configuration declares. */
export async function importObject(
  context: EvaluatorContext,
  state: State,
  pool: ProviderPool,
  address: InstanceAddress,
  id: string,
): Promise<Diagnosed<State>> {
  const diagnostics: Diagnostic[] = [];
  const stop = (...found: readonly Diagnostic[]): Diagnosed<State> => ({
    value: state,
    diagnostics: [...diagnostics, ...found],
  });
  const module = context.configuration.modules.get(staticModule(address.module));
  const resource = module?.resources.get(resourceText(address.resource));
  if (!module || !resource || address.resource.mode !== "managed") return stop(notDeclared(address));
  const builder = new StateBuilder(state);
  if (builder.instance(address)?.current) return stop(alreadyManaged(address));
  diagnostics.push(...(await pool.load(sourcesOf(context.configuration, state))));
  if (hasErrors(diagnostics)) return stop();
  const { address: whole, key } = providerOfResource(context.configuration, module, resource);
  const serving = { provider: whole, ...(key ? { providerKey: key } : {}) };
  const evaluator = evaluatorAt(context, address);
  const { value: provider, diagnostics: astray } = providerInstance(
    evaluator,
    serving,
    address.module,
    instanceDataOf(expansionWith(address.key), address.key),
  );
  if (hasErrors(astray)) return stop(...astray);
  const schema = pool.resourceSchema(provider.source, address.resource);
  if (!schema) {
    const detail = `The provider has no resource type "${address.resource.type}".`;
    return stop(errorDiagnostic("Invalid resource type", detail, { subject: resource.range }));
  }
  if (!(await configureProvider(context, pool, whole.text, diagnostics))) return stop();
  if (!isWanted(context, address, resource)) return stop(noSuchTarget(address));
  if (!pool.isConfigured(provider)) return stop(noSuchInstance(address, provider));
  const read = await readExisting(pool.configured(provider), address, schema, { id });
  diagnostics.push(...read.diagnostics);
  if (!read.value) return stop();
  const kept = { status: "ready", private: read.value.private, dependencies: [], createBeforeDestroy: false } as const;
  const value = markSensitive(read.value.newState, schema.block);
  const object = storedObject(value, schema, { ...kept, ...storedIdentity(read.value.identity, schema) });
  builder.setCurrent(address, provider.text, object);
  return { value: builder.snapshot(), diagnostics };
}

/** An evaluator that knows of one instance of each module on the way to an address. */
function evaluatorAt(context: EvaluatorContext, { module }: InstanceAddress): Evaluator {
  const evaluator = new Evaluator(context);
  let at = rootModule;
  for (const { name, key } of module.steps) {
    evaluator.setCall(at, name, expansionWith(key));
    at = childModule(at, name, key);
  }
  return evaluator;
}

/**
 * Whether the configuration has the very instance: the next apply would destroy the object of one that it has not. What
 * depends on objects is not evaluated here; an instance that may come of it counts as wanted.
 */
function isWanted(context: EvaluatorContext, address: InstanceAddress, resource: Resource): boolean {
  const evaluator = new Evaluator(context);
  const has = (repetition: Repetition, at: ModuleInstance, key: InstanceKey) => {
    const { value: expansion } = expand(repetition, evaluator, at, "good");
    return expansion.kind === "unknown" || expansionKeys(expansion).includes(key);
  };
  let at = rootModule;
  for (const { name, key } of address.module.steps) {
    const call = evaluator.module(at).calls.get(name);
    if (!call || !has(call.repetition, at, key)) return false;
    evaluator.setCall(at, name, expansionWith(key));
    at = childModule(at, name, key);
  }
  return has(resource.repetition, at, address.key);
}

function expansionWith(key: InstanceKey): Expansion {
  if (key === undefined) return { kind: "single" };
  if (typeof key === "number") return { kind: "count", count: key + 1 };
  return { kind: "forEach", values: new Map([[key, dynamicValue]]) };
}

function noSuchTarget({ text }: InstanceAddress): Diagnostic {
  const detail = `The configuration for the given import ${text} does not exist. All target instances must have an associated configuration to be imported: see which keys its count or for_each gives, and whether it has one.`;
  return errorDiagnostic("Configuration for import target does not exist", detail, { address: text });
}

function noSuchInstance({ text }: InstanceAddress, provider: ProviderConfigAddress): Diagnostic {
  const detail = `${text} is to be served by ${provider.text}, and that provider configuration has no such instance. Its instances are the keys of its for_each.`;
  return errorDiagnostic("Invalid provider instance key", detail, { address: text });
}

function notDeclared({ text, resource }: InstanceAddress): Diagnostic {
  return errorDiagnostic(
    "Resource address does not exist in the configuration",
    `Before importing ${text}, write its configuration: a resource ${JSON.stringify(resource.type)} ${JSON.stringify(resource.name)} block.`,
  );
}

function alreadyManaged({ text }: InstanceAddress): Diagnostic {
  return errorDiagnostic(
    "Resource already managed",
    `There is already an object for ${text} in the state. Remove it with "state rm" first, if another one is to take its place.`,
  );
}

/** Configures one provider; only what its configuration needs is evaluated: nothing of the rest has to work. */
export async function configureProvider(
  context: EvaluatorContext,
  pool: ProviderPool,
  id: string,
  diagnostics: Diagnostic[],
): Promise<boolean> {
  const graph = configGraph(context.configuration);
  diagnostics.push(...cyclesOf(graph).map(cycleFound));
  if (hasErrors(diagnostics)) return false;
  const needed = new Set<string>([id]);
  for (const node of needed) for (const to of graph.dependencies.get(node) ?? []) needed.add(to);
  const run: NodeRun = {
    evaluator: new Evaluator(context, new ProviderFunctions(pool)),
    checks: [],
    pool,
    diagnostics,
    validating: false,
  };
  const outcomes = await walkGraph(graph, (node, at) => {
    if (!needed.has(at)) return true;
    switch (node.kind) {
      case "variable":
        return visitVariable(run, node);
      case "local":
        return visitLocal(run, node);
      case "provider":
        return visitProvider(run, node);
      case "resource":
        diagnostics.push(
          errorDiagnostic(
            "Invalid provider configuration",
            `The configuration of provider ${id} depends on ${nodeId.resource(node.module, node.resource)}, which is not known while importing. Give it by variables, or import after an apply.`,
          ),
        );
        return false;
      default:
        return true;
    }
  });
  return outcomes.get(id) === "done";
}
