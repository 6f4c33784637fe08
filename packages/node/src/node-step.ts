import { isDeepStrictEqual } from "node:util";
import { assertNever } from "@millwright/core/errors";
import type { CheckDefinition, CheckStatus } from "./check-definition.ts";
import type { CatalogView } from "./catalog-view.ts";
import { compareWithCatalog } from "./compare-catalog.ts";
import type { LocalCheck, LocalService, NodeState, Origin } from "./node-state.ts";
import type { ServiceDefinition } from "./service-definition.ts";

export type NodeEvent =
  | {
      readonly kind: "service-registered";
      readonly service: ServiceDefinition;
      readonly checks: readonly CheckDefinition[];
      readonly origin: Origin;
      /** Remove the service's checks that are not among these. */
      readonly replaceChecks: boolean;
    }
  | { readonly kind: "service-deregistered"; readonly id: string }
  | { readonly kind: "check-registered"; readonly check: CheckDefinition; readonly origin: Origin }
  | { readonly kind: "check-deregistered"; readonly id: string }
  | {
      readonly kind: "check-result";
      readonly id: string;
      readonly status: CheckStatus;
      readonly output: string;
      /** Milliseconds since 1970. */
      readonly now: number;
      /** When to send it where only the output has changed. */
      readonly deferUntil: number;
    }
  /** The catalog has these now. Whatever has changed since stays to be sent. */
  | { readonly kind: "sent"; readonly services: readonly LocalService[]; readonly checks: readonly LocalCheck[] }
  | { readonly kind: "removed-sent"; readonly service?: string; readonly check?: string }
  /** The results of a check before this process began. */
  | {
      readonly kind: "result-restored";
      readonly id: string;
      readonly status: CheckStatus;
      readonly output: string;
      readonly criticalSince?: number;
      readonly resultAt?: number;
    }
  /** What the catalog has of this node. */
  | { readonly kind: "catalog-read"; readonly catalog: CatalogView };

/** The state after an event; the same object where nothing has changed. */
export function step(state: NodeState, event: NodeEvent): NodeState {
  switch (event.kind) {
    case "service-registered":
      return registerService(state, event);
    case "service-deregistered":
      return deregisterService(state, event.id);
    case "check-registered":
      return registerCheck(state, event.check, event.origin);
    case "check-deregistered":
      return deregisterCheck(state, event.id);
    case "check-result":
      return takeResult(state, event);
    case "result-restored":
      return restoreResult(state, event);
    case "sent":
      return markSent(state, event.services, event.checks);
    case "removed-sent":
      return markRemoved(state, event);
    case "catalog-read":
      return compareWithCatalog(state, event.catalog);
    default:
      return assertNever(event);
  }
}

function registerService(state: NodeState, event: NodeEvent & { readonly kind: "service-registered" }): NodeState {
  const { service, checks, origin, replaceChecks } = event;
  let next = state;
  // Registered again as it is, it stays as it is.
  if (!isDeepStrictEqual(pick(state.services.get(service.id)), { definition: service, origin })) {
    const services = new Map(state.services);
    services.set(service.id, { definition: service, origin, sync: { kind: "changed" } });
    next = { ...state, services, removed: { ...state.removed, services: without(state.removed.services, service.id) } };
  }
  for (const check of checks) next = registerCheck(next, check, origin);
  if (!replaceChecks) return next;
  const kept = new Set(checks.map(({ id }) => id));
  for (const [id, { definition }] of next.checks)
    if (definition.serviceId === service.id && definition.probe.kind !== "maintenance" && !kept.has(id))
      next = deregisterCheck(next, id);
  return next;
}

// Its checks go with it: the catalog removes them together.
function deregisterService(state: NodeState, id: string): NodeState {
  if (!state.services.has(id)) return state;
  const services = new Map(state.services);
  services.delete(id);
  const gone = [...state.checks]
    .filter(([, { definition }]) => definition.serviceId === id)
    .map(([checkId]) => checkId);
  const checks = new Map(state.checks);
  for (const checkId of gone) checks.delete(checkId);
  return { services, checks, removed: { ...state.removed, services: new Set([...state.removed.services, id]) } };
}

// A check that is registered again keeps its result: its next one decides.
function registerCheck(state: NodeState, definition: CheckDefinition, origin: Origin): NodeState {
  const known = state.checks.get(definition.id);
  if (isDeepStrictEqual(pick(known), { definition, origin })) return state;
  const checks = new Map(state.checks);
  const keeps = known !== undefined && known.definition.probe.kind === definition.probe.kind;
  checks.set(definition.id, {
    definition,
    origin,
    status: keeps ? known.status : definition.initialStatus,
    output: keeps ? known.output : "",
    ...(keeps && known.criticalSince !== undefined ? { criticalSince: known.criticalSince } : {}),
    ...(keeps && known.resultAt !== undefined ? { resultAt: known.resultAt } : {}),
    sync: { kind: "changed" },
  });
  return { ...state, checks, removed: { ...state.removed, checks: without(state.removed.checks, definition.id) } };
}

function deregisterCheck(state: NodeState, id: string): NodeState {
  if (!state.checks.has(id)) return state;
  const checks = new Map(state.checks);
  checks.delete(id);
  return { ...state, checks, removed: { ...state.removed, checks: new Set([...state.removed.checks, id]) } };
}

function takeResult(state: NodeState, event: NodeEvent & { readonly kind: "check-result" }): NodeState {
  const check = state.checks.get(event.id);
  if (!check) return state;
  const { status, output, now, deferUntil } = event;
  const isTtl = check.definition.probe.kind === "ttl";
  const isCounted = status !== "critical" || check.criticalSince !== undefined;
  if (check.status === status && check.output === output && isCounted && !isTtl) return state;
  const { criticalSince = now, resultAt: _before, ...rest } = check;
  const sync: LocalCheck["sync"] =
    check.status !== status
      ? { kind: "changed" }
      : check.sync.kind === "synced" && check.output !== output
        ? { kind: "deferred", until: deferUntil }
        : check.sync;
  const checks = new Map(state.checks);
  checks.set(event.id, {
    ...rest,
    status,
    output,
    sync,
    ...(status === "critical" ? { criticalSince } : {}),
    ...(isTtl ? { resultAt: now } : {}),
  });
  return { ...state, checks };
}

function restoreResult(state: NodeState, event: NodeEvent & { readonly kind: "result-restored" }): NodeState {
  const check = state.checks.get(event.id);
  if (!check) return state;
  const { kind: _kind, id, ...result } = event;
  return { ...state, checks: new Map(state.checks).set(id, { ...check, ...result }) };
}

function markSent(
  state: NodeState,
  sentServices: readonly LocalService[],
  sentChecks: readonly LocalCheck[],
): NodeState {
  const services = new Map(state.services);
  for (const service of sentServices) {
    const { id } = service.definition;
    if (services.get(id) === service) services.set(id, { ...service, sync: { kind: "synced" } });
  }
  const checks = new Map(state.checks);
  for (const check of sentChecks) {
    const { id } = check.definition;
    if (checks.get(id) === check) checks.set(id, { ...check, sync: { kind: "synced" } });
  }
  return { ...state, services, checks };
}

function markRemoved(
  state: NodeState,
  { service, check }: { readonly service?: string; readonly check?: string },
): NodeState {
  const { services, checks } = state.removed;
  return { ...state, removed: { services: without(services, service), checks: without(checks, check) } };
}

function pick(item: LocalService | LocalCheck | undefined): object | undefined {
  return item && { definition: item.definition, origin: item.origin };
}

function without(set: ReadonlySet<string>, item: string | undefined): ReadonlySet<string> {
  if (item === undefined || !set.has(item)) return set;
  return new Set([...set].filter((other) => other !== item));
}
