import { nomadNodeErrors } from "@millwright/clients/nomad-node-client";
import type { NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Orchestrator } from "./orchestrator.ts";
import { Pause } from "./pause.ts";
import type { Registrar } from "./registrar.ts";

export interface FeedOptions {
  readonly nodeId: string;
  readonly orchestrator: Pick<Orchestrator, "allocations">;
  readonly registrar: Pick<Registrar, "registered" | "forgotten">;
  /** Takes each list; all that is to be on the node. */
  readonly take: (wanted: readonly NodeAllocation[]) => void;
  /** Milliseconds that a server may wait for news at the next read. */
  readonly wait: () => number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Hears from the servers what is to be on the node, as soon as that changes. While none answers, all stays as it was. */
export class Feed {
  readonly #options: FeedOptions;
  #index = 0;
  #lastHeard: number;
  #isCut = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#lastHeard = options.clock.monotonic();
  }

  /** When a server answered last, in the clock's monotonic time; the start before the first. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { registrar } = this.#options;
    const pause = new Pause(retry, this.#options);
    while (!signal.aborted) {
      await registrar.registered(signal).catch(() => undefined);
      if (signal.aborted) return;
      if (await this.#read(signal)) pause.reset();
      else await pause.wait(signal);
    }
  }

  async #read(signal: AbortSignal): Promise<boolean> {
    const { nodeId, orchestrator, registrar, take, clock, log } = this.#options;
    const position = { node: nodeId, index: this.#index, wait: this.#options.wait() };
    try {
      const { Allocations, index } = await orchestrator.allocations(position, signal);
      if (signal.aborted) return false;
      this.#lastHeard = clock.monotonic();
      if (this.#isCut) log.write("info", "client: allocations are read again");
      this.#isCut = false;
      const isNews = index !== this.#index || index === 0;
      // An index that goes back is that of other servers, or of ones that were restored.
      this.#index = index < this.#index ? 0 : index;
      if (isNews) take(Allocations);
      return index > 0;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof OperationalError)) throw error;
      if (isKind(error, nomadNodeErrors.notRegistered)) registrar.forgotten(messageOf(error));
      else if (!this.#isCut)
        log.write("warn", "client: allocations cannot be read, what runs goes on", { why: messageOf(error) });
      this.#isCut = true;
      return false;
    }
  }
}

const retry = { least: 200, most: 5_000 } as const;
