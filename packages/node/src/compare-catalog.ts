import { isDeepStrictEqual } from "node:util";
import type { NodeService } from "@millwright/clients/consul-catalog";
import type { HealthCheck } from "@millwright/clients/consul-health";
import type { CatalogView } from "./catalog-view.ts";
import type { LocalCheck, LocalService, NodeState } from "./node-state.ts";

/** The check of the node's own liveness, which the servers keep. */
export const livenessCheck = "serfHealth";

/**
 * Marks what the catalog has otherwise, or not at all, as changed; what it has alike as synced; what it has and this node
 * does not know as to be removed. The tags of a service with `enableTagOverride` are taken over from the catalog.
 */
export function compareWithCatalog(state: NodeState, catalog: CatalogView): NodeState {
  const catalogServices = new Map(catalog.services.map((service) => [service.id, service]));
  const catalogChecks = new Map(catalog.checks.map((check) => [check.checkId, check]));
  const services = new Map(
    [...state.services].map(([id, service]) => [id, compareService(service, catalogServices.get(id))]),
  );
  const checks = new Map([...state.checks].map(([id, check]) => [id, compareCheck(check, catalogChecks.get(id))]));
  const goneServices = [...catalogServices.keys()].filter((id) => !services.has(id));
  const goneChecks = catalog.checks
    // With a service that is removed, its checks are.
    .filter(
      ({ checkId, serviceId }) =>
        !checks.has(checkId) && checkId !== livenessCheck && !goneServices.includes(serviceId),
    )
    .map(({ checkId }) => checkId);
  const removed = { services: new Set(goneServices), checks: new Set(goneChecks) };
  return { services, checks, removed };
}

function compareService(local: LocalService, known: NodeService | undefined): LocalService {
  if (!known) return { ...local, sync: { kind: "changed" } };
  const { definition } = local;
  const mayOverride = definition.enableTagOverride && known.enableTagOverride;
  const wanted = mayOverride ? { ...definition, tags: known.tags } : definition;
  const isSame =
    known.service === wanted.name &&
    known.address === wanted.address &&
    known.port === wanted.port &&
    known.socketPath === wanted.socketPath &&
    known.enableTagOverride === wanted.enableTagOverride &&
    isDeepStrictEqual([...known.tags], [...wanted.tags]) &&
    isDeepStrictEqual({ ...known.meta }, { ...wanted.meta }) &&
    isDeepStrictEqual({ ...known.weights }, { ...wanted.weights }) &&
    isDeepStrictEqual({ ...known.taggedAddresses }, { ...wanted.taggedAddresses });
  const sync = { kind: isSame ? "synced" : "changed" } as const;
  const sameTags = isDeepStrictEqual([...definition.tags], [...wanted.tags]);
  return sameTags && sync.kind === local.sync.kind ? local : { ...local, definition: wanted, sync };
}

function compareCheck(local: LocalCheck, known: HealthCheck | undefined): LocalCheck {
  const { definition, status, output } = local;
  const isSame =
    known !== undefined &&
    known.name === definition.name &&
    known.notes === definition.notes &&
    known.serviceId === definition.serviceId &&
    known.status === status;
  if (!isSame) return { ...local, sync: { kind: "changed" } };
  // An output that waits for its time goes on waiting.
  if (known.output === output) return local.sync.kind === "synced" ? local : { ...local, sync: { kind: "synced" } };
  return local.sync.kind === "deferred" ? local : { ...local, sync: { kind: "changed" } };
}
