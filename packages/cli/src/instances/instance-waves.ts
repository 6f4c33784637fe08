import type { Graph } from "@millwright/engine/graph";
import { GraphBuilder, walkGraph } from "@millwright/engine/graph";
import { WavesJournal } from "@millwright/engine/instances/waves-journal";
import { hasChanges, isChange } from "@millwright/engine/plan";
import { cutIntoWaves, type Waves } from "@millwright/engine/waves/partition";
import { type WayBack, wayBack } from "@millwright/engine/waves/ways-back";
import { Semaphore } from "@millwright/core/concurrency";
import { momentText } from "../views/moment.ts";
import { destinationAt, lastWhole } from "../terraform/destination.ts";
import { takeBack } from "../waves/back.ts";
import { countText, killedText, renderWaves, restOf } from "../waves/plan-waves.ts";
import { WaveRun, waveSettings } from "../waves/wave-run.ts";
import type { ApplyInstancesCall } from "./apply-command.ts";
import type { ReadyInstance } from "./ready-instance.ts";
import { heading } from "./render.ts";
import type { Task } from "./tasks.ts";

/** The waves of an apply over instances: each is some of the instances, and of an instance all is carried out at once. */
export interface InstanceWaves {
  readonly run: WaveRun<Task>;
  readonly waves: Waves<Task>;
  readonly journal: WavesJournal;
  /** What is shown of them before they are agreed to. */
  readonly shown: string;
}

export interface InstancesToWave {
  readonly order: Graph<Task>;
  readonly ready: ReadonlyMap<string, ReadyInstance>;
  /** The instances that were named for the run; none of them means all. */
  readonly chosen: readonly string[];
  /** Whether other instances have been applied by this command already, and these had to wait for their outputs. */
  readonly waited: boolean;
}

/**
 * The waves that `-waves` asks for, or that a killed run over the same instances was in; undefined where neither is so, "mistake"
 * where something is wrong, which was reported.
 */
export async function instanceWaves(
  call: ApplyInstancesCall,
  { order, ready, chosen, waited }: InstancesToWave,
): Promise<InstanceWaves | "mistake" | undefined> {
  const { session, values } = call;
  const journal = new WavesJournal(session.folder, chosen, new Date());
  const killed = waited ? undefined : journal.killed();
  const changes = (task: Task) => hasChanges(ready.get(task.name)!.saved.plan);
  const steps = [...ready.values()].map(({ task }) => task);
  if (!steps.some(changes)) {
    // A killed run of which nothing is left to do has come to its end.
    journal.end();
    return undefined;
  }
  if (values.waves === undefined && !killed) return undefined;
  const { value: settings, diagnostics } = waveSettings(session, values.waves ?? restOf(killed?.waves));
  if (!(await session.report(diagnostics))) return "mistake";
  const isReady = ([name, task]: readonly [string, Task]) => [name, ready.has(name) ? task : undefined] as const;
  const units = { nodes: new Map([...order.nodes].map(isReady)), dependencies: order.dependencies };
  const waves = cutIntoWaves(units, steps, { sizes: settings.sizes, counts: changes });
  const backs = new Map<string, InstanceBack>();
  for (const instance of ready.values()) backs.set(instance.task.name, await backOf(instance));
  const run = new WaveRun(session, settings, {
    waves: waves.waves,
    nameOf: ({ name }) => name,
    back: (begun) =>
      takeInstancesBack(call, { order, ready, backs, begun: waves.waves.slice(0, begun).flat().filter(changes) }),
    ...(killed ? { continues: killedText(`The apply of ${momentText(killed.started)}`, killed.waves) } : {}),
    ...(waited ? { continues: "Before what had to wait for these outputs:" } : {}),
  });
  const lines = waves.waves.map((wave) => {
    const changed = wave.filter(changes);
    return { what: whatText(changed, ready), back: backOfAll(changed, backs) };
  });
  return { run, waves, journal, shown: renderWaves(lines, settings, session.view.width) };
}

/** How one instance is taken back. */
interface InstanceBack {
  readonly way: WayBack;
  /** The number of its last whole run; undefined where there is none. */
  readonly before: number | undefined;
}

async function backOf({ state, saved }: ReadyInstance): Promise<InstanceBack> {
  const before = (await lastWhole(state.history))?.number;
  return { way: wayBack(saved.plan.changes.filter(isChange), before !== undefined), before };
}

/** What the ways back of several instances come to, objects by names that say whose they are. */
function backOfAll(tasks: readonly Task[], backs: ReadonlyMap<string, InstanceBack>): WayBack {
  const all = tasks.map(({ name }) => ({ name, way: backs.get(name)!.way }));
  return {
    steps: new Map(all.flatMap(({ name, way }) => [...way.steps].map(([text, step]) => [`${name}: ${text}`, step]))),
    without: all.flatMap(({ name, way }) =>
      way.without.map(({ address, why }) => ({ address: `${name}: ${address}`, why })),
    ),
  };
}

const mostNamed = 5;

function whatText(tasks: readonly Task[], ready: ReadonlyMap<string, ReadyInstance>): string {
  const names = tasks.slice(0, mostNamed).map(({ name }) => name);
  const more = tasks.length > mostNamed ? ` and ${tasks.length - mostNamed} more` : "";
  let changes = 0;
  for (const { name } of tasks) changes += ready.get(name)!.saved.plan.changes.filter(isChange).length;
  return `${names.join(", ")}${more} (${countText(changes, "change")})`;
}

interface InstancesBack {
  readonly order: Graph<Task>;
  readonly ready: ReadonlyMap<string, ReadyInstance>;
  readonly backs: ReadonlyMap<string, InstanceBack>;
  /** The instances whose waves were begun. */
  readonly begun: readonly Task[];
}

/**
 * Takes instances back in the reverse of their order, one at a time, as each way back may have to be asked about. What another
 * one was made from is not taken back before that one is.
 */
async function takeInstancesBack(
  call: ApplyInstancesCall,
  { order, ready, backs, begun }: InstancesBack,
): Promise<boolean> {
  const builder = new GraphBuilder<Task>();
  for (const task of begun) builder.add(task.name, task);
  for (const [from, all] of order.dependencies) for (const to of all) builder.depend(to, from);
  const one = new Semaphore(1);
  const goBack = (task: Task) => takeInstanceBack(call, ready.get(task.name)!, backs.get(task.name)!);
  const outcomes = await walkGraph(builder.build(), (task) => one.run(() => goBack(task)), call.session.io.signal);
  return [...outcomes.values()].every((outcome) => outcome === "done");
}

// All that an instance is made by is taken back, its outputs and inputs too, so that more than what has changed is looked at.
async function takeInstanceBack(
  { session, verb, values, occurrences }: ApplyInstancesCall,
  { task, session: inside, state, saved }: ReadyInstance,
  { way, before }: InstanceBack,
): Promise<boolean> {
  const whole = before !== undefined || saved.plan.previousState.resources.size === 0;
  const touched = whole ? "everything" : [...way.steps.keys()];
  const destination = before === undefined ? undefined : await destinationAt(state.history, before);
  const call = { session: inside, verb, values, occurrences };
  const above = heading(task, session.view, ", back");
  return takeBack(call, state, { touched, shown: way.steps, before: destination, heading: above });
}
