import { OperationalError } from "@millwright/core/errors";
import { storeErrors } from "@millwright/store/contract";
import type { Member, Membership, NodeIdentity } from "../src/membership.ts";

/** Members as a test says; a node's token is its id. */
export class FakeMembership implements Membership {
  readonly #members = new Map<string, Member>();
  #isAway = false;
  #first: readonly Member[] | undefined;
  #changed = Promise.withResolvers<void>();

  /** A node joins, comes back, or is not heard of any more. */
  set(id: string, isAlive: boolean): void {
    this.#members.set(id, { id, name: `name-of-${id}`, isAlive });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Many at once are alive, or not. */
  setAll(ids: readonly string[], isAlive = true): void {
    for (const id of ids) this.#members.set(id, { id, name: `name-of-${id}`, isAlive });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Whoever follows is cut off and refused, until it is there again. Those who follow from then on begin with `first`. */
  setAway(isAway: boolean, first: readonly Member[] | undefined = undefined): void {
    this.#isAway = isAway;
    this.#first = first;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async identify(token: string): Promise<NodeIdentity | undefined> {
    return this.#members.get(token);
  }

  async *follow(signal: AbortSignal): AsyncIterable<readonly Member[]> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      if (this.#isAway) throw new OperationalError(storeErrors.unavailable, "nobody answers");
      if (this.#first) yield this.#first;
      this.#first = undefined;
      yield [...this.#members.values()];
      await Promise.race([changed, aborted.promise]);
    }
  }
}
