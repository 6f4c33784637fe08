import {
  listRequest,
  type NomadAnswer,
  type NomadApi,
  type NomadCallOptions,
  type NomadListOptions,
  type NomadReadOptions,
  segment,
} from "./nomad-api.ts";
import {
  type Allocation,
  allocation,
  type Node,
  type NodeListStub,
  type NodeUpdate,
  node,
  nodeListStub,
  nodeUpdate,
  type NodeUsage,
  nodeUsage,
} from "./nomad-records.ts";
import { listOf } from "./nomad-wire.ts";

/** How a node is emptied. */
export interface DrainRequest {
  /** Nanoseconds until what is left is stopped: 0 for never, -1 for at once. */
  readonly deadline: number;
  readonly ignoreSystemJobs?: boolean;
}

/** `/v1/nodes` and `/v1/node`. */
export class NomadNodes {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  list(options: NomadListOptions = {}): Promise<NomadAnswer<readonly NodeListStub[]>> {
    const { path, query, options: rest } = listRequest("/v1/nodes", options);
    return this.#api.read(
      { path, query: { ...query, resources: true, os: true }, options: rest },
      listOf(nodeListStub),
    );
  }

  /** Undefined where there is no such node. The id has to be whole: {@link list} finds it by its beginning. */
  get(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<Node | undefined>> {
    return this.#api.find({ path: `/v1/node/${segment(id)}`, options }, node);
  }

  allocations(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<readonly Allocation[]>> {
    return this.#api.read({ path: `/v1/node/${segment(id)}/allocations`, options }, listOf(allocation));
  }

  /** What the whole node uses now, by its own word. */
  async usage(id: string, options: NomadReadOptions = {}): Promise<NodeUsage> {
    return (await this.#api.read({ path: "/v1/client/stats", query: { node_id: id }, options }, nodeUsage)).value;
  }

  /** Whether new work may be placed there. */
  setEligibility(
    id: string,
    eligibility: "eligible" | "ineligible",
    options: NomadCallOptions = {},
  ): Promise<NodeUpdate> {
    const body = { NodeID: id, Eligibility: eligibility };
    return this.#api.write({ path: `/v1/node/${segment(id)}/eligibility`, body, options }, nodeUpdate);
  }

  /** Moves the node's work elsewhere, and gives it no more. */
  drain(id: string, request: DrainRequest, options: NomadCallOptions = {}): Promise<NodeUpdate> {
    const { deadline, ignoreSystemJobs = false } = request;
    const body = { NodeID: id, DrainSpec: { Deadline: deadline, IgnoreSystemJobs: ignoreSystemJobs } };
    return this.#api.write({ path: `/v1/node/${segment(id)}/drain`, body, options }, nodeUpdate);
  }

  /** Ends a drain; `eligible` says whether the node gets work again. */
  stopDrain(id: string, eligible: boolean, options: NomadCallOptions = {}): Promise<NodeUpdate> {
    const body = { NodeID: id, DrainSpec: null, MarkEligible: eligible };
    return this.#api.write({ path: `/v1/node/${segment(id)}/drain`, body, options }, nodeUpdate);
  }
}
