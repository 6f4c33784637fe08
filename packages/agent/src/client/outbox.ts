import { nomadNodeErrors } from "@millwright/clients/nomad-node-client";
import type { AllocationUpdate } from "@millwright/clients/nomad-node-protocol";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Orchestrator } from "./orchestrator.ts";
import { Pause } from "./pause.ts";
import type { Registrar } from "./registrar.ts";

export interface OutboxOptions {
  readonly nodeId: string;
  readonly orchestrator: Pick<Orchestrator, "update">;
  readonly registrar: Pick<Registrar, "registered" | "forgotten">;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * What the servers are to hear of allocations: several at a time, the newest state of each, again and again until it has been
 * taken. While no server answers it waits, and grows no larger than one update an allocation.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, AllocationUpdate>();
  /** Whether the last try was in vain: each further one is no news. */
  #isStuck = false;
  #filled = Promise.withResolvers<void>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many have not been taken yet. */
  get size(): number {
    return this.#waiting.size;
  }

  put(update: AllocationUpdate): void {
    this.#waiting.set(update.ID, update);
    this.#filled.resolve();
  }

  /** Resolves when all has been taken, or at the abort. */
  async emptied(signal: AbortSignal): Promise<void> {
    while (this.#waiting.size > 0 && !signal.aborted)
      await this.#options.clock.sleep(look, signal).catch(() => undefined);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, registrar } = this.#options;
    const pause = new Pause(retry, this.#options);
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (!signal.aborted) {
      await Promise.race([this.#filled.promise, aborted]);
      // A task's start makes several changes, and many allocations start together.
      await clock.sleep(gather, signal).catch(() => undefined);
      await registrar.registered(signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#filled = Promise.withResolvers();
      if (await this.#send(signal)) pause.reset();
      else await pause.wait(signal);
      if (this.#waiting.size > 0) this.#filled.resolve();
    }
  }

  /** Sends what there is; false where it was not taken and is to be sent again. */
  async #send(signal: AbortSignal): Promise<boolean> {
    const batch = [...this.#waiting.values()].slice(0, mostTogether);
    const outcome = await this.#tell(batch, signal);
    if (outcome !== "refused") return outcome === "taken";
    if (batch.length === 1) return true;
    // One of them cannot be: the others are not to wait for it.
    for (const update of batch) if ((await this.#tell([update], signal)) === "failed") return false;
    return true;
  }

  async #tell(batch: readonly AllocationUpdate[], signal: AbortSignal): Promise<"taken" | "refused" | "failed"> {
    const { nodeId, orchestrator, registrar, log } = this.#options;
    try {
      await orchestrator.update({ NodeID: nodeId, Updates: batch }, signal);
    } catch (error) {
      if (signal.aborted) return "failed";
      if (!(error instanceof OperationalError)) throw error;
      if (isKind(error, nomadNodeErrors.notRegistered)) registrar.forgotten(messageOf(error));
      const mayBeTaken = error.kind.retryable || error.kind.status === 403 || error.kind.status === 404;
      if (!mayBeTaken || !this.#isStuck)
        log.write("warn", "client: updates were not taken", { why: messageOf(error), waiting: this.#waiting.size });
      this.#isStuck = mayBeTaken;
      if (mayBeTaken) return "failed";
      if (batch.length === 1) this.#drop(batch);
      return "refused";
    }
    this.#isStuck = false;
    this.#drop(batch);
    return "taken";
  }

  // What has changed meanwhile stays.
  #drop(batch: readonly AllocationUpdate[]): void {
    for (const update of batch) if (this.#waiting.get(update.ID) === update) this.#waiting.delete(update.ID);
  }
}

/** Milliseconds in which changes are gathered. */
const gather = 200;
/** Milliseconds between two looks whether all has been taken. */
const look = 20;
const mostTogether = 200;
const retry = { least: 500, most: 5_000 } as const;
