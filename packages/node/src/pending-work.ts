import type { LocalCheck, LocalService, NodeState } from "./node-state.ts";

/** What the catalog is to be told now, in the order of the fields: nothing may name what the catalog does not have yet. */
export interface PendingWork {
  readonly removedServices: readonly string[];
  readonly removedChecks: readonly string[];
  /** Each with those of its checks that have the same token. */
  readonly services: readonly { readonly service: LocalService; readonly checks: readonly LocalCheck[] }[];
  /** Other checks, in groups that one request takes: of one token, and not too many. */
  readonly checkGroups: readonly (readonly LocalCheck[])[];
  /** When the first of those that wait is due, in milliseconds since 1970. */
  readonly nextAt?: number;
}

const mostChecks = 100;

export function pendingWork(state: NodeState, now: number): PendingWork {
  const due = [...state.checks.values()].filter((check) => isDue(check, now));
  const services = [...state.services.values()]
    .filter(({ sync }) => sync.kind === "changed")
    .map((service) => ({ service, checks: due.filter((check) => belongsTo(check, service)).slice(0, mostChecks) }));
  const withService = new Set(services.flatMap(({ checks }) => checks));
  const others = due.filter((check) => !withService.has(check));
  const waiting = [...state.checks.values()].flatMap(({ sync }) =>
    sync.kind === "deferred" && sync.until > now ? [sync.until] : [],
  );
  return {
    removedServices: [...state.removed.services],
    removedChecks: [...state.removed.checks],
    services,
    checkGroups: [...Map.groupBy(others, ({ origin }) => origin.token).values()].flatMap(inParts),
    ...(waiting.length > 0 ? { nextAt: waiting.reduce((a, b) => Math.min(a, b)) } : {}),
  };
}

function isDue({ sync }: LocalCheck, now: number): boolean {
  return sync.kind === "changed" || (sync.kind === "deferred" && sync.until <= now);
}

function belongsTo(check: LocalCheck, service: LocalService): boolean {
  return check.definition.serviceId === service.definition.id && check.origin.token === service.origin.token;
}

function inParts(checks: readonly LocalCheck[]): (readonly LocalCheck[])[] {
  const parts: (readonly LocalCheck[])[] = [];
  for (let i = 0; i < checks.length; i += mostChecks) parts.push(checks.slice(i, i + mostChecks));
  return parts;
}
