import { isDeepStrictEqual } from "node:util";
import { Semaphore } from "@millwright/core/concurrency";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { asOne, decide } from "@millwright/gates/decide";
import type { Condition, Decided, Gate, GateView } from "@millwright/gates/gate";
import { makeGates } from "@millwright/gates/make-gates";
import { gateSettingsOf, type JobGates } from "@millwright/jobs/gates";
import { type Allocation, hasEnded } from "@millwright/scheduler/allocation";
import type { Deployment } from "@millwright/scheduler/deployment";
import { stepDeployment } from "@millwright/scheduler/deployment-step";
import type { GateQuestion } from "@millwright/scheduler/gating";
import { jobKey } from "@millwright/scheduler/snapshot";
import type { Moment } from "@millwright/scheduler/time";
import type { DeploymentRecord } from "../records.ts";
import { lastStableOf, writeDeployment } from "./deployment-event.ts";
import { commitAsLeader, type Leader, retryAfter } from "./leading.ts";

export interface GateWatchOptions {
  readonly gates: JobGates;
  /** Shared by all rollouts. */
  readonly looks: Semaphore;
  /** Told of a bug: nothing else ends a watch. */
  readonly fail: (error: unknown) => void;
}

/** What has gates wait may change with each look: it is written this often at most, in milliseconds. */
const tellEvery = 5_000;

/** So many looks of one rollout are under way at a time: one whose servers are slow does not hold up all others. */
const mostOwnLooks = 4;

/** What commands and servers say is theirs; so much of it is kept. */
const longestReason = 500;

/** The gates of one rollout, asked whenever it wants to know. */
export class GateWatch {
  readonly #leader: Leader;
  readonly #begun: DeploymentRecord;
  readonly #patience: number;
  readonly #gates: readonly Gate[];
  readonly #fail: (error: unknown) => void;
  readonly #over = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #asked: { readonly question: GateQuestion; readonly stop: AbortController } | undefined;

  constructor(leader: Leader, begun: DeploymentRecord, { gates, looks, fail }: GateWatchOptions) {
    this.#leader = leader;
    this.#begun = begun;
    this.#fail = fail;
    const settings = gateSettingsOf(gates);
    this.#patience = settings.patience;
    const own = new Semaphore(mostOwnLooks);
    this.#gates = this.#made(settings.gates).map((gate) => ({
      ...gate,
      decide: (view, signal) =>
        own.run(() => looks.run(() => gate.decide({ ...view, conditions: this.#conditions() }, signal))),
    }));
    for (const gate of this.#gates) if (gate.watch) this.#run(gate.watch(this.#over.signal), this.#over.signal);
  }

  /** Asks what is to be known now, and ends what was asked before. */
  follow(question: GateQuestion | undefined): void {
    if (isDeepStrictEqual(question, this.#asked?.question)) return;
    this.#asked?.stop.abort();
    if (!question) {
      this.#asked = undefined;
      return;
    }
    const stop = new AbortController();
    this.#asked = { question, stop };
    const signal = AbortSignal.any([stop.signal, this.#over.signal]);
    this.#run(this.#ask(question, signal), signal);
  }

  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#running);
  }

  // A gate that cannot be made is against going on, and says why.
  #made(specs: Parameters<typeof makeGates>[0]): readonly Gate[] {
    try {
      return makeGates(specs, this.#leader.context.gates);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const because = messageOf(error);
      return [{ name: "gates", decide: () => Promise.resolve({ kind: "stop", because }) }];
    }
  }

  #run(work: Promise<void>, signal: AbortSignal): void {
    const done = work
      .catch((error: unknown) => {
        if (!signal.aborted) this.#fail(error);
      })
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async #ask(question: GateQuestion, signal: AbortSignal): Promise<void> {
    const { clock } = this.#leader.context;
    let told: { readonly gate: string; readonly at: Moment } | undefined;
    let telling: Promise<void> = Promise.resolve();
    const onWait = (decided: Decided) => {
      const at = clock.monotonic();
      if (told?.gate === decided.gate && at - told.at < tellEvery) return;
      told = { gate: decided.gate, at };
      telling = telling.then(() => this.#write(question, decided, signal));
      // It is waited for below; where nobody comes to that, the signal has ended it.
      telling.catch(() => undefined);
    };
    const decided = await decide(this.#gates, this.#view(question), {
      ...{ clock, signal, patience: this.#patience, onWait },
    });
    await telling;
    await this.#write(question, asOne(decided, this.#gates), signal);
  }

  #view({ batch }: GateQuestion): Omit<GateView, "now"> {
    const deployment = this.#deployment();
    const passed = new Set(deployment.gating?.passed);
    const changed = this.#allocations().filter(({ id }) => !passed.has(id));
    return {
      ...{ wave: batch, waves: batch + batchesAfter(deployment, (group) => this.#maxParallel(group)) },
      ...{ changed: changed.map(nameOf), failed: [], conditions: [] },
      ...{ began: this.#begun.createdAt, waveEnded: this.#leader.context.clock.now() },
    };
  }

  #conditions(): readonly Condition[] {
    return this.#allocations().map((one) => {
      // One that its node starts again is none that failed.
      const isBroken = one.healthy === false || hasEnded(one);
      const problem = one.healthy === false ? "it is unhealthy" : `it is ${one.client}`;
      return { name: nameOf(one), status: isBroken ? "fail" : "pass", problems: isBroken ? [problem] : [] };
    });
  }

  #deployment(): Deployment {
    const { state } = this.#leader.context.projection;
    return state.row("deployment", this.#begun.deployment.id)?.deployment ?? this.#begun.deployment;
  }

  /** Those of the rollout that are wanted. */
  #allocations(): readonly Allocation[] {
    const { derived } = this.#leader.context.projection.state;
    const views = derived.allocationsOfDeployment(this.#begun.deployment.id);
    return views.map(({ allocation }) => allocation).filter(({ desired }) => desired === "run");
  }

  #maxParallel(group: string): number {
    const { namespace, job, version } = this.#begun.deployment;
    const { jobs } = this.#leader.context.projection.state.derived.snapshot;
    const groups = jobs.get(jobKey(namespace, job))?.versions.get(version)?.groups ?? [];
    return groups.find(({ name }) => name === group)?.update?.maxParallel ?? 1;
  }

  /** Writes what was said with the rollout, and what follows from it. What the store refuses is tried again. */
  async #write(question: GateQuestion, { gate, decision }: Decided, signal: AbortSignal): Promise<void> {
    const { context } = this.#leader;
    const said = { kind: decision.kind, gate, because: decision.because.slice(0, longestReason) };
    for (;;) {
      try {
        await commitAsLeader(this.#leader, (draft) => {
          const record = draft.row("deployment", this.#begun.deployment.id);
          if (!record) return;
          const { deployment } = record;
          const event = { kind: "gates", question, said, at: context.clock.now() } as const;
          const step = stepDeployment(deployment, event, lastStableOf(draft, deployment));
          if (!step.ok || step.deployment === deployment) return;
          writeDeployment(draft, context, { record, deployment: step.deployment, actions: step.actions });
        });
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof OperationalError)) throw error;
        context.log.write("warn", "orchestrator: what gates said is not written yet", { error: messageOf(error) });
        await context.clock.sleep(retryAfter, signal);
      }
    }
  }
}

function nameOf({ job, group, index }: Allocation): string {
  return `${job}.${group}[${index}]`;
}

/** How many batches follow, as far as that can be known. */
function batchesAfter({ groups }: Deployment, maxParallel: (group: string) => number): number {
  const left = Object.entries(groups).map(([name, { desiredTotal, placed }]) =>
    Math.ceil(Math.max(0, desiredTotal - placed.length) / maxParallel(name)),
  );
  return Math.max(0, ...left);
}
