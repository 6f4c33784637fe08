import { Semaphore } from "@millwright/core/concurrency";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import type { Provider } from "@millwright/provider/protocol";
import { isKnown, isNull, isWhollyKnown, sensitive, unmarkDeep } from "@millwright/value/value";
import {
  configResourceText,
  instanceAddress,
  parseProviderConfigAddress,
  resourceText,
  rootModule,
  staticModule,
  wholeProviderConfig,
} from "../addresses.ts";
import { checkResultsPlain, groupChecks } from "../check/results.ts";
import type { ConfigNode } from "../config-graph.ts";
import { configGraph } from "../config-graph.ts";
import type { Configuration } from "../configuration.ts";
import type { EvaluatorContext } from "../evaluator.ts";
import { type CloseNode, neededAtApply, withCloses } from "../ephemeral/closes.ts";
import { OpenEphemerals } from "../ephemeral/open-ephemerals.ts";
import { visitEphemeral } from "../ephemeral/visit.ts";
import { Evaluator } from "../evaluator.ts";
import type { Graph, Outcome, Visited } from "../graph.ts";
import { prefetch } from "../functions/prefetch.ts";
import { ProviderFunctions } from "../functions/provider-functions.ts";
import { cyclesOf, GraphBuilder, walkGraph } from "../graph.ts";
import { readObject } from "../objects.ts";
import { importedId } from "../plan/imported.ts";
import { cycleFound } from "../plan/make.ts";
import { sourcesOf } from "../provider-sources.ts";
import { visitCheck, visitLocal, visitOutput, visitProvider, visitVariable } from "../plan/nodes.ts";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import { isWhole } from "../plan/plan.ts";
import { report } from "../plan/run.ts";
import { withProviderMeta } from "../provider-meta.ts";
import type { RunPorts } from "../ports.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { State } from "../state.ts";
import { StateBuilder } from "../state.ts";
import { expandAgain } from "../plan/expand.ts";
import { destroy } from "./destroy.ts";
import type { ApplyNode } from "./graph.ts";
import { applyGraph } from "./graph.ts";
import { make } from "./make.ts";
import type { ApplyRecorder, ApplyResult, ApplyRun } from "./run.ts";
import { checksNow } from "../waves/checks-now.ts";
import { partition, type Waves } from "../waves/partition.ts";
import type { WaveSize } from "../waves/sizes.ts";
import { type BetweenWaves, WaveTurns } from "../waves/turns.ts";

export interface ApplyInput {
  readonly plan: Plan;
  readonly context: EvaluatorContext;
  readonly pool: ProviderPool;
  readonly ports: RunPorts;
  readonly recorder: ApplyRecorder;
  /** Changes at a time. */
  readonly parallelism: number;
  /** Where given, changes are carried out wave by wave, and this decides between them. */
  readonly waves?: { readonly sizes: readonly WaveSize[]; readonly between: BetweenWaves<InstanceChange> };
  /** Told of the state after each change; must be cheap. */
  readonly onState?: (state: StateBuilder) => void;
}

/**
 * Carries out a plan: its changes in the order of its own graph, independent ones side by side. What fails keeps what depends
 * on it from being tried; all else goes on. The state given back is true whatever happened.
 */
export async function applyPlan(input: ApplyInput): Promise<ApplyResult> {
  const { plan, context, pool, ports } = input;
  invariant(!plan.errored, "a plan with errors is not applied");
  const diagnostics: Diagnostic[] = [];
  const evaluator = new Evaluator(context, new ProviderFunctions(pool));
  const run: ApplyRun = {
    plan,
    evaluator,
    pool,
    state: new StateBuilder(plan.priorState),
    ports,
    recorder: input.recorder,
    slots: new Semaphore(input.parallelism),
    checks: [],
    unanswered: [],
    diagnostics,
    counts: { imported: 0, added: 0, changed: 0, destroyed: 0 },
    touched: { own: new Set(), below: new Set() },
    validating: false,
    ephemerals: new OpenEphemerals(ports, diagnostics),
  };
  const finish = (complete: boolean): ApplyResult => ({
    state: run.state.snapshot(),
    diagnostics,
    counts: run.counts,
    unanswered: run.unanswered,
    complete: complete && !hasErrors(diagnostics),
    checks: run.checks,
    evaluator,
  });
  pool.stopWith(ports.stop, "apply");
  if (!report(run, await pool.load(sourcesOf(context.configuration, plan.priorState)))) return finish(false);
  if (!(await seeKnownValues(run))) return finish(false);
  forgetObjects(run);
  noteImports(run);
  const order = orderOf(plan, configGraph(context.configuration), ports);
  if (!report(run, cyclesOf(order).map(cycleFound))) return finish(false);
  const turns = input.waves && turnsOf(run, order, input.waves);
  const graph = withCloses(order);
  const needed = neededAtApply(
    graph,
    (node) => node.kind === "make" || node.kind === "destroy" || isConclusion(plan, node),
  );
  let sequence = 0;
  const outcomes = await walkGraph(
    graph,
    async (node, id) => {
      if (node.kind === "close-ephemeral") return run.ephemerals.close(node.resourceId);
      if (node.kind === "config" && !isWanted(run, node.node, needed.has(id))) return true;
      const evaluated = evaluatedBy(order, node);
      if (evaluated) await prefetch(run.evaluator, pool, evaluated);
      if (turns && !(await turns.enter(node))) return "skipped";
      const ok = await visit(run, node, id, () => ++sequence);
      if (node.kind === "make" || node.kind === "destroy") input.onState?.(run.state);
      return ok;
    },
    ports.stop,
    turns && ((node, outcome) => node.kind !== "close-ephemeral" && turns.settled(node, outcome)),
  ).finally(() => run.ephemerals.closeAll());
  writeOutputs(run, outcomes);
  const checked = plan.mode === "destroy" ? [] : groupChecks(plan.checks, run.checks);
  run.state.setCheckResults(checkResultsPlain(context.configuration, checked));
  if (plan.mode === "destroy" && isWhole(plan)) forgetData(run);
  const stopped = ports.stop.aborted && [...outcomes.values()].includes("skipped");
  if (stopped) diagnostics.push(interrupted(run));
  if (!turns) return finish(!stopped);
  report(run, turns.faults);
  const result = finish(!stopped && turns.begun === turns.count);
  return { ...result, waves: { begun: turns.begun, count: turns.count } };
}

/** The steps that an apply of a plan takes, and their order. */
export function orderOfPlan(plan: Plan, configuration: Configuration): Graph<ApplyNode> {
  let made = 0;
  return applyGraph(plan, withMissingProviders(plan, configGraph(configuration)), () => `new ${++made}`);
}

/** A plan's changes in waves, as an apply with these sizes carries them out. */
export function wavesOfPlan(
  plan: Plan,
  configuration: Configuration,
  sizes: readonly WaveSize[],
): Waves<InstanceChange> {
  return partition(orderOfPlan(plan, configuration), plan.changes, sizes);
}

function turnsOf(
  run: ApplyRun,
  graph: Graph<ApplyNode>,
  { sizes, between }: NonNullable<ApplyInput["waves"]>,
): WaveTurns<ApplyNode, InstanceChange> {
  const { plan, ports } = run;
  const ask: BetweenWaves<InstanceChange> = async (end) => {
    const evaluator = new Evaluator(run.evaluator.context);
    const now = { ...plan, priorState: run.state.snapshot() };
    if (!(await seeKnownValues({ ...run, plan: now, evaluator }))) return false;
    const checks = [...run.checks, ...(await checksNow(run, evaluator))];
    return between({ ...end, checks });
  };
  const stepOf = (node: ApplyNode) => ("change" in node ? node.change : undefined);
  const walk = { nodes: graph.nodes.values(), stepOf };
  return new WaveTurns(partition(graph, plan.changes, sizes), walk, ask, ports.stop);
}

function orderOf(plan: Plan, config: Graph<ConfigNode>, ports: RunPorts): Graph<ApplyNode> {
  const used = deposedKeysOf(plan.priorState);
  const newDeposedKey = () => {
    for (;;) {
      const key = [...ports.chance.bytes(4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      if (used.has(key)) continue;
      used.add(key);
      return key;
    }
  };
  return applyGraph(plan, withMissingProviders(plan, config), newDeposedKey);
}

function deposedKeysOf(state: State): Set<string> {
  const keys = new Set<string>();
  for (const { instances } of state.resources.values())
    for (const { deposed } of instances.values()) for (const key of deposed.keys()) keys.add(key);
  return keys;
}

// What is destroyed may need a provider that no configuration mentions any more: it gets its default configuration.
function withMissingProviders(plan: Plan, config: Graph<ConfigNode>): Graph<ConfigNode> {
  const builder = new GraphBuilder<ConfigNode>();
  for (const [id, node] of config.nodes) builder.add(id, node);
  for (const [id, all] of config.dependencies) for (const to of all) builder.depend(id, to);
  const root = [...config.nodes.values()].find((node) => node.kind !== "provider" && node.module.path === "");
  for (const change of plan.changes) {
    const provider = wholeProviderConfig(change.provider);
    if (builder.has(provider.text)) continue;
    const module = root && root.kind !== "provider" ? root.module : undefined;
    builder.add(provider.text, {
      kind: "provider",
      provider: module ? { address: provider, module } : { address: provider, module: emptyModule },
    });
  }
  return builder.build();
}

const emptyModule = {
  path: "",
  names: [],
  folder: ".",
  variables: new Map(),
  locals: new Map(),
  outputs: new Map(),
  resources: new Map(),
  calls: new Map(),
  providers: new Map(),
  requiredProviders: new Map(),
  requiredVersions: [],
  providerMeta: [],
  checks: new Map(),
  moved: [],
  removed: [],
  imports: [],
  range: { filename: ".", start: { line: 1, column: 1, byte: 0 }, end: { line: 1, column: 1, byte: 0 } },
} as const;

// References see what the plan saw until a change has made it true: objects that stay, and all objects of a destroy.
async function seeKnownValues(run: ApplyRun): Promise<boolean> {
  const { plan, evaluator, pool } = run;
  for (const [key, expansion] of plan.expansions.calls) {
    const at = key.lastIndexOf("|");
    evaluator.setCallByText(key.slice(0, at), key.slice(at + 1), expansion);
  }
  for (const { module, resource, expansion } of plan.expansions.resources.values())
    evaluator.setResource(module, resource, expansion);
  for (const [text, resource] of plan.priorState.resources) {
    if (!plan.expansions.resources.has(text)) continue;
    const provider = parseProviderConfigAddress(resource.provider);
    const schema = provider && pool.resourceSchema(provider.source, resource.address);
    if (!provider || !schema) continue;
    for (const { key, current } of resource.instances.values()) {
      if (!current) continue;
      const address = instanceAddress(resource.module, resource.address, key);
      const read = await readObject(current, address, schema, await pool.any(provider.source));
      if (!report(run, read.diagnostics)) return false;
      evaluator.setInstance(resource.module, resource.address, key, read.value);
    }
  }
  for (const change of plan.changes) {
    if (change.action === "no-op")
      evaluator.setInstance(change.address.module, change.address.resource, change.address.key, change.after);
  }
  return true;
}

// A change that waits for its turn when the run is stopped is not begun any more.
function inSlot(run: ApplyRun, change: () => Promise<boolean>): Promise<Visited> {
  return run.slots.run<Visited>(() => (run.ports.stop.aborted ? Promise.resolve("skipped") : change()));
}

async function visit(run: ApplyRun, node: ApplyNode, id: string, next: () => number): Promise<Visited> {
  switch (node.kind) {
    case "destroyed":
      return true;
    case "config":
      return visitConfig(run, node.node, id);
    case "make": {
      const { change, deposes } = node;
      const schema = run.pool.resourceSchema(change.provider.source, change.address.resource);
      const resource = run.evaluator.module(change.address.module).resources.get(resourceText(change.address.resource));
      invariant(schema && resource, `${change.address.text} has a schema and a configuration`);
      const provider = servingWithMeta(run, change);
      const target = {
        sequence: next(),
        change,
        resource,
        schema,
        provider,
        ...(deposes === undefined ? {} : { deposes }),
      };
      return inSlot(run, () => make(run, target));
    }
    case "destroy": {
      const { change, deposedKey } = node;
      const schema = run.pool.resourceSchema(change.provider.source, change.address.resource);
      invariant(schema, `${change.address.text} has a schema`);
      const provider = servingWithMeta(run, change);
      const target = {
        sequence: next(),
        change,
        schema,
        provider,
        ...(deposedKey === undefined ? {} : { deposedKey }),
      };
      return inSlot(run, () => destroy(run, target));
    }
  }
}

function servingWithMeta(run: ApplyRun, { provider, address }: InstanceChange): Provider {
  const module = run.evaluator.context.configuration.modules.get(staticModule(address.module));
  return withProviderMeta(run.pool.serving(provider, address), module, provider.source, run.pool);
}

// Root outputs and checks may be made of an ephemeral value, too, as long as they do not keep it.
function isConclusion(plan: Plan, node: ApplyNode | CloseNode): boolean {
  if (plan.mode === "destroy") return false;
  return node.kind === "config" && (node.node.kind === "output" || node.node.kind === "check");
}

/** Whether a node of the configuration has to be visited: providers and ephemeral resources only for what is to be done. */
function isWanted(run: ApplyRun, node: ConfigNode, needed: boolean): boolean {
  if (node.kind === "provider") return needed || isUsed(run, node.provider.address.text);
  return needed || node.kind !== "resource" || node.resource.address.mode !== "ephemeral";
}

// What makes an object evaluates the configuration of its resource.
function evaluatedBy(graph: Graph<ApplyNode>, node: ApplyNode): ConfigNode | undefined {
  if (node.kind === "config") return node.node;
  if (node.kind !== "make") return undefined;
  const { module, resource } = node.change.address;
  const declared = graph.nodes.get(configResourceText(module, resource));
  return declared?.kind === "config" ? declared.node : undefined;
}

function visitConfig(run: ApplyRun, node: ConfigNode, id: string): boolean | Promise<boolean> {
  if (node.kind === "provider") return visitProvider(run, node);
  if (node.kind === "resource" && node.resource.address.mode === "ephemeral")
    return visitEphemeral(run, node, id, false);
  if (run.plan.mode === "destroy") return true;
  switch (node.kind) {
    case "variable":
      return visitVariable(run, node);
    case "local":
      return visitLocal(run, node);
    case "output":
      return !isWhole(run.plan) || visitOutput(run, node);
    case "call":
      return visitCallAgain(run, node);
    case "check":
      return visitCheck(run, node);
    case "close":
    case "resource":
      return true;
  }
}

// Keys are as planned; values that were unknown then are known now.
function visitCallAgain(run: ApplyRun, { module, call }: Extract<ConfigNode, { readonly kind: "call" }>): boolean {
  return run.evaluator.moduleInstances(module).every((caller) => {
    const planned = run.evaluator.call(caller, call.name);
    const { value, diagnostics } = expandAgain(planned, call.repetition, run.evaluator, caller);
    if (value !== planned) run.evaluator.setCall(caller, call.name, value);
    return report(run, diagnostics);
  });
}

function isUsed(run: ApplyRun, provider: string): boolean {
  return run.plan.changes.some(
    (change) => change.action !== "no-op" && wholeProviderConfig(change.provider).text === provider,
  );
}

function writeOutputs(run: ApplyRun, outcomes: ReadonlyMap<string, Outcome>): void {
  for (const [name, change] of run.plan.outputs) {
    if (change.action === "delete") {
      if (![...outcomes.values()].some((outcome) => outcome !== "done")) run.state.setOutput(name, undefined);
      continue;
    }
    if (outcomes.get(`output.${name}`) !== "done") continue;
    const output = run.evaluator.context.configuration.root.outputs.get(name);
    if (!output) continue;
    const [value, marks] = unmarkDeep(run.evaluator.output(rootModule, name).value);
    // A null output is none, as far as a state goes.
    if (isKnown(value) && isNull(value)) run.state.setOutput(name, undefined);
    else if (isWhollyKnown(value))
      run.state.setOutput(name, { value, sensitive: output.sensitive || marks.has(sensitive) });
    // What a refresh alone cannot know was of an object that is gone: the value of then is not true any more.
    else if (run.plan.mode === "refresh-only") run.state.setOutput(name, undefined);
  }
}

// What is imported is in the state that the plan goes on from.
function noteImports({ plan, ports, counts }: ApplyRun): void {
  for (const { importing, address } of plan.changes) {
    if (!importing) continue;
    const about = { address: address.text, id: importedId(importing) };
    ports.events({ kind: "import-start", ...about });
    ports.events({ kind: "import-done", ...about });
    counts.imported++;
  }
}

// What is no longer managed is left alone: there is nothing to wait for.
function forgetObjects(run: ApplyRun): void {
  for (const { action, address, provider, deposedKey } of run.plan.changes) {
    if (action !== "forget") continue;
    if (deposedKey === undefined) run.state.setCurrent(address, provider.text, undefined);
    else run.state.setDeposed(address, provider.text, deposedKey, undefined);
  }
}

// What was only read goes with what it was read for.
function forgetData(run: ApplyRun): void {
  for (const { module, address, provider, instances } of run.plan.priorState.resources.values()) {
    if (address.mode !== "data") continue;
    for (const { key } of instances.values())
      run.state.setCurrent(instanceAddress(module, address, key), provider, undefined);
  }
}

function interrupted(run: ApplyRun): Diagnostic {
  const { added, changed, destroyed } = run.counts;
  return errorDiagnostic(
    "Interrupted",
    `The apply was interrupted: what was under way has been finished, the rest was not begun (so far ${added} added, ${changed} changed, ${destroyed} destroyed). The state is true. Run plan again to see what is left to do.`,
    { code: "interrupted" },
  );
}
