import {
  type CheckRecord,
  checkKey,
  type NodeRecord,
  nodeKey,
  nodeLists,
  type ServiceRecord,
  serviceKey,
} from "./catalog-records.ts";
import type { Deregistration, Registration } from "./catalog-wire.ts";
import { checkPermission, type Grants, type Permission } from "./permissions.ts";
import type { DiscoveryDraft } from "./state.ts";

/** Throws `denied` unless all that the registration changes may be changed. */
export function checkRegistration(grants: Grants, draft: DiscoveryDraft, registration: Registration): void {
  const { node, skipNodeUpdate, service, checks } = registration;
  const known = draft.row("node", nodeKey(node.name));
  // Whoever may write a service may name its node as it is.
  const sameNode = known && (skipNodeUpdate || (known.address === node.address && known.id === node.id));
  if (!sameNode) checkNodeWrite(grants, draft, node);
  if (service) checkServiceWrite(grants, draft, service);
  for (const check of checks) checkPermission(grants, checkWrite(draft, check, service));
}

/** Throws `denied` unless the node may be written: and the one that has its ID now under another name, as that one goes. */
export function checkNodeWrite(grants: Grants, draft: DiscoveryDraft, node: NodeRecord): void {
  checkPermission(grants, nodeWrite(node.name));
  if (node.id === "") return;
  for (const { name } of draft.state.list("node", nodeLists.id(node.id))) checkPermission(grants, nodeWrite(name));
}

/** Throws `denied` unless the instance may be written: under the name it has, and under the one it gets. */
export function checkServiceWrite(grants: Grants, draft: DiscoveryDraft, service: ServiceRecord): void {
  checkPermission(grants, serviceWrite(service));
  const before = draft.row("service", serviceKey(service.node, service.id));
  if (before && before.name !== service.name) checkPermission(grants, serviceWrite(before));
}

/** Throws `denied` unless what is deregistered may be written, or all of its node may. */
export function checkDeregistration(
  grants: Grants,
  draft: DiscoveryDraft,
  { node, serviceId, checkId }: Deregistration,
): void {
  if (grants.decide(nodeWrite(node)).kind === "allow") return;
  const service = serviceId === "" ? undefined : draft.row("service", serviceKey(node, serviceId));
  const check = serviceId !== "" || checkId === "" ? undefined : draft.row("check", checkKey(node, checkId));
  if (service) checkPermission(grants, serviceWrite(service));
  else if (check) checkPermission(grants, checkWrite(draft, check));
  else checkPermission(grants, nodeWrite(node));
}

export function nodeWrite(name: string): Permission {
  return { resource: "node", access: "write", name };
}

export function serviceWrite({ name, node }: { readonly name: string; readonly node: string }): Permission {
  return { resource: "service", access: "write", name, node };
}

/** A check of a service belongs to it, any other to its node. */
export function checkWrite(draft: DiscoveryDraft, check: CheckRecord, service?: ServiceRecord): Permission {
  if (check.serviceId === "") return nodeWrite(check.node);
  if (service && service.id === check.serviceId) return serviceWrite(service);
  const known = draft.row("service", serviceKey(check.node, check.serviceId));
  return known ? serviceWrite(known) : nodeWrite(check.node);
}
