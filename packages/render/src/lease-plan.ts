import type { VaultSecret } from "@millwright/clients/vault";

/** What to do with a secret next, and in how many milliseconds. */
export type LeasePlan =
  /** Ask for `seconds` more; its lease ends at `endsAfter`. */
  | { readonly kind: "renew"; readonly after: number; readonly endsAfter: number; readonly seconds: number }
  /** Read it anew. */
  | { readonly kind: "replace"; readonly after: number };

export interface LeaseSettings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** In [0, 1): spreads out what many programs would do at one moment. */
  readonly fraction: number;
  /** How long a secret without a duration counts as fresh. */
  readonly defaultMilliseconds: number;
  /** The part of its duration that a secret is used for which cannot be renewed. */
  readonly threshold: number;
  /** Whether it is a value that somebody keeps there (`kv`), and not one made for the reader. */
  readonly isStored: boolean;
}

/**
 * Renewable: renewed when two thirds of its duration are over. Else read anew: when it is due by what it says of itself (a
 * certificate's end, a rotation), or near the end of its duration; a stored value, which may change at any time, at least
 * each `defaultMilliseconds`.
 */
export function planLease(secret: VaultSecret, settings: LeaseSettings): LeasePlan {
  const { defaultMilliseconds, isStored } = settings;
  const seconds = secret.auth && secret.auth.leaseDuration > 0 ? secret.auth.leaseDuration : secret.leaseDuration;
  if (secret.renewable && secret.leaseId !== "" && seconds > 0) return renewal(seconds);
  if (secret.leaseId === "") {
    const due = dueByItself(secret, settings);
    if (due !== undefined) return { kind: "replace", after: due };
    if (isStored) {
      const own = seconds > 0 ? nearEnd(seconds * 1000, settings) : defaultMilliseconds;
      return { kind: "replace", after: Math.min(own, defaultMilliseconds) };
    }
  }
  return { kind: "replace", after: nearEnd(seconds > 0 ? seconds * 1000 : defaultMilliseconds, settings) };
}

/**
 * What follows from the answer to a renewal that asked for `asked` seconds. Less than that says that the lease comes to
 * its maximum: what is left is used to two thirds, so that the old secret still holds while the new one is taken up.
 */
export function planAfterRenewal(
  asked: number,
  given: { readonly leaseDuration: number; readonly renewable: boolean },
): LeasePlan {
  if (given.renewable && given.leaseDuration >= asked) return renewal(given.leaseDuration, asked);
  return { kind: "replace", after: Math.max(0, (given.leaseDuration * 1000 * 2) / 3) };
}

function renewal(duration: number, seconds = duration): LeasePlan {
  return { kind: "renew", after: (duration * 1000 * 2) / 3, endsAfter: duration * 1000, seconds };
}

function dueByItself({ data = {} }: VaultSecret, settings: LeaseSettings): number | undefined {
  if ("certificate" in data && isNumber(data.expiration)) {
    return nearEnd(Number(data.expiration) * 1000 - settings.now, settings);
  }
  if ("secret_id" in data && isNumber(data.secret_id_ttl) && Number(data.secret_id_ttl) > 0) {
    return nearEnd(Number(data.secret_id_ttl) * 1000, settings);
  }
  // A moment later, so that the new value is there.
  if ("rotation_period" in data && isNumber(data.ttl)) return (Number(data.ttl) + 1) * 1000;
  return undefined;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** Within 5 % of the threshold to either side. */
function nearEnd(milliseconds: number, { threshold, fraction }: LeaseSettings): number {
  const part = threshold + (fraction - 0.5) * 0.1;
  return Math.max(1000, milliseconds * (part > 0 && part < 1 ? part : threshold));
}
