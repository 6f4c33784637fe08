import { invariant } from "@millwright/core/errors";
import type { LeaseId } from "./contract.ts";

interface Lease {
  readonly ttl: number;
  deadline: number;
  ending: boolean;
}

/** The liveness leases of an embedded store and when they end. Time is an argument, in monotonic milliseconds. */
export class Leases {
  readonly #leases = new Map<LeaseId, Lease>();

  grant(id: LeaseId, ttl: number, now: number): void {
    invariant(!this.#leases.has(id), "a lease id is given out once");
    this.#leases.set(id, { ttl, deadline: now + ttl * 1000, ending: false });
  }

  /** Whether keys may be attached: granted, and not about to end. */
  has(id: LeaseId): boolean {
    return this.#leases.get(id)?.ending === false;
  }

  /** Gives the ttl, or undefined where the lease has ended. */
  renew(id: LeaseId, now: number): number | undefined {
    const lease = this.#leases.get(id);
    if (!lease || lease.ending || lease.deadline <= now) return undefined;
    lease.deadline = now + lease.ttl * 1000;
    return lease.ttl;
  }

  get(id: LeaseId, now: number): { readonly ttl: number; readonly remaining: number } | undefined {
    const lease = this.#leases.get(id);
    if (!lease || lease.ending) return undefined;
    return { ttl: lease.ttl, remaining: Math.max(0, Math.ceil((lease.deadline - now) / 1000)) };
  }

  /** From now on nothing can be attached, and it cannot be renewed. False where it has ended. */
  beginEnd(id: LeaseId): boolean {
    const lease = this.#leases.get(id);
    if (!lease) return false;
    lease.ending = true;
    return true;
  }

  /** Forgets a lease whose keys are gone. */
  end(id: LeaseId): void {
    this.#leases.delete(id);
  }

  /** The leases whose time is over, those about to end included. */
  due(now: number): LeaseId[] {
    const due: LeaseId[] = [];
    for (const [id, lease] of this.#leases) if (lease.ending || lease.deadline <= now) due.push(id);
    return due;
  }
}
