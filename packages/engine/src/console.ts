import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { Expression } from "@millwright/hcl/ast";
import type { Value } from "@millwright/value/value";
import { dynamicValue } from "@millwright/value/value";
import { absoluteResourceText, instanceAddress, parseProviderConfigAddress, rootModule } from "./addresses.ts";
import { configGraph } from "./config-graph.ts";
import type { EvaluatorContext } from "./evaluator.ts";
import { Evaluator } from "./evaluator.ts";
import { prefetch } from "./functions/prefetch.ts";
import { ProviderFunctions } from "./functions/provider-functions.ts";
import { cyclesOf, walkGraph } from "./graph.ts";
import { readObject } from "./objects.ts";
import { cycleFound } from "./plan/make.ts";
import { sourcesOf } from "./provider-sources.ts";
import { visitCall } from "./plan/nodes.ts";
import type { ProviderPool } from "./provider-pool.ts";
import { expansionOf, type ResourceState, type State } from "./state.ts";
import { checkExpression } from "./validate/references.ts";

/** Answers expressions of the root module. */
export interface Console {
  /** A reference that leads nowhere is an error, as it is in a file. */
  evaluate(expression: Expression): Promise<Diagnosed<Value>>;
}

/**
 * A console to ask things of: variables and locals as configured, resources as the state has them, and unknown where it
 * has none. Nothing is planned and no provider is configured.
 */
export async function openConsole(
  context: EvaluatorContext,
  state: State,
  pool: ProviderPool,
): Promise<Diagnosed<Console>> {
  const { configuration } = context;
  const evaluator = new Evaluator(context, new ProviderFunctions(pool));
  const opened = consoleOf(evaluator, pool);
  const diagnostics: Diagnostic[] = [...(await pool.load(sourcesOf(configuration, state)))];
  const graph = configGraph(configuration);
  diagnostics.push(...cyclesOf(graph).map(cycleFound));
  if (hasErrors(diagnostics)) return { value: opened, diagnostics };
  await walkGraph(graph, async (node) => {
    await prefetch(evaluator, pool, node);
    if (node.kind === "call")
      return visitCall({ evaluator, checks: [], pool, diagnostics: [], validating: true }, node);
    if (node.kind !== "resource") return true;
    for (const module of evaluator.moduleInstances(node.module)) {
      const resource = state.resources.get(absoluteResourceText(module, node.resource.address));
      if (resource) diagnostics.push(...(await see(evaluator, resource, pool)));
      else evaluator.setResource(module, node.resource.address, { kind: "unknown" });
    }
    return true;
  });
  return { value: opened, diagnostics };
}

/** A console that answers from what a walk has put into its evaluator, such as that of a plan. */
export function consoleOf(evaluator: Evaluator, pool: ProviderPool): Console {
  const { configuration } = evaluator.context;
  return {
    evaluate: async (expression) => {
      const astray = checkExpression(configuration, pool, expression);
      if (hasErrors(astray)) return { value: dynamicValue, diagnostics: astray };
      await evaluator.providerFunctions?.settle(() => evaluator.evaluate(expression, rootModule));
      return evaluator.evaluate(expression, rootModule);
    },
  };
}

async function see(evaluator: Evaluator, resource: ResourceState, pool: ProviderPool): Promise<readonly Diagnostic[]> {
  const provider = parseProviderConfigAddress(resource.provider);
  const schema = provider && pool.resourceSchema(provider.source, resource.address);
  evaluator.setResource(resource.module, resource.address, expansionOf(resource));
  if (!provider || !schema) return [];
  const diagnostics: Diagnostic[] = [];
  for (const { key, current } of resource.instances.values()) {
    if (!current) continue;
    const address = instanceAddress(resource.module, resource.address, key);
    const read = await readObject(current, address, schema, await pool.any(provider.source));
    diagnostics.push(...read.diagnostics);
    evaluator.setInstance(resource.module, resource.address, key, read.value);
  }
  return diagnostics;
}
