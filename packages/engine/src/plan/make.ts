import { Semaphore } from "@millwright/core/concurrency";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Value } from "@millwright/value/value";
import { absoluteResourceText, compareInstances, parseProviderConfigAddress } from "../addresses.ts";
import type { PendingCreate } from "../backend/journal.ts";
import { noLongerWanted, withInterrupted, withoutEmpty } from "./interrupted.ts";
import { checkResultsPlain, groupChecks } from "../check/results.ts";
import type { ConfigNode } from "../config-graph.ts";
import { configGraph, resourceDependencies, usedProviders } from "../config-graph.ts";
import type { Configuration, Output } from "../configuration.ts";
import { type CloseNode, withCloses } from "../ephemeral/closes.ts";
import { OpenEphemerals } from "../ephemeral/open-ephemerals.ts";
import { visitEphemeral } from "../ephemeral/visit.ts";
import { relevantAttributes } from "../explain/relevant.ts";
import { Evaluator, type EvaluatorContext } from "../evaluator.ts";
import type { Graph } from "../graph.ts";
import { prefetch } from "../functions/prefetch.ts";
import { ProviderFunctions } from "../functions/provider-functions.ts";
import { cyclesOf, GraphBuilder, walkGraph } from "../graph.ts";
import type { RunPorts } from "../ports.ts";
import { checkProviderMeta } from "../provider-meta.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { sourcesOf } from "../provider-sources.ts";
import type { ResourceState, State } from "../state.ts";
import { StateBuilder } from "../state.ts";
import { ImportTargets } from "../refactor/imports.ts";
import { forgotten, importsOfNothing } from "../refactor/notes.ts";
import { moveState } from "../refactor/moves.ts";
import { movesOutsideTargets, stillDeclared, unresolvedMoves } from "../refactor/move-notes.ts";
import { checkRefactoring } from "../validate/refactoring.ts";
import { missingProviderConfigurations } from "../validate/provider-configurations.ts";
import { checkReferences } from "../validate/references.ts";
import { createBeforeDestroyNodes, waitedFor, transitive } from "./dependencies.ts";
import type { NodeRun } from "./nodes.ts";
import {
  outputChange,
  removedOutputs,
  visitCall,
  visitCheck,
  visitLocal,
  visitOutput,
  visitProvider,
  visitVariable,
} from "./nodes.ts";
import type { InstanceChange, OutputChange, Plan, PlannedExpansions, PlanResult } from "./plan.ts";
import { isWhole } from "./plan.ts";
import { planOrphan } from "./gone.ts";
import { planResource } from "./resource.ts";
import { Deferrals, isPutOff, keepWhatIsNeeded } from "./deferrals.ts";
import { readAhead } from "./prefetch.ts";
import type { PlanOptions, PlanRun } from "./run.ts";
import { configKey } from "./run.ts";
import { both, excludeNodes, targetNodes, withoutKeys } from "./targets.ts";

export interface PlanInput {
  readonly context: EvaluatorContext;
  /** Variables as given; of ephemeral ones the plan keeps the names alone. */
  readonly given: ReadonlyMap<string, Value>;
  /** Where these were given, in words. */
  readonly givenFrom?: ReadonlyMap<string, string>;
  readonly state: State;
  /** Creates that were under way when an earlier run was killed. */
  readonly interrupted: readonly PendingCreate[];
  readonly lineage: string;
  readonly serial: number;
  readonly options: PlanOptions;
  readonly pool: ProviderPool;
  readonly ports: RunPorts;
  /** Provider calls at a time. */
  readonly parallelism: number;
  /** RFC 3339; what `plantimestamp()` gives. */
  readonly timestamp: string;
}

type PlanNode = ConfigNode | CloseNode | { readonly kind: "orphan"; readonly state: ResourceState };

/** Decides what a run would do. Nothing is changed but what providers read. With errors the plan is for looking at only. */
export async function makePlan(input: PlanInput): Promise<PlanResult> {
  const { context, pool, options } = input;
  const before = withInterrupted(input.state, input.interrupted);
  pool.stopWith(input.ports.stop, "plan");
  const diagnostics: Diagnostic[] = [...(await pool.load(sourcesOf(context.configuration, before)))];
  const nothing = () => ({ plan: emptyPlan(input, hasErrors(diagnostics)), diagnostics });
  if (input.ports.stop.aborted) diagnostics.splice(0, diagnostics.length, interrupted);
  if (!hasErrors(diagnostics)) diagnostics.push(...faultsOf(context.configuration, pool));
  if (hasErrors(diagnostics)) return nothing();
  const config = configGraph(context.configuration);
  diagnostics.push(...cyclesOf(config).map(cycleFound));
  if (hasErrors(diagnostics)) return nothing();
  const moved = moveState(context.configuration, before);
  diagnostics.push(...moved.diagnostics);
  if (hasErrors(diagnostics)) return nothing();
  const { state } = moved;
  const graph = withCloses(withOrphans(config, context.configuration, state));
  const targeting = both(
    targetNodes(graph, options.targets, options.mode === "destroy", addressOfNode),
    excludeNodes(graph, options.excludes ?? [], options.mode === "destroy", addressOfNode),
  );
  if (!isWhole(options)) diagnostics.push(targetingWarning);
  const run = newRun({ ...input, state }, config, diagnostics, targeting, moved.movedFrom);
  const { evaluator, checks, deferrals } = run;
  const deferring = deferrals.allowed;
  const nodes: NodeRun = { evaluator, checks, pool, diagnostics, validating: false, deferring };
  const used = usedProviders(graph);
  const matters = options.mode === "destroy" ? neededForDestroy(config) : () => true;
  // What fails once the run is to stop was only not read to its end.
  let said = Number.POSITIVE_INFINITY;
  input.ports.stop.addEventListener("abort", () => (said = Math.min(said, diagnostics.length)), { once: true });
  const outcomes = await walkGraph(
    graph,
    async (node, id) => {
      if (!targeting.has(id) || !matters(node, id) || (node.kind === "provider" && !used.has(id))) return true;
      if (node.kind === "close-ephemeral") return run.ephemerals.close(node.resourceId);
      if (node.kind === "orphan") return planOrphan(run, node.state);
      await prefetch(run.evaluator, pool, node);
      return visit(run, nodes, node, id);
    },
    input.ports.stop,
  ).finally(() => run.ephemerals.closeAll());
  if (input.ports.stop.aborted) diagnostics.splice(said, diagnostics.length, interrupted);
  else if (isWhole(options)) diagnostics.push(...noLongerWanted(unsettled(run), diagnostics));
  diagnostics.push(...importsOfNothing(context.configuration, options), ...forgotten(run.changes));
  diagnostics.push(...stillDeclared(moved.statements, run.evaluator), ...unresolvedMoves(moved.blocked));
  diagnostics.push(...movesOutsideTargets(moved.movedFrom, options.targets));
  const outputs = outputsOf(input, nodes, (id) => outcomes.get(id) === "done" && targeting.has(id));
  keepWhatIsNeeded(run);
  withoutEmpty(run.refreshed, input.interrupted);
  const expansions = expansionsOf(run.evaluator, context.configuration);
  const plan: Plan = {
    ...emptyPlan(input, hasErrors(diagnostics)),
    changes: run.changes.sort(compareChanges),
    drift: run.drift.sort(compareChanges),
    deferrals: deferrals.all.sort((a, b) => compareChanges(a.change, b.change)),
    outputs,
    priorState: withChecks(run),
    expansions,
    relevant: relevantAttributes(context.configuration, {
      mode: options.mode,
      changes: run.changes,
      outputs,
      expansions,
      priorState: before,
    }),
    checks: run.checks,
    unread: run.unread.sort(),
    settled: input.interrupted.map((entry) => entry.address).filter((address) => !run.interrupted.has(address)),
  };
  return { plan, diagnostics, evaluator: run.evaluator };
}

/** What is wrong with a configuration as far as that is seen without evaluating anything. */
function faultsOf(configuration: Configuration, pool: ProviderPool): Diagnostic[] {
  return [
    ...missingProviderConfigurations(configuration),
    ...checkProviderMeta(configuration, pool),
    ...checkReferences(configuration, pool),
    ...checkRefactoring(configuration),
  ];
}

// Creates of killed runs that were not settled; what is put off is settled when its turn comes.
function unsettled(run: PlanRun): ReadonlyMap<string, PendingCreate> {
  return new Map([...run.interrupted].filter(([address]) => !isPutOff(run, address)));
}

/** The changes of the root's outputs; `isDone` says of which nodes the values are known to be right. */
function outputsOf(
  { context, options, state }: PlanInput,
  nodes: NodeRun,
  isDone: (id: string) => boolean,
): Map<string, OutputChange> {
  const outputs = new Map<string, OutputChange>();
  const declared = options.mode === "destroy" ? new Map<string, Output>() : context.configuration.root.outputs;
  for (const output of declared.values())
    if (isDone(`output.${output.name}`))
      outputs.set(output.name, outputChange(nodes, output, state.outputs.get(output.name)));
  if (!isWhole(options)) return outputs;
  for (const [name, change] of removedOutputs(state, new Set(declared.keys()))) outputs.set(name, change);
  return outputs;
}

function withChecks({ refreshed, checks, configuration, options }: PlanRun): State {
  const state = refreshed.snapshot();
  if (options.mode === "destroy") return state;
  return { ...state, checkResults: checkResultsPlain(configuration, groupChecks(checks)) };
}

async function visitProviderAndRead(
  run: PlanRun,
  nodes: NodeRun,
  node: Extract<ConfigNode, { readonly kind: "provider" }>,
): Promise<boolean> {
  if (!(await visitProvider(nodes, node))) return false;
  await readAhead(run);
  return true;
}

function visit(run: PlanRun, nodes: NodeRun, node: ConfigNode, id: string): boolean | Promise<boolean> {
  switch (node.kind) {
    case "variable":
      return visitVariable(nodes, node);
    case "local":
      return visitLocal(nodes, node);
    case "output":
      return visitOutput(nodes, node);
    case "call":
      // While all is taken down, the state says which instances there are, whatever the configuration has come to.
      if (run.options.mode !== "destroy") return visitCall(nodes, node);
      visitCall({ ...nodes, validating: true, diagnostics: [] }, node);
      return true;
    case "provider":
      return visitProviderAndRead(run, nodes, node);
    case "resource":
      if (node.resource.address.mode === "ephemeral") return visitEphemeral(run, node, id, run.waitsForChanges(id));
      return planResource(run, node, id);
    case "check":
      return run.options.mode === "destroy" || visitCheck(nodes, node);
    case "close":
      return true;
  }
}

// To take all down, nothing is evaluated but what providers are configured by: the rest may well refer to what was never made.
function neededForDestroy(graph: Graph<ConfigNode>): (node: PlanNode, id: string) => boolean {
  const needed = new Set<string>();
  for (const [id, node] of graph.nodes) if (node.kind === "provider") needed.add(id);
  for (const id of needed) for (const to of graph.dependencies.get(id) ?? []) needed.add(to);
  return (node, id) => {
    if (node.kind === "orphan" || node.kind === "call" || node.kind === "provider") return true;
    if (node.kind === "close-ephemeral") return needed.has(node.resourceId);
    return (node.kind === "resource" && node.resource.address.mode === "managed") || needed.has(id);
  };
}

function newRun(
  input: PlanInput,
  graph: Graph<ConfigNode>,
  diagnostics: Diagnostic[],
  targeting: { isTargeted(a: string): boolean },
  movedFrom: PlanRun["movedFrom"],
): PlanRun {
  const direct = resourceDependencies(graph);
  const pending = new Set<string>();
  const waits = waitedFor(graph, input.context.configuration);
  const evaluator = new Evaluator(input.context, new ProviderFunctions(input.pool));
  return {
    options: input.options,
    configuration: input.context.configuration,
    graph,
    evaluator,
    pool: input.pool,
    previous: input.state,
    refreshed: new StateBuilder(input.state),
    statesByConfig: byConfig(input.state),
    interrupted: new Map(input.interrupted.map((entry) => [entry.address, entry])),
    ports: input.ports,
    slots: new Semaphore(input.parallelism),
    pending,
    createBeforeDestroy: createBeforeDestroyNodes(graph, direct),
    dependencies: transitive(direct),
    changes: [],
    changesOf: new Map(),
    deferrals: new Deferrals(input.options.allowDeferral === true && input.options.mode === "normal"),
    drift: [],
    checks: [],
    movedFrom,
    readAhead: new Map(),
    readAheadOf: new Set(),
    unread: [],
    imports: new ImportTargets(input.context.configuration, evaluator),
    ephemerals: new OpenEphemerals(input.ports, diagnostics),
    diagnostics,
    isTargeted: targeting.isTargeted,
    waitsForChanges: (nodeId) => [...waits(nodeId)].some((id) => pending.has(id)),
  };
}

function byConfig(state: State): ReadonlyMap<string, readonly ResourceState[]> {
  return Map.groupBy(state.resources.values(), ({ module, address }) =>
    configKey(module.steps.map((step) => `module.${step.name}`).join("."), address),
  );
}

// What the state has and no configuration declares is a node of its own, which needs its provider's default configuration.
function withOrphans(
  graph: Graph<ConfigNode>,
  configuration: Configuration,
  state: State,
): Graph<Exclude<PlanNode, CloseNode>> {
  const builder = new GraphBuilder<Exclude<PlanNode, CloseNode>>();
  for (const [id, node] of graph.nodes) builder.add(id, node);
  for (const [id, all] of graph.dependencies) for (const to of all) builder.depend(id, to);
  const declared = new Set<string>();
  for (const module of configuration.modules.values()) {
    for (const resource of module.resources.values()) declared.add(configKey(module.path, resource.address));
  }
  for (const [key, states] of byConfig(state)) {
    if (declared.has(key)) continue;
    for (const resource of states) {
      const id = `${absoluteResourceText(resource.module, resource.address)} (orphan)`;
      builder.add(id, { kind: "orphan", state: resource });
      const provider = parseProviderConfigAddress(resource.provider);
      if (!provider) continue;
      if (!builder.has(provider.text) && provider.module === "" && provider.alias === undefined) {
        builder.add(provider.text, { kind: "provider", provider: { address: provider, module: configuration.root } });
      }
      builder.depend(id, provider.text);
    }
  }
  return builder.build();
}

// What a target must cover for a node to be meant by it.
function addressOfNode(node: PlanNode, id: string): string {
  return node.kind === "orphan" ? withoutKeys(absoluteResourceText(node.state.module, node.state.address)) : id;
}

export function cycleFound(way: readonly string[]): Diagnostic {
  const shown = [...way, way[0]!].join("\n  → ");
  return errorDiagnostic(
    "Cycle",
    `These depend on each other in a circle, so none of them can be first:\n\n    ${shown}\n\nRemove one of these references.`,
    { code: "cycle" },
  );
}

const targetingWarning = warningDiagnostic(
  "Resource targeting is in effect",
  "You are creating a plan with the -target or the -exclude option, which means that the result of this plan may not represent all of the changes requested by the current configuration.\n\nThese options are not for routine use, and are provided only for exceptional situations such as recovering from errors or mistakes.",
);

const interrupted = errorDiagnostic(
  "Interrupted",
  "The run was interrupted before all was looked at. Nothing was changed; run the command again.",
  { code: "interrupted" },
);

function compareChanges(a: InstanceChange, b: InstanceChange): number {
  return compareInstances(a.address, b.address) || (a.deposedKey ?? "").localeCompare(b.deposedKey ?? "");
}

function givenVariables({ given, context }: PlanInput): Pick<Plan, "variables" | "ephemeralVariables"> {
  const { variables } = context.configuration.root;
  const isEphemeral = (name: string) => variables.get(name)?.ephemeral === true;
  return {
    variables: new Map([...given].filter(([name]) => !isEphemeral(name))),
    ephemeralVariables: [...given.keys()].filter(isEphemeral),
  };
}

function emptyPlan(input: PlanInput, errored: boolean): Plan {
  return {
    mode: input.options.mode,
    ...givenVariables(input),
    changes: [],
    drift: [],
    deferrals: [],
    outputs: new Map(),
    relevant: [],
    ...(input.givenFrom ? { variablesFrom: input.givenFrom } : {}),
    previousState: input.state,
    priorState: input.state,
    lineage: input.lineage,
    serial: input.serial,
    expansions: { calls: new Map(), resources: new Map() },
    refreshed: input.options.refresh,
    targets: input.options.targets,
    ...(input.options.excludes && input.options.excludes.length > 0 ? { excludes: input.options.excludes } : {}),
    forceReplace: input.options.forceReplace,
    timestamp: input.timestamp,
    errored,
    checks: [],
    settled: [],
    unread: [],
  };
}

function expansionsOf(evaluator: Evaluator, configuration: Configuration): PlannedExpansions {
  const calls = new Map<string, ReturnType<Evaluator["call"]>>();
  const resources = new Map<string, PlannedExpansions["resources"] extends ReadonlyMap<string, infer R> ? R : never>();
  for (const module of configuration.modules.values()) {
    for (const instance of evaluator.moduleInstances(module)) {
      for (const name of module.calls.keys()) calls.set(`${instance.text}|${name}`, evaluator.call(instance, name));
      for (const resource of module.resources.values()) {
        const expansion = evaluator.resourceExpansion(instance, resource.address);
        if (!expansion) continue;
        resources.set(absoluteResourceText(instance, resource.address), {
          module: instance,
          resource: resource.address,
          expansion,
        });
      }
    }
  }
  return { calls, resources };
}
