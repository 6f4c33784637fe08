import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Moment } from "@millwright/scheduler/time";
import type { Member, Membership } from "../membership.ts";
import type { Leader } from "./leading.ts";

/** Who is a member, as it was last heard; nobody is known before. */
export class Members {
  readonly #clock: Clock;
  /** Of each member, null where it is alive, or since when it is known not to be. */
  #members: ReadonlyMap<string, Moment | null> | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null for a node that is alive, else since when it is known not to be; undefined for one that nobody has said anything of. */
  deadSince(node: string): Moment | null | undefined {
    return this.#members?.get(node);
  }

  /** Whether anything was heard at all. */
  get isKnown(): boolean {
    return this.#members !== undefined;
  }

  /** Resolves when something has changed, or at the abort. */
  changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    return Promise.race([this.#changed.promise, promise]);
  }

  set(members: readonly Member[]): void {
    const now = this.#clock.now();
    this.#members = new Map(members.map(({ id, isAlive }) => [id, isAlive ? null : (this.#members?.get(id) ?? now)]));
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
