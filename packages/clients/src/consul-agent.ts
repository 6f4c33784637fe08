import { type CallOptions, type ConsulApi, jsonOf } from "./consul-api.ts";
import { type CheckStatus, type NodeService, parseNodeService } from "./consul-catalog.ts";
import { type HealthCheck, parseCheck } from "./consul-health.ts";
import { WireObject, wireEntries, wireObjects } from "./consul-wire.ts";

/** A member of the datacenter, as the agent that is asked knows it. */
export interface AgentMember {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** `role` is `consul` for a server and `node` for a client; `dc`, `id`, `build` …. */
  readonly tags: Readonly<Record<string, string>>;
  readonly status: MemberStatus;
  /** The version of the members' protocol in use. */
  readonly protocol: number;
}

export type MemberStatus = "none" | "alive" | "leaving" | "left" | "failed";

/**
 * A service or check in the API's own form (its names in CamelCase or snake_case), which the agent parses and refuses:
 * `{ Name: "web", Port: 80, Check: { TTL: "10s" } }`.
 */
export type AgentDefinition = Readonly<Record<string, unknown>>;

/** `/v1/agent`: the services and checks of the node that is asked, and what it knows of others. */
export class ConsulAgent {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** What the agent says of itself, as it says it: `Config`, `Member`, `Stats`, `Meta`. */
  async self(options: CallOptions = {}): Promise<Readonly<Record<string, unknown>>> {
    return Object.fromEntries(wireEntries(await this.#get("/v1/agent/self", options), "asking the agent for itself"));
  }

  async members(options: CallOptions & { readonly filter?: string } = {}): Promise<readonly AgentMember[]> {
    return wireObjects(await this.#get("/v1/agent/members", options), "asking for the members").map(parseMember);
  }

  async services(options: CallOptions & { readonly filter?: string } = {}): Promise<readonly NodeService[]> {
    const wire = await this.#get("/v1/agent/services", options);
    return wireEntries(wire, "asking the agent for its services").map(([id, service]) =>
      parseNodeService(new WireObject(service, `the service ${JSON.stringify(id)}`)),
    );
  }

  async checks(options: CallOptions & { readonly filter?: string } = {}): Promise<readonly HealthCheck[]> {
    const wire = await this.#get("/v1/agent/checks", options);
    return wireEntries(wire, "asking the agent for its checks").map(([id, check]) =>
      parseCheck(new WireObject(check, `the check ${JSON.stringify(id)}`)),
    );
  }

  /** Registers a service on the agent's node, or replaces it. */
  registerService(definition: AgentDefinition, options: CallOptions = {}): Promise<void> {
    return this.#put("/v1/agent/service/register", options, { body: definition });
  }

  /** Rejects with `notFound` where the agent has no such service. */
  deregisterService(id: string, options: CallOptions = {}): Promise<void> {
    return this.#put(`/v1/agent/service/deregister/${encodeURIComponent(id)}`, options);
  }

  registerCheck(definition: AgentDefinition, options: CallOptions = {}): Promise<void> {
    return this.#put("/v1/agent/check/register", options, { body: definition });
  }

  deregisterCheck(id: string, options: CallOptions = {}): Promise<void> {
    return this.#put(`/v1/agent/check/deregister/${encodeURIComponent(id)}`, options);
  }

  /** Sets the state of a TTL check, for its time to live. */
  updateCheck(
    id: string,
    state: { readonly status: CheckStatus; readonly output?: string },
    options: CallOptions = {},
  ): Promise<void> {
    const body = { Status: state.status, Output: state.output ?? "" };
    return this.#put(`/v1/agent/check/update/${encodeURIComponent(id)}`, options, { body });
  }

  passCheck(id: string, note = "", options: CallOptions = {}): Promise<void> {
    return this.#mark("pass", id, note, options);
  }

  warnCheck(id: string, note = "", options: CallOptions = {}): Promise<void> {
    return this.#mark("warn", id, note, options);
  }

  failCheck(id: string, note = "", options: CallOptions = {}): Promise<void> {
    return this.#mark("fail", id, note, options);
  }

  /** Takes the node out of use, or one service of it, or puts it back. */
  maintenance(request: MaintenanceRequest, options: CallOptions = {}): Promise<void> {
    const { enable, reason = "", serviceId } = request;
    const path =
      serviceId === undefined
        ? "/v1/agent/maintenance"
        : `/v1/agent/service/maintenance/${encodeURIComponent(serviceId)}`;
    return this.#put(path, options, { query: { enable: String(enable), ...(reason ? { reason } : {}) } });
  }

  /** Has the agent join the one at `address`. */
  join(address: string, options: CallOptions & { readonly wan?: boolean } = {}): Promise<void> {
    const query: Record<string, string> = options.wan ? { wan: "1" } : {};
    return this.#put(`/v1/agent/join/${encodeURIComponent(address)}`, options, { query });
  }

  /** Has the agent read its configuration again. */
  reload(options: CallOptions = {}): Promise<void> {
    return this.#put("/v1/agent/reload", options);
  }

  /** Has the agent leave, and end. */
  leave(options: CallOptions = {}): Promise<void> {
    return this.#put("/v1/agent/leave", options);
  }

  #mark(verb: "pass" | "warn" | "fail", id: string, note: string, options: CallOptions): Promise<void> {
    const query: Record<string, string> = note ? { note } : {};
    return this.#put(`/v1/agent/check/${verb}/${encodeURIComponent(id)}`, options, { query });
  }

  async #get(path: string, options: CallOptions & { readonly filter?: string }): Promise<unknown> {
    const query: Record<string, string> = options.filter ? { filter: options.filter } : {};
    return jsonOf(await this.#api.request({ method: "GET", path, query, options, repeatable: true }), `GET ${path}`);
  }

  async #put(
    path: string,
    options: CallOptions,
    sent: { readonly body?: object; readonly query?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    const { body, query = {} } = sent;
    const bytes = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const answer = await this.#api.request({ method: "PUT", path, query, options, repeatable: true, ...bytes });
    await answer.bytes();
  }
}

export interface MaintenanceRequest {
  readonly enable: boolean;
  readonly reason?: string;
  /** One service in place of the whole node. */
  readonly serviceId?: string;
}

const memberStatuses = ["none", "alive", "leaving", "left", "failed"] as const;

function parseMember(wire: WireObject): AgentMember {
  return {
    name: wire.text("Name"),
    address: wire.text("Addr"),
    port: wire.number("Port"),
    tags: wire.map("Tags"),
    status: memberStatuses[wire.number("Status")] ?? "none",
    protocol: wire.number("ProtocolCur"),
  };
}
