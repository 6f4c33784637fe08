import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Member, Membership } from "../membership.ts";
import type { Leader } from "./leading.ts";

/** Who is a member, as it was last heard; nobody is known before. */
export class Members {
  #alive: ReadonlyMap<string, boolean> | undefined;
  #changed = Promise.withResolvers<void>();

  /** Whether a node is alive; undefined for one that nobody has said anything of. */
  isAlive(node: string): boolean | undefined {
    return this.#alive?.get(node);
  }

  /** Whether anything was heard at all. */
  get isKnown(): boolean {
    return this.#alive !== undefined;
  }

  /** Resolves when something has changed, or at the abort. */
  changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    return Promise.race([this.#changed.promise, promise]);
  }

  set(members: readonly Member[]): void {
    this.#alive = new Map(members.map(({ id, isAlive }) => [id, isAlive]));
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

const pause = 500;

/** Keeps `members` as discovery has them. While nobody can tell, they stay as they were. */
export async function followMembers(
  { context, term }: Leader,
  membership: Membership,
  members: Members,
): Promise<void> {
  const { clock, log } = context;
  while (!term.signal.aborted) {
    try {
      for await (const all of membership.follow(term.signal)) members.set(all);
    } catch (error) {
      if (term.signal.aborted) return;
      if (!(error instanceof OperationalError)) throw error;
      log.write("warn", "orchestrator: cannot ask which nodes are alive", { error: messageOf(error) });
    }
    await clock.sleep(pause, term.signal).catch(() => undefined);
  }
}
