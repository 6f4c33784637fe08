import type { Member, Membership, NodeIdentity } from "../src/membership.ts";

/** Members as a test says; a node's token is its id. */
export class FakeMembership implements Membership {
  readonly #members = new Map<string, Member>();
  #changed = Promise.withResolvers<void>();

  /** A node joins, comes back, or is not heard of any more. */
  set(id: string, isAlive: boolean): void {
    this.#members.set(id, { id, name: `name-of-${id}`, isAlive });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Many at once are alive. */
  setAll(ids: readonly string[]): void {
    for (const id of ids) this.#members.set(id, { id, name: `name-of-${id}`, isAlive: true });
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
      yield [...this.#members.values()];
      await Promise.race([changed, aborted.promise]);
    }
  }
}
