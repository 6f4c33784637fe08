import { emptyState, type NodeState } from "./node-state.ts";
import { type NodeEvent, step } from "./node-step.ts";

/** Told of each change of the state, after it. */
export type RegistryListener = (state: NodeState, before: NodeState) => void;

/** Holds the state of a node: feeds it events, one after another, and tells of each change. */
export class Registry {
  #state: NodeState = emptyState;
  readonly #listeners = new Set<RegistryListener>();
  readonly #queue: NodeEvent[] = [];
  #isFeeding = false;

  get state(): NodeState {
    return this.#state;
  }

  /** A listener may dispatch too: its event is fed when all have been told of the one before. */
  dispatch(event: NodeEvent): void {
    this.#queue.push(event);
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const before = this.#state;
        this.#state = step(before, next);
        if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state, before);
      }
    } finally {
      this.#isFeeding = false;
    }
  }

  /** Gives a function that ends the listening. */
  listen(listener: RegistryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
