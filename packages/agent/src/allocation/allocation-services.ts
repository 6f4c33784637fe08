import { isDeepStrictEqual } from "node:util";
import { messageOf } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { type FailingSince, stepCheckRestart } from "./check-restart.ts";
import type { CheckState, ServicePort } from "./host.ts";
import type { RegisteredCheck, RegisteredService } from "./service-registrations.ts";

export interface AllocationServicesPorts {
  readonly services: ServicePort;
  /** When a task was started; undefined while it does not run. */
  readonly startedAt: (task: string) => number | undefined;
  /** Told of a check that has failed for too long. */
  readonly restart: (task: string, reason: string) => void;
  /** Told when a check's state has changed. */
  readonly changed: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** What an allocation has registered on its node, by who it belongs to: a task's name, or empty for the group. */
export class AllocationServices {
  readonly #ports: AllocationServicesPorts;
  readonly #wanted = new Map<string, readonly RegisteredService[]>();
  readonly #left = new Map<string, readonly RegisteredService[]>();
  readonly #states = new Map<string, CheckState>();
  readonly #failing = new Map<string, FailingSince>();
  readonly #control = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #unfollow: () => void = () => undefined;

  constructor(ports: AllocationServicesPorts) {
    this.#ports = ports;
  }

  /** What an agent before this one may have registered for the owner: it goes with the next {@link set} that does not have it. */
  adopt(owner: string, services: readonly RegisteredService[]): void {
    this.#left.set(owner, services);
  }

  /** Registers these in place of what the owner had before. Resolves when the node knows; the order of calls is kept. */
  set(owner: string, services: readonly RegisteredService[]): Promise<void> {
    const before = this.#wanted.get(owner) ?? [];
    const left = this.#left.get(owner) ?? [];
    if (left.length === 0 && isDeepStrictEqual(before, services)) return this.#work;
    this.#left.delete(owner);
    this.#wanted.set(owner, services);
    const stays = new Set(services.map(({ registration }) => registration.ID));
    const gone = [...before, ...left].filter(({ registration }) => !stays.has(registration.ID));
    const fresh = services.filter((service) => !before.some((one) => isDeepStrictEqual(one, service)));
    this.#work = this.#work.then(() => this.#change(gone, fresh));
    this.#follow();
    return this.#work;
  }

  /** Whether every check that counts passes; `missing` names one that does not. */
  get health(): { readonly isWell: boolean; readonly failing: string | undefined } {
    const required = [...this.#wanted.values()]
      .flat()
      .flatMap(({ checks }) => checks.filter((check) => check.isRequired));
    const failing = required.find(({ id }) => this.#states.get(id)?.status !== "passing");
    return { isWell: failing === undefined, failing: failing?.name };
  }

  /** Leaves everything registered: the tasks run on. */
  async close(): Promise<void> {
    this.#control.abort();
    this.#unfollow();
    await this.#work;
  }

  async #change(gone: readonly RegisteredService[], fresh: readonly RegisteredService[]): Promise<void> {
    const { services, log } = this.#ports;
    for (const { registration } of gone) {
      try {
        await services.deregister(registration.ID);
      } catch (error) {
        log.write("error", `The service ${registration.ID} could not be deregistered: ${messageOf(error)}`);
      }
    }
    for (const { registration } of fresh) {
      try {
        await services.register(registration);
      } catch (error) {
        log.write("error", `The service ${registration.ID} could not be registered: ${messageOf(error)}`);
      }
    }
  }

  #follow(): void {
    this.#unfollow();
    const all = [...this.#wanted.values()].flat();
    const ids = all.map(({ registration }) => registration.ID);
    const known = new Set(all.flatMap(({ checks }) => checks.map(({ id }) => id)));
    for (const id of this.#states.keys()) if (!known.has(id)) this.#forget(id);
    if (ids.length === 0) {
      this.#unfollow = () => undefined;
      return;
    }
    this.#unfollow = this.#ports.services.follow(ids, (checks) => this.#hear(checks, known));
  }

  #forget(id: string): void {
    this.#states.delete(id);
    this.#failing.delete(id);
  }

  #hear(checks: readonly CheckState[], known: ReadonlySet<string>): void {
    if (this.#control.signal.aborted) return;
    for (const check of checks) if (known.has(check.checkId)) this.#states.set(check.checkId, check);
    for (const { checks: own } of [...this.#wanted.values()].flat()) for (const check of own) this.#look(check);
    this.#ports.changed();
  }

  #look(check: RegisteredCheck): void {
    const { clock, startedAt, restart } = this.#ports;
    const state = this.#states.get(check.id);
    const started = check.task === null ? undefined : startedAt(check.task);
    if (!state || check.restart === null || check.task === null || started === undefined) return;
    const rule = { restart: check.restart, interval: check.interval, startedAt: started };
    const seen = { status: state.status, at: clock.now() };
    const { since, restarts, lookAt } = stepCheckRestart(this.#failing.get(check.id), seen, rule);
    this.#failing.set(check.id, since);
    if (restarts) restart(check.task, `healthcheck: check ${JSON.stringify(check.name)} unhealthy`);
    else if (lookAt !== undefined) void this.#lookAt(check, lookAt);
  }

  async #lookAt(check: RegisteredCheck, at: number): Promise<void> {
    const { clock } = this.#ports;
    try {
      await clock.sleep(Math.max(0, at - clock.now()), this.#control.signal);
    } catch {
      return;
    }
    this.#look(check);
  }
}
