import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { isNull } from "@millwright/value/value";
import type { InstanceAddress } from "./addresses.ts";
import { resourceText, staticModule } from "./addresses.ts";
import { configGraph, nodeId } from "./config-graph.ts";
import type { EvaluatorContext } from "./evaluator.ts";
import { Evaluator } from "./evaluator.ts";
import { cyclesOf, walkGraph } from "./graph.ts";
import { markSensitive, providerDiagnostics, providerDied, storedObject } from "./objects.ts";
import { sourcesOf } from "./plan/make.ts";
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
  if (!module || !resource || address.resource.mode !== "managed") {
    return stop(
      errorDiagnostic(
        "Resource address does not exist in the configuration",
        `Before importing ${address.text}, write its configuration: a resource ${JSON.stringify(address.resource.type)} ${JSON.stringify(address.resource.name)} block.`,
      ),
    );
  }
  const builder = new StateBuilder(state);
  if (builder.instance(address)?.current) {
    return stop(
      errorDiagnostic(
        "Resource already managed",
        `There is already an object for ${address.text} in the state. Remove it with "state rm" first, if another one is to take its place.`,
      ),
    );
  }
  diagnostics.push(...(await pool.load(sourcesOf(context.configuration, state))));
  if (hasErrors(diagnostics)) return stop();
  const provider = providerOfResource(context.configuration, module, resource);
  const schema = pool.resourceSchema(provider.address.source, address.resource);
  if (!schema)
    return stop(
      errorDiagnostic("Invalid resource type", `The provider has no resource type "${address.resource.type}".`, {
        subject: resource.range,
      }),
    );
  if (!(await configureProvider(context, pool, provider.address.text, diagnostics))) return stop();
  const running = pool.configured(provider.address);
  try {
    const answer = await running.importResourceState({ type: address.resource.type, id });
    diagnostics.push(...providerDiagnostics(answer.diagnostics, address.text));
    if (hasErrors(diagnostics)) return stop();
    const found = answer.imported.find((entry) => entry.type === address.resource.type);
    if (!found)
      return stop(
        errorDiagnostic("Nothing was imported", `The provider found nothing for the id "${id}".`, {
          address: address.text,
        }),
      );
    const read = await running.readResource({
      type: address.resource.type,
      current: found.state,
      private: found.private,
    });
    diagnostics.push(...providerDiagnostics(read.diagnostics, address.text));
    if (hasErrors(diagnostics)) return stop();
    if (isNull(read.newState)) {
      return stop(
        errorDiagnostic(
          "Cannot import non-existent remote object",
          `While attempting to import an existing object to "${address.text}", the provider detected that no object exists with the id "${id}". Only pre-existing objects can be imported.`,
        ),
      );
    }
    const kept = { status: "ready", private: read.private, dependencies: [], createBeforeDestroy: false } as const;
    builder.setCurrent(
      address,
      provider.address.text,
      storedObject(markSensitive(read.newState, schema.block), schema, kept),
    );
    return { value: builder.snapshot(), diagnostics };
  } catch (error) {
    return stop(providerDied(address.text, "importing", error));
  }
}

// Only what the provider's configuration needs is evaluated: nothing of the rest has to work.
async function configureProvider(
  context: EvaluatorContext,
  pool: ProviderPool,
  id: string,
  diagnostics: Diagnostic[],
): Promise<boolean> {
  const graph = configGraph(context.configuration);
  if (cyclesOf(graph).length > 0) return false;
  const needed = new Set<string>([id]);
  for (const node of needed) for (const to of graph.dependencies.get(node) ?? []) needed.add(to);
  const run: NodeRun = { evaluator: new Evaluator(context), checks: [], pool, diagnostics, validating: false };
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
