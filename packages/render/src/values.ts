import type { CatalogNode, NodeService } from "@millwright/clients/consul-catalog";
import type { HealthCheck, ServiceHealth } from "@millwright/clients/consul-health";
import type { KvEntry } from "@millwright/clients/consul-kv";
import type { VaultSecret } from "@millwright/clients/vault";
import type { TemplateValue } from "@millwright/template/value";
import { SizedInteger, Struct, TypedList, TypedMap } from "@millwright/template/value";
import type { HealthFilter } from "./source.ts";

/** What templates see of what servers answer: the fields that consul-template's values have. */

/** A key's value as text. */
export function keyValue(entry: KvEntry | undefined): TemplateValue {
  return entry ? textOf(entry.value) : null;
}

/** Pairs with `Path`, and `Key` without the prefix. */
export function treeValue(entries: readonly KvEntry[], prefix: string): TemplateValue {
  const pairs = entries.map(
    (entry) =>
      new Struct("*dependency.KeyPair", {
        Path: entry.key,
        Key: (entry.key.startsWith(prefix) ? entry.key.slice(prefix.length) : entry.key).replace(/^\/+/, ""),
        Value: textOf(entry.value),
        CreateIndex: index(entry.createIndex),
        ModifyIndex: index(entry.modifyIndex),
        LockIndex: index(entry.lockIndex),
        Flags: new SizedInteger(entry.flags, "uint64"),
        Session: entry.session ?? "",
      }),
  );
  return new TypedList(pairs, "[]*dependency.KeyPair");
}

/** The instances whose state is asked for, by node and id, or as the server sorted them where `near` was asked. */
export function serviceValue(
  instances: readonly ServiceHealth[],
  { filters, isSorted }: { readonly filters: readonly HealthFilter[]; readonly isSorted: boolean },
): TemplateValue {
  const found = instances
    .map((instance) => ({ instance, status: statusOf(instance.checks) }))
    .filter(({ status }) => filters.includes("any") || filters.includes(status));
  if (!isSorted) found.sort((a, b) => compareInstances(a.instance, b.instance));
  return new TypedList(
    found.map(({ instance, status }) => instanceValue(instance, status)),
    "[]*dependency.HealthService",
  );
}

/** The names with their tags, by name. */
export function servicesValue(services: Readonly<Record<string, readonly string[]>>): TemplateValue {
  const snippets = Object.entries(services)
    .sort(([a], [b]) => compare(a, b))
    .map(([name, tags]) => new Struct("*dependency.CatalogSnippet", { Name: name, Tags: tagsValue(tags) }));
  return new TypedList(snippets, "[]*dependency.CatalogSnippet");
}

export function nodesValue(nodes: readonly CatalogNode[], isSorted: boolean): TemplateValue {
  const sorted = isSorted ? nodes : nodes.toSorted((a, b) => compare(a.node, b.node) || compare(a.address, b.address));
  return new TypedList(sorted.map(nodeStruct), "[]*dependency.Node");
}

/** `Node` and `Services`; both are nil for a node that is not there. */
export function nodeValue(
  found: { readonly node: CatalogNode; readonly services: readonly NodeService[] } | undefined,
): TemplateValue {
  const type = "*dependency.CatalogNode";
  if (!found) return new Struct(type, { Node: null, Services: new TypedList([], "[]*dependency.CatalogNodeService") });
  const services = found.services
    .toSorted((a, b) => compare(a.service, b.service) || compare(a.id, b.id))
    .map(
      (service) =>
        new Struct("*dependency.CatalogNodeService", {
          ID: service.id,
          Service: service.service,
          Tags: tagsValue(service.tags),
          Meta: texts(service.meta),
          Port: BigInt(service.port),
          Address: service.address,
          EnableTagOverride: service.enableTagOverride,
        }),
    );
  const list = new TypedList(services, "[]*dependency.CatalogNodeService");
  return new Struct(type, { Node: nodeStruct(found.node), Services: list });
}

/** By name. Servers give the nearest first, which would make files differ from node to node. */
export function namesValue(names: readonly string[]): TemplateValue {
  return new TypedList(names.toSorted(compare), "[]string");
}

export function secretValue(secret: VaultSecret): TemplateValue {
  const { auth, wrapInfo } = secret;
  return new Struct("*dependency.Secret", {
    RequestID: secret.requestId,
    LeaseID: secret.leaseId,
    LeaseDuration: BigInt(secret.leaseDuration),
    Renewable: secret.renewable,
    Data: secret.data ? (plainValue(secret.data) as TemplateValue) : new Map(),
    Warnings: new TypedList(secret.warnings, "[]string"),
    Auth: auth
      ? new Struct("*dependency.SecretAuth", {
          ClientToken: auth.clientToken,
          Accessor: auth.accessor,
          Policies: new TypedList(auth.policies, "[]string"),
          Metadata: texts(auth.metadata),
          LeaseDuration: BigInt(auth.leaseDuration),
          Renewable: auth.renewable,
        })
      : null,
    WrapInfo: wrapInfo
      ? new Struct("*dependency.SecretWrapInfo", {
          Token: wrapInfo.token,
          TTL: BigInt(wrapInfo.ttl),
          CreationTime: wrapInfo.creationTime,
          WrappedAccessor: wrapInfo.accessor,
        })
      : null,
  });
}

/** Whether two answers give templates the same: the id of the request is another each time, and nobody's content. */
export function isSameSecret(a: VaultSecret, b: VaultSecret): boolean {
  const shown = ({ raw, ...rest }: VaultSecret) =>
    JSON.stringify({ ...rest, requestId: "" }, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  return shown(a) === shown(b);
}

function instanceValue({ node, service, checks }: ServiceHealth, status: HealthFilter): TemplateValue {
  return new Struct("*dependency.HealthService", {
    Node: node.node,
    NodeID: node.id,
    NodeAddress: node.address,
    NodeTaggedAddresses: texts(node.taggedAddresses),
    NodeMeta: texts(node.meta),
    ServiceMeta: texts(service.meta),
    Address: service.address === "" ? node.address : service.address,
    ServiceTaggedAddresses: new TypedMap(
      new Map(
        Object.entries(service.taggedAddresses).map(([tag, at]) => [
          tag,
          new Struct("api.ServiceAddress", { Address: at.address, Port: BigInt(at.port) }),
        ]),
      ),
      "map[string]api.ServiceAddress",
      new Struct("api.ServiceAddress", { Address: "", Port: 0n }),
    ),
    ID: service.id,
    Name: service.service,
    Tags: tagsValue(service.tags),
    Checks: new TypedList(checks.map(checkValue), "api.HealthChecks"),
    Status: status,
    Port: BigInt(service.port),
    Weights: new Struct("api.AgentWeights", {
      Passing: BigInt(service.weights.passing),
      Warning: BigInt(service.weights.warning),
    }),
  });
}

function checkValue(check: HealthCheck): TemplateValue {
  return new Struct("*api.HealthCheck", {
    Node: check.node,
    CheckID: check.checkId,
    Name: check.name,
    Status: check.status,
    Notes: check.notes,
    Output: check.output,
    ServiceID: check.serviceId,
    ServiceName: check.serviceName,
    ServiceTags: new TypedList(check.serviceTags, "[]string"),
    Type: check.type,
  });
}

/** The worst of the checks; one for maintenance is worse than all. */
function statusOf(checks: readonly HealthCheck[]): HealthFilter {
  const isMaintenance = ({ checkId }: HealthCheck) =>
    checkId === "_node_maintenance" || checkId.startsWith("_service_maintenance:");
  if (checks.some(isMaintenance)) return "maintenance";
  return (["critical", "warning"] as const).find((status) => checks.some((c) => c.status === status)) ?? "passing";
}

function nodeStruct(node: CatalogNode): TemplateValue {
  return new Struct("*dependency.Node", {
    ID: node.id,
    Node: node.node,
    Address: node.address,
    Datacenter: node.datacenter,
    TaggedAddresses: texts(node.taggedAddresses),
    Meta: texts(node.meta),
  });
}

function tagsValue(tags: readonly string[]): TypedList {
  return new TypedList(tags.toSorted(compare), "dependency.ServiceTags");
}

function texts(record: Readonly<Record<string, string>>): TypedMap {
  return new TypedMap(new Map(Object.entries(record)), "map[string]string", "");
}

/** Parsed JSON as a template's data: whole numbers are integers. */
function plainValue(value: unknown): TemplateValue {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "number":
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(plainValue);
      return new Map(Object.entries(value).map(([name, part]) => [name, plainValue(part)]));
    default:
      return null;
  }
}

function compareInstances(a: ServiceHealth, b: ServiceHealth): number {
  return compare(a.node.node, b.node.node) || compare(a.service.id, b.service.id);
}

// As Go compares strings: byte by byte, which for these names is code unit by code unit.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function index(value: number): SizedInteger {
  return new SizedInteger(BigInt(value), "uint64");
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
