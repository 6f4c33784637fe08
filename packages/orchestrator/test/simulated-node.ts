import type { AllocationUpdate, ClientStatus } from "@millwright/clients/nomad-node-protocol";
import { hasEnded } from "@millwright/scheduler/allocation";
import { type AllocId, type NodeId, nodeId } from "@millwright/scheduler/ids";
import { topicOf } from "@millwright/records/table";
import type { Commands } from "../src/commands.ts";
import type { OrchestratorContext } from "../src/context.ts";
import { lists } from "../src/keys.ts";
import type { AllocationView } from "../src/world.ts";

/** What becomes of an allocation that is started: it comes up well, never does, ends badly, ends well, or hangs. */
export type Outcome = "well" | "unhealthy" | "fails" | "completes" | "hangs";

export interface SimulatedNodeOptions {
  readonly context: OrchestratorContext;
  readonly commands: Pick<Commands, "updateAllocations">;
  readonly id: string;
  /** By default all come up well. */
  readonly outcome?: (view: AllocationView) => Outcome;
  /** Called with each allocation as its tasks begin and as they end. */
  readonly onRun?: (event: "start" | "end", view: AllocationView) => void;
}

/**
 * A node without tasks: it takes its allocations from the state as the agent would by long poll, and says of them what an agent
 * says. What it has started it remembers, and starts nothing twice.
 */
export class SimulatedNode {
  readonly id: NodeId;
  readonly #options: SimulatedNodeOptions;
  readonly #running = new Map<AllocId, AllocationView>();
  readonly #ended = new Set<AllocId>();
  #work: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: SimulatedNodeOptions) {
    this.id = nodeId(options.id);
    this.#options = options;
  }

  /** Allocations whose tasks run. */
  get running(): readonly AllocationView[] {
    return [...this.#running.values()];
  }

  /** Hears of its allocations, from now on until it is cut off. */
  start(): void {
    if (this.#work && !this.#work.stop.signal.aborted) return;
    const stop = new AbortController();
    this.#work = { stop, done: this.#follow(stop.signal) };
  }

  /** As if its network were cut: it hears and says nothing; its tasks run on. */
  async cut(): Promise<void> {
    this.#work?.stop.abort();
    await this.#work?.done;
  }

  /** As if its power were cut: its tasks are gone. Started again, it begins anew what is still to run there. */
  async crash(): Promise<void> {
    await this.cut();
    for (const view of this.#running.values()) this.#options.onRun?.("end", view);
    this.#running.clear();
  }

  /** A task that runs ends by itself. */
  async fail(id: AllocId): Promise<void> {
    await this.#end(id, "failed");
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { projection } = this.#options.context;
    while (!signal.aborted && !projection.closed) {
      const topics = [topicOf("alloc", lists.onNode(this.id))];
      const changed = projection.changed({ kind: "topics", topics }, signal);
      await this.#reconcile();
      await changed;
    }
  }

  async #reconcile(): Promise<void> {
    const { projection } = this.#options.context;
    const updates = projection.state.derived.allocationsOnNode(this.id).flatMap((view) => this.#step(view));
    if (updates.length > 0) await this.#options.commands.updateAllocations(this.id, updates);
  }

  #step(view: AllocationView): readonly AllocationUpdate[] {
    const { alloc, allocation } = view;
    const { id } = allocation;
    if (this.#ended.has(id)) return [];
    if (allocation.desired !== "run") {
      if (!this.#running.has(id) && hasEnded(allocation)) return [];
      return [this.#finish(view, "complete")];
    }
    // What its servers gave up is not taken up again.
    const known = this.#running.get(id);
    if (known && known.allocation.deployment?.id !== allocation.deployment?.id) {
      this.#running.set(id, view);
      return [update(id, "running", this.#options.outcome?.(view) !== "unhealthy")];
    }
    if (known || alloc.waitsFor !== null || hasEnded(allocation)) return [];
    this.#running.set(id, view);
    this.#options.onRun?.("start", view);
    switch (this.#options.outcome?.(view) ?? "well") {
      case "well":
        return [update(id, "running", true)];
      case "unhealthy":
        return [update(id, "running", false)];
      case "hangs":
        return [update(id, "running", null)];
      case "fails":
        return [this.#finish(view, "failed")];
      case "completes":
        return [this.#finish(view, "complete")];
    }
  }

  async #end(id: AllocId, status: ClientStatus): Promise<void> {
    const view = this.#running.get(id);
    if (view) await this.#options.commands.updateAllocations(this.id, [this.#finish(view, status)]);
  }

  #finish(view: AllocationView, status: ClientStatus): AllocationUpdate {
    const { id } = view.allocation;
    if (this.#running.delete(id)) this.#options.onRun?.("end", view);
    this.#ended.add(id);
    return update(id, status, null);
  }
}

function update(id: AllocId, status: ClientStatus, healthy: boolean | null): AllocationUpdate {
  const why = healthy === false ? "its check never passed" : "";
  const health = healthy === null ? null : { Healthy: healthy, At: Date.now(), Why: why };
  return { ID: id, ClientStatus: status, ClientDescription: "", TaskStates: {}, Health: health };
}
