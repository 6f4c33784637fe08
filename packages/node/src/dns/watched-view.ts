import type { Answer } from "@millwright/clients/consul-api";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Found, Lookup } from "./catalog.ts";
import { dnsErrors } from "./errors.ts";

export interface ViewSettings<T> {
  /** One blocking read: index 0 answers at once. */
  readonly read: (position: {
    readonly index: number;
    readonly wait: number;
    readonly signal: AbortSignal;
  }) => Promise<Answer<T>>;
  /** For the log: `service web`. */
  readonly what: string;
  /** How long the first question waits for the servers. */
  readonly firstMilliseconds: number;
  /** How long a value is given on while the servers do not answer. */
  readonly maxStaleMilliseconds: number;
  /** The time between two reads at least. */
  readonly pauseMilliseconds: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * One value of the servers, kept fresh by blocking reads from its construction until `close`. A value once known is
 * given on while the servers do not answer, up to `maxStaleMilliseconds`.
 */
export class WatchedView<T> {
  readonly #settings: ViewSettings<T>;
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;
  #state: ViewState<T>;

  constructor(settings: ViewSettings<T>) {
    this.#settings = settings;
    const first = Promise.withResolvers<Found<T>>();
    // Who asked may have gone; whoever still waits sees the rejection itself.
    first.promise.catch(() => undefined);
    this.#state = { kind: "first", first };
    this.#loop = this.#run();
    void this.#giveUpFirst(first);
  }

  /** The value where there is one; rejects with an operational error where the servers do not answer. */
  get(): Lookup<T> {
    const state = this.#state;
    switch (state.kind) {
      case "known":
        return this.#isTooOld(state) ? Promise.reject(state.failure!.error) : state.found;
      case "first":
        return state.first.promise;
      case "failing":
        return Promise.reject(state.error);
    }
  }

  /** Undefined where there is none yet. */
  get current(): Found<T> | undefined {
    return this.#state.kind === "known" ? this.#state.found : undefined;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    const { read, clock, chance, pauseMilliseconds } = this.#settings;
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      let pause = pauseMilliseconds;
      try {
        const answer = await read({ index, wait: waitMilliseconds, signal });
        failures = 0;
        if (answer.index !== index || index === 0) this.#learn(answer.value);
        // A server that gives no index does not wait either.
        if (answer.index < 1) pause = Math.max(pause, withoutIndexMilliseconds);
        // An index that went back is of another history: begin anew.
        index = answer.index < index ? 0 : answer.index;
      } catch (error) {
        if (signal.aborted) break;
        // A connection that was kept open may be gone: the first question deserves a second attempt.
        if (this.#state.kind !== "first" || failures > 0) this.#fail(error);
        // The servers may be others now, with an index of their own: begin anew.
        index = 0;
        pause = Math.min(100 * 2 ** failures++, longestPauseMilliseconds) * (0.5 + chance.fraction() / 2);
      }
      await clock.sleep(pause, signal).catch(() => undefined);
    }
    this.#fail(new OperationalError(dnsErrors.noAnswer, "The DNS front is closing."));
  }

  #learn(value: T): void {
    const found = { value };
    if (this.#state.kind === "first") this.#state.first.resolve(found);
    this.#state = { kind: "known", found };
  }

  #fail(error: unknown): void {
    const { clock, log, what } = this.#settings;
    const state = this.#state;
    if (state.kind === "known") {
      if (state.failure) return;
      this.#state = { ...state, failure: { error, since: clock.monotonic() } };
    } else {
      if (state.kind === "first") state.first.reject(error);
      this.#state = { kind: "failing", error };
    }
    if (this.#ended.signal.aborted || state.kind === "failing") return;
    const level = error instanceof OperationalError ? "debug" : "error";
    log.write(level, "dns: the servers do not answer", { what, error: messageOf(error) });
  }

  async #giveUpFirst(first: PromiseWithResolvers<Found<T>>): Promise<void> {
    const { clock, firstMilliseconds, what } = this.#settings;
    const answered = new AbortController();
    first.promise.then(
      () => answered.abort(),
      () => answered.abort(),
    );
    const late = await clock.sleep(firstMilliseconds, answered.signal).then(
      () => true,
      () => false,
    );
    if (!late) return;
    const text = `No server has answered for ${what} within ${firstMilliseconds / 1000} s. Check the servers and the network between.`;
    this.#fail(new OperationalError(dnsErrors.noAnswer, text));
  }

  #isTooOld({ failure }: ViewState<T> & { readonly kind: "known" }): boolean {
    const { clock, maxStaleMilliseconds } = this.#settings;
    return failure !== undefined && clock.monotonic() - failure.since > maxStaleMilliseconds;
  }
}

type ViewState<T> =
  /** The first read is under way. */
  | { readonly kind: "first"; readonly first: PromiseWithResolvers<Found<T>> }
  | { readonly kind: "failing"; readonly error: unknown }
  /** `failure` while the servers do not answer. */
  | {
      readonly kind: "known";
      readonly found: Found<T>;
      readonly failure?: { readonly error: unknown; readonly since: number };
    };

const waitMilliseconds = 300_000;
const withoutIndexMilliseconds = 5_000;
const longestPauseMilliseconds = 2_000;
