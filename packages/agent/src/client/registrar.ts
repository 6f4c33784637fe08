import { isDeepStrictEqual } from "node:util";
import type { NodeRegistration, Registered } from "@millwright/clients/nomad-node-protocol";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Orchestrator } from "./orchestrator.ts";
import { Pause } from "./pause.ts";

export interface RegistrarOptions {
  readonly orchestrator: Pick<Orchestrator, "register">;
  /** What the node says of itself now. */
  readonly describe: () => NodeRegistration;
  /** The node's own token: another one is another membership, with which it registers anew. */
  readonly token: () => string;
  /** Called each time the servers have taken the node in. */
  readonly onRegistered: (registered: Registered) => void;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** How a node stands with the servers of jobs. */
export type RegistrarState =
  | { readonly kind: "unregistered"; readonly why: string }
  | { readonly kind: "registered"; readonly told: NodeRegistration; readonly token: string };

/** Keeps a node registered: at its start, when the servers do not know it any more, and when it has changed. */
export class Registrar {
  readonly #options: RegistrarOptions;
  #state: RegistrarState = { kind: "unregistered", why: "it has just started" };
  #wake = new AbortController();
  #settled = Promise.withResolvers<void>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  get state(): RegistrarState {
    return this.#state;
  }

  /** Resolves when the node is registered; at once where it is. Rejects at the abort. */
  async registered(signal: AbortSignal): Promise<void> {
    while (this.#state.kind !== "registered") {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const onAbort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      await Promise.race([this.#settled.promise, aborted.promise]).finally(() =>
        signal.removeEventListener("abort", onAbort),
      );
    }
  }

  /** The servers do not know the node (any more). */
  forgotten(why: string): void {
    if (this.#state.kind === "unregistered") return;
    this.#options.log.write("warn", "client: the servers do not know this node any more, it registers again", { why });
    this.#set({ kind: "unregistered", why });
    this.#wake.abort();
  }

  /** Registers anew where the node is not as it was told, or has another token. */
  compare(): void {
    const { describe, token } = this.#options;
    if (this.#state.kind !== "registered") return;
    if (this.#state.token === token() && isDeepStrictEqual(this.#state.told, describe())) return;
    this.#set({ kind: "unregistered", why: "it has changed" });
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const pause = new Pause(retry, this.#options);
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (this.#state.kind === "unregistered") {
        if (await this.#register(signal)) pause.reset();
        else await pause.wait(signal);
      } else await clock.sleep(idle, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
    }
  }

  async #register(signal: AbortSignal): Promise<boolean> {
    const { orchestrator, describe, token, onRegistered, log } = this.#options;
    const [told, shown] = [describe(), token()];
    try {
      const registered = await orchestrator.register(told, signal);
      log.write("info", "client: registered", { region: registered.Region, datacenter: told.Datacenter });
      this.#set({ kind: "registered", told, token: shown });
      onRegistered(registered);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof OperationalError)) throw error;
      const why = messageOf(error);
      const isNews = this.#state.kind !== "unregistered" || this.#state.why !== why;
      if (isNews) log.write("warn", "client: not registered", { why });
      this.#set({ kind: "unregistered", why });
      return false;
    }
  }

  #set(state: RegistrarState): void {
    const before = this.#state.kind;
    this.#state = state;
    if (state.kind === "registered") this.#settled.resolve();
    else if (before === "registered") this.#settled = Promise.withResolvers();
  }
}

const retry = { least: 500, most: 15_000 } as const;
const idle = 3_600_000;
