import { invariant } from "@millwright/core/errors";
import type { TaskGroup } from "@millwright/jobs/job";
import type { Allocation, RescheduleEvent } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import type { Budget } from "./budget.ts";
import type { Deployment } from "./deployment.ts";
import { stepDeployment } from "./deployment-step.ts";
import type { ScheduleOptions } from "./evaluation.ts";
import type { GroupPlan, Intent } from "./group-plan.ts";
import { descriptions, isGone } from "./group-plan.ts";
import type { AllocId, NodeId } from "./ids.ts";
import { type PlacementMetrics, summed } from "./metrics.ts";
import type { GroupPlacement, Placed, Replacement, Stop } from "./placement.ts";
import { keptReschedules } from "./reschedule.ts";
import type { Choice, Selector } from "./select.ts";
import type { JobRecord, Snapshot } from "./snapshot.ts";

export interface PlacerContext {
  readonly snapshot: Snapshot;
  readonly record: JobRecord | undefined;
  readonly selector: Selector;
  readonly options: ScheduleOptions;
  /** The rollout that goes on, which what is placed of the current version belongs to. */
  readonly deployment: Deployment | undefined;
  readonly budget: Budget;
}

/** Finds nodes for what a group wants, and sorts what comes of it into the buckets. */
export class GroupPlacer {
  readonly group: string;
  readonly #plan: GroupPlan;
  readonly #context: PlacerContext;
  readonly #placed: { readonly intent: Intent; readonly placed: Placed }[] = [];
  /** Intents that there was room for, whether they found a node or not. */
  readonly #tried: Intent[] = [];
  readonly #failures: PlacementMetrics[] = [];
  /** Versions of the group that found no node: another of the same finds none either. */
  readonly #full = new Set<number>();

  constructor(plan: GroupPlan, context: PlacerContext) {
    this.group = plan.group;
    this.#plan = plan;
    this.#context = context;
  }

  /** Places them one after another, as far as the budget goes, with a step after each. */
  *place(): Generator<undefined, void> {
    for (const one of this.#plan.intents) {
      if (!this.#mayPlace(one)) return;
      yield;
    }
  }

  /** What came of it. */
  result(): GroupPlacement {
    const { inPlace, stop, ignore, waiting } = this.#plan;
    const of = (...kinds: Intent["kind"][]) => this.#placed.filter(({ intent }) => kinds.includes(intent.kind));
    const replacements = (kind: Intent["kind"], description: string): Replacement[] =>
      of(kind).map(({ intent, placed }) => ({
        placed,
        stop: this.#stopFor(intent, description, placed.allocation.id),
      }));
    const stops = stop.map(({ allocation, description, isLost }) => stopOf(allocation, description, isLost, null));
    return {
      place: of("place", "lost").map(({ placed }) => placed),
      canary: of("canary").map(({ placed }) => placed),
      destructive: replacements("destructive", descriptions.updated),
      migrate: replacements("migrate", descriptions.migrating),
      reschedule: replacements("reschedule", descriptions.rescheduled),
      stop: [...stops.filter(({ isLost }) => !isLost), ...this.#overdue()],
      lost: [...stops.filter(({ isLost }) => isLost), ...this.#lost()],
      inPlace: inPlace.map((allocation) => this.#updated(allocation)),
      ignore: ignore.map(({ id }) => id),
      failed: summaryOf(this.#failures, this.#plan),
      desired: desiredOf(this.#plan),
      waiting,
    };
  }

  /** The rollout with what was placed here, or takes part from now on; with a step after each, too. */
  *grow(deployment: Deployment): Generator<undefined, Deployment> {
    const { now } = this.#context.options;
    const joined = [
      ...this.#placed.map(({ intent, placed }) => ({
        allocation: placed.allocation,
        canary: intent.kind === "canary",
      })),
      ...this.#plan.inPlace.map((allocation) => ({ allocation: this.#updated(allocation), canary: false })),
    ].filter(({ allocation }) => allocation.deployment?.id === deployment.id);
    let grown = deployment;
    for (const { allocation, canary } of joined) {
      const { id, group, replaces } = allocation;
      const event = { kind: "placed", group, allocation: id, replaces, canary, at: now } as const;
      const step = stepDeployment(grown, event, null);
      invariant(step.ok, "a placement is never refused");
      grown = step.deployment;
      yield;
    }
    return grown;
  }

  /** Places one if it may still be written; else it says so, and none of the rest is tried. */
  #mayPlace(intent: Intent): boolean {
    const { budget } = this.#context;
    const isLost = intent.kind === "lost";
    // The new allocation and its node, the old one, and what waits for it.
    const cost = 2 + (intent.previous ? 2 : 0) + (isLost ? 1 : 0);
    if (!budget.has(cost)) return false;
    const before = this.#placed.length;
    this.#tried.push(intent);
    this.#placeOne(intent);
    const found = this.#placed.at(-1);
    if (this.#placed.length > before && found)
      budget.spend(cost + found.placed.metrics.nodesEvaluated / comparedForOne);
    else if (intent.endsAnyway) budget.spend(2);
    return true;
  }

  #placeOne(intent: Intent): void {
    const { selector } = this.#context;
    const { kind, previous, node, version } = intent;
    const isFreed = previous !== null && !hasEnded(previous);
    // Only what leaves its own room behind, or has a node of its own, may find what another did not.
    const isAlone = node !== null || (isFreed && kind !== "lost");
    if (!isAlone && this.#full.has(version)) {
      this.#failures.push(this.#failures.at(-1)!);
      return;
    }
    if (isFreed) selector.release(previous);
    const group = this.#groupOf(intent);
    const choice = this.#choose(intent, group);
    if (choice.ok) {
      selector.take(choice.node, group.name, choice.holding);
      this.#placed.push({ intent, placed: { allocation: this.#allocation(intent, choice), metrics: choice.metrics } });
      return;
    }
    this.#failures.push(choice.metrics);
    if (!isAlone) this.#full.add(version);
    if (isFreed && !intent.endsAnyway) this.#giveBack(previous);
  }

  /** What finds nothing in its place stays where it is. */
  #giveBack({ node, group, holding }: Allocation): void {
    const known = this.#context.snapshot.nodes.get(node);
    if (known) this.#context.selector.take(known, group, holding);
  }

  #choose(intent: Intent, group: TaskGroup): Choice {
    const job = this.#context.record?.versions.get(intent.version);
    invariant(job, `version ${intent.version} of the job is there`);
    const { version, node } = intent;
    return this.#context.selector.choose({ job, version, group, node, penalized: failedOn(intent) });
  }

  #groupOf({ version }: Intent): TaskGroup {
    const job = this.#context.record?.versions.get(version);
    const group = job?.groups.find(({ name }) => name === this.group);
    invariant(group, `version ${version} of the job has the group ${this.group}`);
    return group;
  }

  #allocation(intent: Intent, { node, holding }: Extract<Choice, { ok: true }>): Allocation {
    const { record, options, deployment } = this.#context;
    const { version, index, previous } = intent;
    const job = record!.versions.get(version)!;
    return {
      id: options.newAllocId(),
      ...{ namespace: job.namespace, job: job.id, version, group: this.group, index, node: node.id, holding },
      ...{ desired: "run", client: "pending", healthy: null, shouldMigrate: false },
      deployment: this.#membership(version, deployment, intent.kind === "canary"),
      ...{ created: options.now, started: null, finished: null, replacedBy: null },
      replaces: previous?.id ?? null,
      reschedules: this.#reschedulesOf(intent),
    };
  }

  #reschedulesOf(intent: Intent): readonly RescheduleEvent[] {
    const { kind, previous, delay } = intent;
    if (!previous || (kind !== "reschedule" && kind !== "lost" && kind !== "migrate")) return [];
    if (kind !== "reschedule") return previous.reschedules;
    const { now } = this.#context.options;
    const policy = this.#groupOf(intent).reschedule;
    return keptReschedules(policy, [
      ...previous.reschedules,
      { at: now, from: previous.id, node: previous.node, delay },
    ]);
  }

  /** An allocation as the current version has it, proving itself anew where a rollout watches. */
  #updated(allocation: Allocation): Allocation {
    const { record, deployment } = this.#context;
    const version = record!.current;
    const membership = this.#membership(version, deployment, false);
    return { ...allocation, version, deployment: membership, healthy: membership ? null : allocation.healthy };
  }

  #membership(version: number, deployment: Deployment | undefined, canary: boolean): Allocation["deployment"] {
    const takesPart = deployment?.version === version && deployment.groups[this.group] !== undefined;
    return takesPart ? { id: deployment.id, canary } : null;
  }

  #stopFor({ previous }: Intent, description: string, replacedBy: AllocId): Stop {
    invariant(previous, "what replaces has something to replace");
    return stopOf(
      previous,
      description,
      isGone(this.#context.snapshot.nodes.get(previous.node)) && !hasEnded(previous),
      replacedBy,
    );
  }

  /** What has to leave a node that has no time left, and finds no other. */
  #overdue(): readonly Stop[] {
    const placed = new Set(this.#placed.map(({ intent }) => intent));
    return this.#tried.flatMap((intent) =>
      intent.kind === "migrate" && intent.endsAnyway && intent.previous && !placed.has(intent)
        ? [stopOf(intent.previous, descriptions.tainted, false, null)]
        : [],
    );
  }

  /** What is lost is written as lost, whether there is a new place for it or not. */
  #lost(): readonly Stop[] {
    const replacedBy = new Map(this.#placed.map(({ intent, placed }) => [intent, placed.allocation.id]));
    return this.#tried.flatMap((intent) =>
      intent.kind === "lost" && intent.previous
        ? [stopOf(intent.previous, descriptions.lost, true, replacedBy.get(intent) ?? null)]
        : [],
    );
  }
}

/** So many nodes to compare take as long as one thing more to write. */
const comparedForOne = 25;

function stopOf({ id, node }: Allocation, description: string, isLost: boolean, replacedBy: AllocId | null): Stop {
  return { allocation: id, node, description, isLost, replacedBy };
}

/** Where it failed already: the last choice. */
function failedOn({ kind, previous }: Intent): ReadonlySet<NodeId> {
  if (kind !== "reschedule" || !previous) return new Set();
  return new Set([previous.node, ...previous.reschedules.map(({ node }) => node)]);
}

/** One account of all that found no node: the first's with the number of the others, or of all nodes that had one each to run. */
function summaryOf(failures: readonly PlacementMetrics[], { intents }: GroupPlan): GroupPlacement["failed"] {
  const [first] = failures;
  if (!first) return null;
  if (intents.some(({ node }) => node !== null)) return { count: failures.length, metrics: summed(failures) };
  return { count: failures.length, metrics: { ...first, coalescedFailures: failures.length - 1 } };
}

function desiredOf({ intents, stop, inPlace, ignore }: GroupPlan): GroupPlacement["desired"] {
  const count = (...kinds: Intent["kind"][]) => intents.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    Ignore: ignore.length,
    Place: count("place", "lost", "reschedule"),
    Migrate: count("migrate"),
    Stop: stop.length + count("lost", "reschedule"),
    InPlaceUpdate: inPlace.length,
    DestructiveUpdate: count("destructive"),
    Canary: count("canary"),
  };
}
