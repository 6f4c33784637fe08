import type { CheckDefinition, CheckStatus } from "./check-definition.ts";
import type { ServiceDefinition } from "./service-definition.ts";

/** The services and checks of this node, and what of them the catalog does not know yet. */
export interface NodeState {
  /** By id. */
  readonly services: ReadonlyMap<string, LocalService>;
  /** By id. */
  readonly checks: ReadonlyMap<string, LocalCheck>;
  /** What the catalog is to lose. */
  readonly removed: { readonly services: ReadonlySet<string>; readonly checks: ReadonlySet<string> };
}

export interface LocalService {
  readonly definition: ServiceDefinition;
  readonly origin: Origin;
  readonly sync: Sync;
}

export interface LocalCheck {
  readonly definition: CheckDefinition;
  readonly origin: Origin;
  readonly status: CheckStatus;
  readonly output: string;
  /** Milliseconds since 1970 since when it is critical without a break; undefined while it is not. */
  readonly criticalSince?: number;
  /** When its last result came, in milliseconds since 1970; of TTL checks alone, whose time runs from there. */
  readonly resultAt?: number;
  readonly sync: Sync;
}

/** Where a registration came from: one from the configuration is not kept, as the configuration gives it again. */
export interface Origin {
  readonly from: "api" | "configuration" | "task";
  /** With which the catalog is written, in place of the node's own; secret, empty for none. */
  readonly token: string;
}

export type Sync =
  | { readonly kind: "synced" }
  | { readonly kind: "changed" }
  /** Only its output has changed: to be sent at that time, in milliseconds since 1970. */
  | { readonly kind: "deferred"; readonly until: number };

export const emptyState: NodeState = {
  services: new Map(),
  checks: new Map(),
  removed: { services: new Set(), checks: new Set() },
};

/** The checks that are about a service. */
export function checksOfService(state: NodeState, serviceId: string): readonly LocalCheck[] {
  return [...state.checks.values()].filter(({ definition }) => definition.serviceId === serviceId);
}

/** A check's result for others: one from `worst` on down. */
export function worstStatus(statuses: Iterable<CheckStatus>): CheckStatus {
  let worst: CheckStatus = "passing";
  for (const status of statuses) {
    if (status === "critical") return "critical";
    if (status === "warning") worst = "warning";
  }
  return worst;
}
