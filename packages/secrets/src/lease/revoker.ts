import { setImmediate } from "node:timers/promises";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { HeldLease, TokenId } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage } from "../storage.ts";
import { FairQueue } from "./fair-queue.ts";
import type { LeaseIndex } from "./lease-index.ts";
import type { LeaseRecord } from "./lease-record.ts";
import { deleteLease, putLease, readLease } from "./lease-record.ts";
import type { Mounts } from "./leases.ts";

/** After so many failures a lease is said to be irrevocable. It is tried on, at the longest pause. */
const attemptsBeforeIrrevocable = 6;
const firstPause = 10_000;
const longestPause = 5 * 60_000;
/** An engine that has not answered for so long has failed: another attempt may find it better. */
const attemptMilliseconds = 60_000;

export interface RevokerOptions {
  readonly storage: SecretStorage;
  readonly mounts: Mounts;
  readonly index: LeaseIndex;
  /** Ends a token with all that hangs on it. */
  endToken(token: TokenId): Promise<void>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Takes back what leases stand for. The end of a lease is written before it is carried out: from then on nobody renews it, and
 * it is tried, here or by the server that watches the deadlines, until it is done.
 */
export class Revoker {
  readonly #options: RevokerOptions;
  readonly #queue: FairQueue<Outcome>;
  readonly #making = new Map<string, Promise<unknown>>();

  constructor(options: RevokerOptions) {
    this.#options = options;
    this.#queue = new FairQueue({ perGroup: 16, total: 256, work: (id) => this.#attempt(id) });
  }

  /** How many wait for their turn, or are being taken back. */
  get busy(): number {
    return this.#queue.size;
  }

  /** Resolves once nothing is being taken back. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Makes what a lease stands for: nobody takes it back before it is there, which would be in vain. */
  async whileMaking<T>(id: string, make: () => Promise<T>): Promise<T> {
    const making = make();
    this.#making.set(id, making);
    try {
      return await making;
    } finally {
      this.#making.delete(id);
    }
  }

  /** Ends a lease whose time has come. */
  expire(id: string): void {
    void this.#queue.add(this.#groupOf(id), id, "last");
  }

  /**
   * Ends a lease now, whatever time it has left, and resolves to how the first attempt went. Of one that there is not, nothing
   * happens.
   */
  async end(id: string): Promise<Outcome> {
    while (await this.beginEnd(id)) {
      const outcome = await this.#queue.add(this.#groupOf(id), id, "urgent");
      // An attempt that was under way had looked before the end was written.
      if (outcome.kind !== "renewed") return outcome;
    }
    return { kind: "gone" };
  }

  /** Ends a lease now, also where taking back what it stands for fails. */
  async force(id: string): Promise<void> {
    const outcome = await this.end(id);
    if (outcome.kind === "gone") return;
    const found = await readLease(this.#options.storage, id);
    if (found) await this.#options.storage.commit(deleteLease(found.lease));
  }

  #groupOf(id: string): string {
    // Tokens take time for what hangs on them, so they are a group of their own, as each mount is.
    return this.#options.mounts.at(id)?.mount.path ?? id.slice(0, id.indexOf("/"));
  }

  /** Writes that a lease ends, from when on it is tried until it is done; false where there is none. */
  async beginEnd(id: string): Promise<boolean> {
    const { storage, clock } = this.#options;
    for (;;) {
      const found = await readLease(storage, id);
      if (!found) return false;
      if (found.lease.ending !== undefined) return true;
      const change = putLease({ ...found.lease, ending: clock.now() });
      if (await storage.commit([change], [{ path: change.path, revision: found.revision }])) return true;
    }
  }

  /** One turn in the queue. Never rejects: what went wrong is tried again later. */
  async #attempt(id: string): Promise<Outcome> {
    const { signal, index } = this.#options;
    // However many come due at once, whoever else wants a turn gets one between two of them.
    await setImmediate();
    let outcome: Outcome;
    try {
      outcome = signal.aborted ? abandoned : await this.#takeBack(id);
    } catch (error) {
      outcome = { kind: "failed", message: messageOf(error) };
    }
    if (outcome.kind === "failed" && !signal.aborted) await this.#tryLater(id, outcome.message);
    if (outcome.kind === "renewed") index.refresh(id);
    return outcome;
  }

  async #takeBack(id: string): Promise<Outcome> {
    const { storage, clock } = this.#options;
    const found = await readLease(storage, id);
    if (!found) return { kind: "gone" };
    // It was renewed since it came due, or the clock was set back.
    if (found.lease.ending === undefined && found.lease.expires > clock.now()) return { kind: "renewed" };
    if (!(await this.beginEnd(id))) return { kind: "gone" };
    await this.#inTime(this.#giveBack(found.lease));
    await storage.commit(deleteLease(found.lease));
    return { kind: "gone" };
  }

  async #giveBack(lease: LeaseRecord): Promise<void> {
    const { mounts, endToken } = this.#options;
    if (lease.holder.kind === "token") return endToken(lease.holder.token);
    const mounted = mounts.at(lease.path);
    if (!mounted) {
      throw new OperationalError(
        secretsErrors.revocationFailed,
        `nothing is mounted at ${lease.path} that could take it back`,
      );
    }
    await this.#making.get(lease.id)?.catch(() => undefined);
    await mounted.engine.revokeLease?.(heldLease(lease));
  }

  async #inTime(work: Promise<void>): Promise<void> {
    const { clock, signal } = this.#options;
    const done = new AbortController();
    const late = clock.sleep(attemptMilliseconds, AbortSignal.any([signal, done.signal])).then(
      () => `it was not done within ${attemptMilliseconds / 1000} s`,
      () => "the server is closing",
    );
    const failed = late.then((why) => {
      throw new OperationalError(secretsErrors.revocationFailed, why);
    });
    try {
      await Promise.race([work, failed]);
    } finally {
      done.abort();
      await failed.catch(() => undefined);
    }
  }

  async #tryLater(id: string, message: string): Promise<void> {
    const { index, storage, clock, chance, log } = this.#options;
    const attempts = index.attempts(id);
    const pause = Math.min(firstPause * 2 ** attempts, longestPause) * (0.5 + chance.fraction());
    index.postpone(id, clock.now() + pause);
    log.write("warn", "leases: a lease could not be revoked, and is tried again", {
      lease: id,
      attempts: attempts + 1,
      seconds: Math.round(pause / 1000),
      error: message,
    });
    if (attempts + 1 < attemptsBeforeIrrevocable) return;
    try {
      const found = await readLease(storage, id);
      if (!found || found.lease.irrevocable !== undefined) return;
      const change = putLease({ ...found.lease, irrevocable: message });
      await storage.commit([change], [{ path: change.path, revision: found.revision }]);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      log.write("warn", "leases: it could not be written that a lease is irrevocable", { error: messageOf(error) });
    }
  }
}

export type Outcome =
  /** There is no such lease, or no more. */
  { readonly kind: "gone" } | { readonly kind: "renewed" } | { readonly kind: "failed"; readonly message: string };

const abandoned: Outcome = { kind: "failed", message: "the server is closing" };

/** What the engine that made it gets to see of a lease. */
export function heldLease({ id, path, holder }: LeaseRecord): HeldLease {
  return { id, path, internal: holder.kind === "engine" ? holder.internal : undefined };
}
