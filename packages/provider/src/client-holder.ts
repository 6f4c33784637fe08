import type { OperationalError } from "@millwright/core/errors";
import { invariant } from "@millwright/core/errors";
import type { ProviderDefinition } from "./define.ts";
import type { Fields } from "./fields.ts";
import type { DeferrableCall, ProviderDiagnostics } from "./protocol.ts";
import type { Run } from "./serve-resource.ts";

/** A provider's client over its life: none until configured, none while its configuration is not known. */
type Client<C> =
  | { readonly state: "unconfigured" }
  | { readonly state: "waiting" }
  | { readonly state: "ready"; readonly client: C };

/** Holds the client of one provider instance, and the signal that ends its calls. */
export class ClientHolder<F extends Fields, C> {
  readonly #definition: ProviderDefinition<F, C>;
  #client: Client<C> = { state: "unconfigured" };
  #stopping = new AbortController();

  constructor(definition: ProviderDefinition<F, C>) {
    this.#definition = definition;
  }

  /** What a call may run with that does without a client where there is none. */
  get run(): Run<C | undefined> {
    const client = this.#client.state === "ready" ? this.#client.client : undefined;
    const explain = (error: OperationalError) => this.#definition.explain?.(error, client);
    return { client, signal: this.#stopping.signal, explain };
  }

  /** Runs `work` with the client, or answers with the reason why there is none. */
  async with<T>(work: (run: Run<C>) => Promise<T>, otherwise: (diagnostics: ProviderDiagnostics) => T): Promise<T> {
    const { name } = this.#definition;
    const client = this.#client;
    invariant(client.state !== "unconfigured", `provider ${name} is configured before it is used`);
    if (client.state === "ready") return work({ ...this.run, client: client.client });
    const detail =
      "Its configuration depends on values that are known only after apply. Apply what they come from first (with -target), then this.";
    return otherwise([{ severity: "error", summary: `Provider ${name} is not configured yet`, detail }]);
  }

  /** Whether a call is put off, since there is no client before more of the configuration is known. */
  putsOff({ deferralAllowed }: DeferrableCall): boolean {
    return this.#client.state === "waiting" && deferralAllowed === true;
  }

  ready(client: C): void {
    this.#client = { state: "ready", client };
  }

  /** Until the configuration is known there is no client. */
  wait(): void {
    this.#client = { state: "waiting" };
  }

  /** Ends the calls that run. Those that begin after it (closing what is open) are not told to end at once. */
  stop(): void {
    this.#stopping.abort(new DOMException("the provider was asked to stop", "AbortError"));
    this.#stopping = new AbortController();
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = { state: "unconfigured" };
    if (client.state === "ready") await this.#definition.close?.(client.client);
  }
}
