import { OperationalError } from "@millwright/core/errors";
import { folded } from "@millwright/records/table";
import {
  type CheckRecord,
  checkKey,
  type NodeRecord,
  nodeKey,
  nodeLists,
  onNode,
  type ServiceRecord,
  serviceKey,
} from "./catalog-records.ts";
import type { Registration } from "./catalog-wire.ts";
import { discoveryErrors } from "./errors.ts";
import { badRequest } from "./parameters.ts";
import type { DiscoveryDraft } from "./state.ts";
import type { Row } from "./tables.ts";

/** The check that says whether a node is alive. */
export const nodeHealthCheck = "serfHealth";

/** Registers a node, and what of it is given: all of it in one commit. Throws `badRequest` and `nameTaken`. */
export function register(draft: DiscoveryDraft, { node, skipNodeUpdate, service, checks }: Registration): void {
  const known = draft.row("node", nodeKey(node.name));
  if (!known || !skipNodeUpdate) putNode(draft, node);
  if (service) putService(draft, service);
  for (const check of checks) putCheck(draft, check);
}

/**
 * Writes a node. One that is known by its ID under another name is renamed: what was registered under the old name goes. A
 * name that belongs to another ID is taken over where that node is not alive (its check is critical, or it has none), and
 * refused where it is.
 */
export function putNode(draft: DiscoveryDraft, node: NodeRecord): void {
  const renamed = node.id === "" ? undefined : nodeOfId(draft, node);
  if (node.id !== "") refuseTakenName(draft, node, renamed);
  const key = nodeKey(node.name);
  if (renamed && renamed.key !== key) deleteNode(draft, renamed.name);
  draft.put("node", key, node);
}

function nodeOfId(draft: DiscoveryDraft, { id, name }: NodeRecord): Row<"node"> | undefined {
  const current = draft.row("node", nodeKey(name));
  if (current && folded(current.id) === folded(id)) return current;
  // Only this decides on the whole table, and only where an ID comes new to a name.
  const [known] = draft.state.list("node", nodeLists.id(id));
  draft.unchanged("node");
  return known && draft.row("node", known.key);
}

function refuseTakenName(draft: DiscoveryDraft, node: NodeRecord, renamed: NodeRecord | undefined): void {
  const holder = draft.row("node", nodeKey(node.name));
  if (!holder || folded(holder.id) === folded(node.id)) return;
  // A node that was registered without an ID may be given one, but not by a node that had another name till now.
  if (holder.id === "" && !renamed) return;
  const health = draft.row("check", checkKey(holder.name, nodeHealthCheck));
  if (!health || health.status === "critical") return;
  const place = renamed ? `"${node.id}" (${renamed.name})` : `"${node.id}"`;
  const text = `Error while renaming Node ID: ${place}: Node name ${node.name} is reserved by node ${holder.id}`;
  throw new OperationalError(
    discoveryErrors.nameTaken,
    `failed inserting node: ${text} with name ${holder.name} (${holder.address})`,
  );
}

/** Writes an instance of a service; its checks take its name and tags on. Throws `badRequest` where its node is not there. */
export function putService(draft: DiscoveryDraft, service: ServiceRecord): void {
  if (!draft.row("node", nodeKey(service.node))) throw badRequest("Missing node registration");
  const key = serviceKey(service.node, service.id);
  const before = draft.row("service", key);
  draft.put("service", key, service);
  if (before && before.name === service.name && sameTexts(before.tags, service.tags)) return;
  for (const check of checksOf(draft, service)) draft.put("check", check.key, { ...check, ...copied(service) });
}

/** Writes a check. Throws `badRequest` where its node or its service is not there. */
export function putCheck(draft: DiscoveryDraft, check: CheckRecord): void {
  if (!draft.row("node", nodeKey(check.node))) throw badRequest("Missing node registration");
  const service = check.serviceId === "" ? undefined : draft.row("service", serviceKey(check.node, check.serviceId));
  if (check.serviceId !== "" && !service)
    throw badRequest(`Unknown service ID '${check.serviceId}' for check ID '${check.checkId}'`);
  draft.put("check", checkKey(check.node, check.checkId), { ...check, ...(service ? copied(service) : {}) });
}

/** Deletes a node with its services and checks. */
export function deleteNode(draft: DiscoveryDraft, node: string): void {
  if (!draft.row("node", nodeKey(node))) return;
  draft.deleteAll("service", onNode(node));
  draft.deleteAll("check", onNode(node));
  draft.delete("down", nodeKey(node));
  draft.delete("node", nodeKey(node));
}

/** Deletes an instance of a service with its checks. */
export function deleteService(draft: DiscoveryDraft, node: string, id: string): void {
  const service = draft.row("service", serviceKey(node, id));
  if (!service) return;
  for (const check of checksOf(draft, service)) draft.delete("check", check.key);
  draft.delete("service", service.key);
}

export function deleteCheck(draft: DiscoveryDraft, node: string, checkId: string): void {
  draft.delete("check", checkKey(node, checkId));
}

function copied({ name, tags }: ServiceRecord): {
  readonly serviceName: string;
  readonly serviceTags: readonly string[];
} {
  return { serviceName: name, serviceTags: tags };
}

function checksOf(draft: DiscoveryDraft, { node, id }: ServiceRecord): Row<"check">[] {
  const rows = draft.rows("check", onNode(node));
  return rows.filter(({ serviceId }) => serviceId !== "" && folded(serviceId) === folded(id));
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
