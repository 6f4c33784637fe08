import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { InstanceAddress } from "./addresses.ts";
import { resourceText, staticModule } from "./addresses.ts";
import { configGraph, nodeId } from "./config-graph.ts";
import type { EvaluatorContext } from "./evaluator.ts";
import { Evaluator } from "./evaluator.ts";
import { ProviderFunctions } from "./functions/provider-functions.ts";
import { cyclesOf, walkGraph } from "./graph.ts";
import { markSensitive, storedObject } from "./objects.ts";
import { readExisting } from "./read-existing.ts";
import { cycleFound, sourcesOf } from "./plan/make.ts";
import type { NodeRun } from "./plan/nodes.ts";
import { visitLocal, visitProvider, visitVariable } from "./plan/nodes.ts";
import { providerOfResource } from "./provider-config.ts";
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
  const provider = providerOfResource(context.configuration, module, resource).address;
  const schema = pool.resourceSchema(provider.source, address.resource);
  if (!schema) {
    const detail = `The provider has no resource type "${address.resource.type}".`;
    return stop(errorDiagnostic("Invalid resource type", detail, { subject: resource.range }));
  }
  if (!(await configureProvider(context, pool, provider.text, diagnostics))) return stop();
  const read = await readExisting(pool.configured(provider), address, { id });
  diagnostics.push(...read.diagnostics);
  if (!read.value) return stop();
  const kept = { status: "ready", private: read.value.private, dependencies: [], createBeforeDestroy: false } as const;
  const object = storedObject(markSensitive(read.value.newState, schema.block), schema, kept);
  builder.setCurrent(address, provider.text, object);
  return { value: builder.snapshot(), diagnostics };
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
