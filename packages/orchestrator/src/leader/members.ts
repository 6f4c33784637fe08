import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Moment } from "@millwright/scheduler/time";
import type { Member, Membership } from "../membership.ts";
import type { Leader } from "./leading.ts";

/** A node has to be gone for so long until it is certain: two joins of a node follow each other with a moment between. */
const lasting = 300;
/** So long where all are gone at once: more likely it is the one who tells, and there is nowhere to place their work anyway. */
const lastingOfAll = 5_000;
/** A member that is gone is remembered for so long: who has left for good is not heard of in any answer. */
const remembered = 3_600_000;

/** Who is a member, as it was last heard; nobody is known before. */
export class Members {
  readonly #clock: Clock;
  /** Of each member, null where it is alive, or since when it is known not to be, and from when on that is certain. */
  #members: ReadonlyMap<string, Absence | null> = new Map();
  #knownSince: Moment | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null for a node that is alive, else when it is certain that it is gone; undefined for one that nobody has said anything of. */
  goneAt(node: string): Moment | null | undefined {
    const absence = this.#members.get(node);
    return absence ? absence.certainAt : absence;
  }

  /** When anything was heard at first. */
  get knownSince(): Moment | undefined {
    return this.#knownSince;
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
    this.#knownSince ??= now;
    const before = this.#members;
    const alive = new Set(members.filter(({ isAlive }) => isAlive).map(({ id }) => id));
    const others = new Set([...before.keys(), ...members.map(({ id }) => id)]).difference(alive);
    const areNews = [...others].filter((id) => !before.get(id)).length;
    const certainAt = now + (alive.size === 0 && areNews > 1 ? lastingOfAll : lasting);
    const absences = [...others].map((id) => [id, before.get(id) ?? { since: now, certainAt }] as const);
    const kept = absences.filter(([, { since }]) => now - since < remembered);
    this.#members = new Map<string, Absence | null>([...[...alive].map((id) => [id, null] as const), ...kept]);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

interface Absence {
  readonly since: Moment;
  readonly certainAt: Moment;
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
