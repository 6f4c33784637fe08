import { setImmediate } from "node:timers/promises";
import { OperationalError } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { jsonReply } from "@millwright/core/http-reply";
import { commitDraft } from "@millwright/records/commit";
import { topicOf } from "@millwright/records/table";
import { type Answer, answerJson, answerList, type CatalogContext, isPretty, type View } from "./catalog-context.ts";
import { catalogServiceJson, type Instance, nodeJson, serviceJson, type Shown } from "./catalog-json.ts";
import { checkDeregistration, checkRegistration } from "./catalog-permissions.ts";
import { nodeKey, serviceLists } from "./catalog-records.ts";
import { catalogTopics } from "./catalog-topics.ts";
import { type Deregistration, parseDeregistration, parseRegistration } from "./catalog-wire.ts";
import { deleteCheck, deleteNode, deleteService, register } from "./catalog-write.ts";
import { discoveryErrors } from "./errors.ts";
import { parseJson, readWire } from "./json-body.ts";
import { filtered, hasMeta, hasTags } from "./list-query.ts";
import { badRequest } from "./parameters.ts";
import { type Grants, mayRead, type Permission } from "./permissions.ts";
import type { Call, Route } from "./route.ts";
import type { DiscoveryDraft } from "./state.ts";
import type { Row } from "./tables.ts";

const largestBody = 512 * 1024;

/** `/v1/catalog`. Nothing here is about the mesh: what lists it is empty. */
export function catalogRoutes(context: CatalogContext): Route[] {
  const readable = "node:read and service:read; what may not be read is left out";
  const read = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission: needs(readable), blocking: true, handle };
  };
  const write = (pattern: string, what: string, handle: Route["handle"]): Route => {
    return { method: "PUT", pattern, permission: needs(what), blocking: false, handle };
  };
  return [
    write("/v1/catalog/register", "node:write or service:write on what it changes", (call) => put(context, call)),
    write("/v1/catalog/deregister", "node:write, or service:write on the service", (call) => remove(context, call)),
    {
      method: "GET",
      pattern: "/v1/catalog/datacenters",
      permission: { kind: "everyone", why: "it tells no more than what every answer tells" },
      blocking: false,
      handle: async (call) => jsonReply([context.identity.datacenter], isPretty(context, call)),
    },
    read("/v1/catalog/nodes", (call) => listNodes(context, call)),
    read("/v1/catalog/services", (call) => listServices(context, call)),
    read("/v1/catalog/service/*service", (call) => listInstances(context, call)),
    read("/v1/catalog/node/*node", (call) => getNode(context, call)),
    read("/v1/catalog/node-services/*node", (call) => getNodeServices(context, call)),
    ...["connect/*service", "gateway-services/*service"].map((rest) =>
      read(`/v1/catalog/${rest}`, (call) => listNothing(context, call)),
    ),
  ];
}

/** A permission that the handler asks for by itself. */
export function needs(what: string): Route["permission"] {
  return { kind: "needs", what, of: () => [] };
}

/** The path's last part, which must not be empty. */
export function nameOf(call: Call, param: string, what: string): string {
  const name = call.params[param] ?? "";
  if (name === "") throw badRequest(`Missing ${what}`);
  return name;
}

/** What a server without a mesh knows of it. */
export function listNothing(context: CatalogContext, call: Call): Promise<HttpReply> {
  nameOf(call, "service", "service name");
  const answer = (): Answer<readonly never[]> => ({ value: [], hidden: false });
  return answerList(context, call, { topics: [], answer, item: (item: never) => item });
}

async function put(context: CatalogContext, call: Call): Promise<HttpReply> {
  const complaint = "Request decode failed";
  const body = parseJson(await readBody(call.request, largestBody, discoveryErrors.tooLarge), complaint);
  const registration = readWire(complaint, () => parseRegistration(body));
  refuseOtherDatacenter(context, registration.datacenter);
  await commitDraft(context, (draft) => {
    checkRegistration(call.grants, draft, registration);
    register(draft, registration);
  });
  return jsonReply(true, isPretty(context, call));
}

async function remove(context: CatalogContext, call: Call): Promise<HttpReply> {
  const complaint = "Request decode failed";
  const body = parseJson(await readBody(call.request, largestBody, discoveryErrors.tooLarge), complaint);
  const deregistration = readWire(complaint, () => parseDeregistration(body));
  refuseOtherDatacenter(context, deregistration.datacenter);
  await commitDraft(context, (draft) => {
    checkDeregistration(call.grants, draft, deregistration);
    deregister(draft, deregistration);
  });
  return jsonReply(true, isPretty(context, call));
}

function deregister(draft: DiscoveryDraft, { node, serviceId, checkId }: Deregistration): void {
  if (serviceId !== "") deleteService(draft, node, serviceId);
  else if (checkId !== "") deleteCheck(draft, node, checkId);
  else deleteNode(draft, node);
}

function refuseOtherDatacenter({ identity }: CatalogContext, datacenter: string): void {
  if (datacenter === "" || datacenter === identity.datacenter) return;
  throw new OperationalError(discoveryErrors.unknownDatacenter, "No path to datacenter");
}

function listNodes(context: CatalogContext, call: Call): Promise<HttpReply> {
  return answerList(context, call, {
    topics: [topicOf("node")],
    answer: (view) => {
      const all = [...view.state.rows("node")];
      const nodes = all.filter((node) => mayRead(call.grants, nodeRead(node)));
      const wanted = nodes.filter((node) => hasMeta(view.query, node));
      const value = filtered(view.query, wanted, (node) => nodeJson(node, view));
      return { value, hidden: nodes.length < all.length };
    },
    item: nodeJson,
  });
}

function listServices(context: CatalogContext, call: Call): Promise<HttpReply> {
  return answerJson(context, call, {
    // Nodes count only where it is asked for what they say of themselves.
    topics: [topicOf("service"), ...(call.query.has("node-meta") || call.query.has("filter") ? [topicOf("node")] : [])],
    answer: async (view) => {
      const tags = new Map<string, Set<string>>();
      const add = ({ name, tags: own }: Row<"service">) => {
        const known = tags.get(name) ?? new Set();
        tags.set(name, known);
        for (const tag of own) known.add(tag);
      };
      const hidden = await eachService(view, call.grants, add);
      const names = [...tags.keys()].sort();
      return { value: Object.fromEntries(names.map((name) => [name, [...tags.get(name)!]])), hidden };
    },
  });
}

const servicesPerTurn = 5_000;

// Goes through all services, or all that are asked for and may be seen; gives whether there are others.
async function eachService(view: View, grants: Grants, take: (service: Row<"service">) => void): Promise<boolean> {
  const { state, query } = view;
  const all = state.rows("service");
  const isWhole = grants.unrestricted && !query.filter && query.tags.length + query.nodeMeta.length === 0;
  if (!isWhole) {
    const { value, hidden } = instancesOf(view, grants, all);
    for (const { service } of value) take(service);
    return hidden;
  }
  let taken = 0;
  for (const service of all) {
    take(service);
    if (++taken % servicesPerTurn === 0) await setImmediate();
  }
  return false;
}

function listInstances(context: CatalogContext, call: Call): Promise<HttpReply> {
  const service = nameOf(call, "service", "service name");
  return answerList(context, call, {
    topics: [catalogTopics.service(service)],
    answer: (view) => instancesOf(view, call.grants, view.state.list("service", serviceLists.of(service))),
    item: catalogServiceJson,
  });
}

function instancesOf(view: View, grants: Grants, services: Iterable<Row<"service">>): Answer<readonly Instance[]> {
  const { state, query } = view;
  let hidden = false;
  const instances: Instance[] = [];
  for (const service of services) {
    const node = state.row("node", nodeKey(service.node));
    if (!node) continue;
    const readable = mayRead(grants, serviceRead(service)) && mayRead(grants, nodeRead(node));
    hidden ||= !readable;
    if (readable && hasTags(query, service) && hasMeta(query, node)) instances.push({ node, service });
  }
  const whole = { ...view, whole: true };
  return { value: filtered(query, instances, (instance) => catalogServiceJson(instance, whole)), hidden };
}

interface NodeAndServices {
  readonly node: Row<"node">;
  readonly services: readonly Row<"service">[];
}

function getNode(context: CatalogContext, call: Call): Promise<HttpReply> {
  const show = ({ node, services }: NodeAndServices, view: Shown) => ({
    Node: nodeJson(node, view),
    Services: Object.fromEntries(services.map((service) => [service.id, serviceJson(service, view)])),
  });
  return answerNode(context, call, { show, missing: null });
}

function getNodeServices(context: CatalogContext, call: Call): Promise<HttpReply> {
  const show = ({ node, services }: NodeAndServices, view: Shown) => ({
    Node: nodeJson(node, view),
    Services: services.map((service) => serviceJson(service, view)),
  });
  return answerNode(context, call, { show, missing: { Node: null, Services: null } });
}

function answerNode(
  context: CatalogContext,
  call: Call,
  form: { show(found: NodeAndServices, view: Shown): object; readonly missing: object | null },
): Promise<HttpReply> {
  const name = nameOf(call, "node", "node name");
  return answerJson(context, call, {
    topics: [catalogTopics.node(name)],
    answer: (view) => {
      const node = view.state.row("node", nodeKey(name));
      if (!node) return { value: form.missing, hidden: false };
      if (!mayRead(call.grants, nodeRead(node))) return { value: form.missing, hidden: true };
      const all = [...view.state.list("service", serviceLists.on(name))];
      const readable = all.filter((service) => mayRead(call.grants, serviceRead(service)));
      const whole = { ...view, whole: true };
      const services = filtered(view.query, readable, (service) => serviceJson(service, whole));
      return { value: form.show({ node, services }, view), hidden: readable.length < all.length };
    },
  });
}

export function nodeRead({ name }: { readonly name: string }): Permission {
  return { resource: "node", access: "read", name };
}

export function serviceRead({ name }: { readonly name: string }): Permission {
  return { resource: "service", access: "read", name };
}
