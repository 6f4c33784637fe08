import { type CheckDefinition, parseCheckDefinition } from "./consul-check-definition.ts";
import { type Answer, type ApiQuery, answerOf, type ConsulApi, jsonOf, type ReadOptions } from "./consul-api.ts";
import {
  type CatalogNode,
  type CheckStatus,
  type ListOptions,
  listQuery,
  type NodeService,
  parseNode,
  parseNodeService,
  type ServiceListOptions,
} from "./consul-catalog.ts";
import { watchAnswers, type WatchSettings } from "./consul-watch.ts";
import { type WireObject, wireObjects } from "./consul-wire.ts";

/** A check, of a service where `serviceId` is not empty, else of the node. */
export interface HealthCheck {
  readonly node: string;
  readonly checkId: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly notes: string;
  readonly output: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly serviceTags: readonly string[];
  /** What runs it: `http`, `ttl` …; empty where that is not known. */
  readonly type: string;
  /** How it is run; not told of checks that their own node runs. */
  readonly definition?: CheckDefinition;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** One instance of a service, with its node, its own checks and those of the node. */
export interface ServiceHealth {
  readonly node: CatalogNode;
  readonly service: NodeService;
  readonly checks: readonly HealthCheck[];
}

export interface ServiceHealthOptions extends ServiceListOptions {
  /** Only instances all of whose checks are passing. */
  readonly passing?: boolean;
}

/** `/v1/health`. */
export class ConsulHealth {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** The checks on a node, those of its services included. */
  node(name: string, options: ListOptions = {}): Promise<Answer<readonly HealthCheck[]>> {
    return this.#checks(`/v1/health/node/${encodeURIComponent(name)}`, options);
  }

  /** The checks of a service's instances, without those of their nodes. */
  checks(service: string, options: ListOptions = {}): Promise<Answer<readonly HealthCheck[]>> {
    return this.#checks(`/v1/health/checks/${encodeURIComponent(service)}`, options);
  }

  state(status: CheckStatus | "any", options: ListOptions = {}): Promise<Answer<readonly HealthCheck[]>> {
    return this.#checks(`/v1/health/state/${status}`, options);
  }

  /** The instances of a service with their health. */
  service(name: string, options: ServiceHealthOptions = {}): Promise<Answer<readonly ServiceHealth[]>> {
    const query = {
      ...listQuery(options),
      ...(options.tags ? { tag: options.tags } : {}),
      ...(options.passing ? { passing: true as const } : {}),
    };
    return this.#get(`/v1/health/service/${encodeURIComponent(name)}`, query, options, (wire) => ({
      node: parseNode(wire.object("Node")),
      service: parseNodeService(wire.object("Service")),
      checks: wire.objects("Checks").map(parseCheck),
    }));
  }

  /** The instances of a service and each later state of them, until the signal aborts. */
  watchService(
    name: string,
    settings: WatchSettings & ServiceHealthOptions,
  ): AsyncGenerator<Answer<readonly ServiceHealth[]>> {
    return watchAnswers((position) => this.service(name, { ...settings, ...position }), settings);
  }

  watchChecks(service: string, settings: WatchSettings & ListOptions): AsyncGenerator<Answer<readonly HealthCheck[]>> {
    return watchAnswers((position) => this.checks(service, { ...settings, ...position }), settings);
  }

  watchNode(name: string, settings: WatchSettings & ListOptions): AsyncGenerator<Answer<readonly HealthCheck[]>> {
    return watchAnswers((position) => this.node(name, { ...settings, ...position }), settings);
  }

  watchState(
    status: CheckStatus | "any",
    settings: WatchSettings & ListOptions,
  ): AsyncGenerator<Answer<readonly HealthCheck[]>> {
    return watchAnswers((position) => this.state(status, { ...settings, ...position }), settings);
  }

  #checks(path: string, options: ListOptions): Promise<Answer<readonly HealthCheck[]>> {
    return this.#get(path, listQuery(options), options, parseCheck);
  }

  async #get<T>(
    path: string,
    query: ApiQuery,
    options: ReadOptions,
    parse: (wire: WireObject) => T,
  ): Promise<Answer<readonly T[]>> {
    const answer = await this.#api.request({ method: "GET", path, query, options, repeatable: true });
    const items = wireObjects(await jsonOf(answer, `GET ${path}`), `GET ${path}`);
    return answerOf(answer, items.map(parse));
  }
}

/** Reads a check's wire form, of `/v1/health` and `/v1/agent/checks` alike. */
export function parseCheck(wire: WireObject): HealthCheck {
  const definition = parseCheckDefinition(wire.object("Definition"));
  return {
    node: wire.text("Node"),
    checkId: wire.text("CheckID"),
    name: wire.text("Name"),
    status: statusOf(wire.text("Status")),
    notes: wire.text("Notes"),
    output: wire.text("Output"),
    serviceId: wire.text("ServiceID"),
    serviceName: wire.text("ServiceName"),
    serviceTags: wire.texts("ServiceTags"),
    type: wire.text("Type"),
    ...(Object.keys(definition).length > 0 ? { definition } : {}),
    createIndex: wire.number("CreateIndex"),
    modifyIndex: wire.number("ModifyIndex"),
  };
}

// Whatever a server may say that is not one of the three is no good health.
function statusOf(text: string): CheckStatus {
  return text === "passing" || text === "warning" ? text : "critical";
}
