import { type CheckDefinition, wireCheckDefinition } from "./consul-check-definition.ts";
import {
  type Answer,
  type ApiQuery,
  answerOf,
  type CallOptions,
  type ConsulApi,
  jsonOf,
  type ReadOptions,
} from "./consul-api.ts";
import { watchAnswers, type WatchSettings } from "./consul-watch.ts";
import { textsOf, WireObject, wireEntries, wireObjects } from "./consul-wire.ts";

/** A node, as the catalog has it. */
export interface CatalogNode {
  readonly id: string;
  readonly node: string;
  readonly address: string;
  readonly datacenter: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** A service on a node. `address` is empty where it is that of the node. */
export interface NodeService {
  readonly id: string;
  readonly service: string;
  readonly tags: readonly string[];
  readonly address: string;
  readonly port: number;
  /** Of a Unix socket; empty for none. */
  readonly socketPath: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly taggedAddresses: Readonly<Record<string, ServiceAddress>>;
  readonly weights: ServiceWeights;
  readonly enableTagOverride: boolean;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

export interface ServiceAddress {
  readonly address: string;
  readonly port: number;
}

/** How much of the load it takes while passing and while warning. */
export interface ServiceWeights {
  readonly passing: number;
  readonly warning: number;
}

/** One instance of a service with its node. */
export interface CatalogService {
  readonly node: CatalogNode;
  readonly service: NodeService;
}

export type CheckStatus = "passing" | "warning" | "critical";

/** What `PUT /v1/catalog/register` writes: a node, and a service and checks on it. */
export interface Registration {
  readonly node: string;
  readonly address: string;
  readonly id?: string;
  readonly taggedAddresses?: Readonly<Record<string, string>>;
  readonly nodeMeta?: Readonly<Record<string, string>>;
  /** Leave the node as it is where it exists. */
  readonly skipNodeUpdate?: boolean;
  readonly service?: ServiceRegistration;
  readonly checks?: readonly CheckRegistration[];
}

export interface ServiceRegistration {
  readonly service: string;
  /** The service's name by default. */
  readonly id?: string;
  readonly tags?: readonly string[];
  readonly address?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly taggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly weights?: ServiceWeights;
  readonly enableTagOverride?: boolean;
}

export interface CheckRegistration {
  readonly checkId: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly notes?: string;
  readonly output?: string;
  /** Of the service it is about; without one it is about the node. */
  readonly serviceId?: string;
  /** What runs it: `http`, `ttl` …. */
  readonly type?: string;
  /** How often it runs, and how long it may take, as `10s`. */
  readonly interval?: string;
  readonly timeout?: string;
  readonly definition?: CheckDefinition;
}

/** What to remove: the node with all it has, or one service or check of it. */
export interface Deregistration {
  readonly node: string;
  readonly serviceId?: string;
  readonly checkId?: string;
}

/** What a list may be narrowed to. */
export interface ListOptions extends ReadOptions {
  /** A go-bexpr expression over the items. */
  readonly filter?: string;
  readonly nodeMeta?: Readonly<Record<string, string>>;
  /** Sort by the distance to this node; `_agent` is the one that is asked. */
  readonly near?: string;
}

export interface ServiceListOptions extends ListOptions {
  /** Instances that have all of them. */
  readonly tags?: readonly string[];
}

/** `/v1/catalog`. */
export class ConsulCatalog {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** Writes a node, service and checks; what is the same already stays as it is. */
  async register(registration: Registration, options: CallOptions = {}): Promise<void> {
    await this.#put("/v1/catalog/register", wireRegistration(registration, options.datacenter), options);
  }

  /** Removes a node, service or check; that there is none is no error. */
  async deregister({ node, serviceId, checkId }: Deregistration, options: CallOptions = {}): Promise<void> {
    const body = { Node: node, ServiceID: serviceId, CheckID: checkId, Datacenter: options.datacenter };
    await this.#put("/v1/catalog/deregister", body, options);
  }

  async datacenters(options: ReadOptions = {}): Promise<readonly string[]> {
    return (await this.#get("/v1/catalog/datacenters", {}, options, textsOf)).value;
  }

  nodes(options: ListOptions = {}): Promise<Answer<readonly CatalogNode[]>> {
    return this.#get("/v1/catalog/nodes", listQuery(options), options, (wire, what) =>
      wireObjects(wire, what).map(parseNode),
    );
  }

  /** The tags of each service by its name. */
  services(options: ListOptions = {}): Promise<Answer<Readonly<Record<string, readonly string[]>>>> {
    return this.#get("/v1/catalog/services", listQuery(options), options, (wire, what) =>
      Object.fromEntries(wireEntries(wire, what).map(([name, tags]) => [name, textsOf(tags, what)])),
    );
  }

  /** The instances of a service, whatever their health. */
  service(name: string, options: ServiceListOptions = {}): Promise<Answer<readonly CatalogService[]>> {
    const path = `/v1/catalog/service/${encodeURIComponent(name)}`;
    const query = { ...listQuery(options), ...(options.tags ? { tag: options.tags } : {}) };
    return this.#get(path, query, options, (wire, what) => wireObjects(wire, what).map(parseCatalogService));
  }

  /** A node and its services; undefined where there is no such node. */
  node(
    name: string,
    options: ListOptions = {},
  ): Promise<Answer<{ readonly node: CatalogNode; readonly services: readonly NodeService[] } | undefined>> {
    const path = `/v1/catalog/node/${encodeURIComponent(name)}`;
    return this.#get(path, listQuery(options), options, (wire, what) => {
      if (wire === null) return undefined;
      const fields = new WireObject(wire, what);
      const services = wireEntries(fields.optional("Services"), what);
      return {
        node: parseNode(fields.object("Node")),
        services: services.map(([, service]) => parseNodeService(new WireObject(service, what))),
      };
    });
  }

  /** The nodes and each later state of the list, until the signal aborts. */
  watchNodes(settings: WatchSettings & ListOptions): AsyncGenerator<Answer<readonly CatalogNode[]>> {
    return watchAnswers((position) => this.nodes({ ...settings, ...position }), settings);
  }

  watchServices(
    settings: WatchSettings & ListOptions,
  ): AsyncGenerator<Answer<Readonly<Record<string, readonly string[]>>>> {
    return watchAnswers((position) => this.services({ ...settings, ...position }), settings);
  }

  watchService(
    name: string,
    settings: WatchSettings & ServiceListOptions,
  ): AsyncGenerator<Answer<readonly CatalogService[]>> {
    return watchAnswers((position) => this.service(name, { ...settings, ...position }), settings);
  }

  async #put(path: string, body: object, options: CallOptions): Promise<void> {
    const request = {
      method: "PUT",
      path,
      body: Buffer.from(JSON.stringify(body)),
      options,
      repeatable: true,
    } as const;
    const answer = await this.#api.request(request);
    await answer.bytes();
  }

  async #get<T>(
    path: string,
    query: ApiQuery,
    options: ReadOptions,
    parse: (wire: unknown, what: string) => T,
  ): Promise<Answer<T>> {
    const answer = await this.#api.request({ method: "GET", path, query, options, repeatable: true });
    return answerOf(answer, parse(await jsonOf(answer, `GET ${path}`), `GET ${path}`));
  }
}

/** The parameters of a list. */
export function listQuery({ filter, nodeMeta, near }: ListOptions): ApiQuery {
  return {
    ...(filter ? { filter } : {}),
    ...(near ? { near } : {}),
    ...(nodeMeta ? { "node-meta": Object.entries(nodeMeta).map(([key, value]) => `${key}:${value}`) } : {}),
  };
}

export function parseNode(wire: WireObject): CatalogNode {
  return {
    id: wire.text("ID"),
    node: wire.text("Node"),
    address: wire.text("Address"),
    datacenter: wire.text("Datacenter"),
    taggedAddresses: wire.map("TaggedAddresses"),
    meta: wire.map("Meta"),
    ...indexesOf(wire),
  };
}

export function parseNodeService(wire: WireObject): NodeService {
  return parseService(wire, "");
}

function parseCatalogService(wire: WireObject): CatalogService {
  return { node: { ...parseNode(wire), meta: wire.map("NodeMeta") }, service: parseService(wire, "Service") };
}

// In the list of a service's instances each field of the service has a prefix, as the node's stand beside it.
function parseService(wire: WireObject, prefix: "" | "Service"): NodeService {
  const weights = wire.object(`${prefix}Weights`);
  return {
    id: wire.text(`${prefix}ID`),
    service: wire.text(prefix === "" ? "Service" : "ServiceName"),
    tags: wire.texts(`${prefix}Tags`),
    address: wire.text(`${prefix}Address`),
    port: wire.number(`${prefix}Port`),
    socketPath: wire.text(`${prefix}SocketPath`),
    meta: wire.map(`${prefix}Meta`),
    taggedAddresses: addressesOf(wire, `${prefix}TaggedAddresses`),
    weights: { passing: weights.number("Passing"), warning: weights.number("Warning") },
    enableTagOverride: wire.flag(`${prefix}EnableTagOverride`),
    ...indexesOf(wire),
  };
}

function addressesOf(wire: WireObject, name: string): Readonly<Record<string, ServiceAddress>> {
  const entries = wireEntries(wire.optional(name), name).map(([tag, value]) => {
    const fields = new WireObject(value, name);
    return [tag, { address: fields.text("Address"), port: fields.number("Port") }] as const;
  });
  return Object.fromEntries(entries);
}

function indexesOf(wire: WireObject): { readonly createIndex: number; readonly modifyIndex: number } {
  return { createIndex: wire.number("CreateIndex"), modifyIndex: wire.number("ModifyIndex") };
}

function wireRegistration(registration: Registration, datacenter: string | undefined): object {
  const { node, address, id, taggedAddresses, nodeMeta, skipNodeUpdate, service, checks } = registration;
  return {
    ID: id,
    Node: node,
    Address: address,
    Datacenter: datacenter,
    TaggedAddresses: taggedAddresses,
    NodeMeta: nodeMeta,
    SkipNodeUpdate: skipNodeUpdate,
    Service: service && wireService(service),
    Checks: checks?.map((check) => wireCheck(check, node)),
  };
}

function wireService(service: ServiceRegistration): object {
  const { taggedAddresses, weights } = service;
  const tagged = Object.entries(taggedAddresses ?? {}).map(([tag, at]) => [
    tag,
    { Address: at.address, Port: at.port },
  ]);
  return {
    ID: service.id,
    Service: service.service,
    Tags: service.tags,
    Address: service.address,
    Port: service.port,
    SocketPath: service.socketPath,
    Meta: service.meta,
    TaggedAddresses: taggedAddresses && Object.fromEntries(tagged),
    Weights: weights && { Passing: weights.passing, Warning: weights.warning },
    EnableTagOverride: service.enableTagOverride,
  };
}

function wireCheck(check: CheckRegistration, node: string): object {
  const { checkId, name, status, notes, output, serviceId, type, interval, timeout, definition } = check;
  return {
    Node: node,
    CheckID: checkId,
    Name: name,
    Status: status,
    Notes: notes,
    Output: output,
    ServiceID: serviceId,
    Type: type,
    Definition: definition && wireCheckDefinition(definition),
    Interval: interval,
    Timeout: timeout,
  };
}
