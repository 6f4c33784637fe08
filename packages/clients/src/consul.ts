import {
  type Answer,
  type ApiQuery,
  type ApiSettings,
  answerOf,
  badAnswer,
  type CallOptions,
  ConsulApi,
  jsonOf,
  type ReadOptions,
} from "./consul-api.ts";
import { ConsulAcl } from "./consul-acl.ts";
import { ConsulAgent } from "./consul-agent.ts";
import { ConsulCatalog } from "./consul-catalog.ts";
import type { ConsulConfig } from "./consul-config.ts";
import { ConsulEvents } from "./consul-events.ts";
import { ConsulHealth } from "./consul-health.ts";
import { ConsulKv, type KvEntry } from "./consul-kv.ts";
import { ConsulSessions } from "./consul-session.ts";
import { type KvOperation, runTransaction, type TransactionOutcome } from "./consul-txn.ts";
import { watchAnswers, type WatchSettings } from "./consul-watch.ts";
import { NodeProtocol } from "./node-protocol.ts";

/**
 * A typed client of Consul's HTTP API, for what our own server has too. Opens no connection before its first call.
 * Every call rejects with an operational error of `clientErrors` that names the address and what to check.
 *
 * The constructor throws `badConfiguration` where the address, token file or certificates cannot be used.
 */
export class ConsulClient {
  readonly acl: ConsulAcl;
  readonly kv: ConsulKv;
  readonly catalog: ConsulCatalog;
  readonly health: ConsulHealth;
  readonly agent: ConsulAgent;
  readonly sessions: ConsulSessions;
  readonly events: ConsulEvents;
  /** What our own nodes say to our own servers beside Consul's API. */
  readonly node: NodeProtocol;
  readonly #api: ConsulApi;

  constructor(config: ConsulConfig, settings: ApiSettings = {}) {
    this.#api = new ConsulApi(config, settings);
    this.acl = new ConsulAcl(this.#api);
    this.kv = new ConsulKv(this.#api);
    this.catalog = new ConsulCatalog(this.#api);
    this.health = new ConsulHealth(this.#api);
    this.agent = new ConsulAgent(this.#api);
    this.sessions = new ConsulSessions(this.#api);
    this.events = new ConsulEvents(this.#api);
    this.node = new NodeProtocol(this.#api);
  }

  /** The server's address, for messages. */
  get address(): string {
    return this.#api.address;
  }

  /** Ends its connections; calls under way fail. */
  close(): Promise<void> {
    return this.#api.close();
  }

  /** All operations or none; a conflict is an outcome, not an error. */
  transaction(operations: readonly KvOperation[], options: CallOptions = {}): Promise<TransactionOutcome> {
    return runTransaction(this.#api, operations, options);
  }

  /** Any read in the server's own JSON, for what is passed on as it is; undefined where the answer is 404. */
  async read(path: string, query: ApiQuery, options: ReadOptions = {}): Promise<Answer<unknown>> {
    const answer = await this.#api.request({ method: "GET", path, query, options, repeatable: true, accept: [404] });
    if (answer.status !== 404) return answerOf(answer, await jsonOf(answer, `GET ${path}`));
    await answer.bytes();
    return answerOf(answer, undefined);
  }

  /** One key and each later state of it, until the signal aborts. */
  watchKey(key: string, settings: WatchSettings & CallOptions): AsyncGenerator<Answer<KvEntry | undefined>> {
    return watchAnswers((position) => this.kv.get(key, { ...settings, ...position }), settings);
  }

  /** All keys under a prefix and each later state of them, until the signal aborts. */
  watchPrefix(prefix: string, settings: WatchSettings & CallOptions): AsyncGenerator<Answer<readonly KvEntry[]>> {
    return watchAnswers((position) => this.kv.list(prefix, { ...settings, ...position }), settings);
  }

  /** `host:port` of the leading server; empty where none is known. */
  async leader(options: ReadOptions = {}): Promise<string> {
    const body = await this.#json("/v1/status/leader", options);
    if (typeof body !== "string") throw badAnswer("asking for the leader", "its answer is no address");
    return body;
  }

  /** `host:port` of each server. */
  async peers(options: ReadOptions = {}): Promise<readonly string[]> {
    const body = await this.#json("/v1/status/peers", options);
    if (!Array.isArray(body)) throw badAnswer("asking for the peers", "its answer is no list");
    return body.map(String);
  }

  /** What the agent that answers says of itself. */
  async agentSelf(options: CallOptions = {}): Promise<AgentSelf> {
    const body = await this.#json("/v1/agent/self", options);
    const config = (body as { readonly Config?: Record<string, unknown> } | null)?.Config;
    if (!config) throw badAnswer("asking the agent for itself", "its answer has no Config");
    return {
      datacenter: String(config.Datacenter ?? ""),
      nodeName: String(config.NodeName ?? ""),
      nodeId: String(config.NodeID ?? ""),
      version: String(config.Version ?? ""),
      revision: String(config.Revision ?? ""),
      server: config.Server === true,
    };
  }

  /** Trades a bearer token (a JWT) at an auth method for a token of the server's own: its secret. */
  async login(request: LoginRequest, options: CallOptions = {}): Promise<string> {
    const wire = { AuthMethod: request.authMethod, BearerToken: request.bearerToken, Meta: request.meta };
    const call = { method: "POST", path: "/v1/acl/login", options, repeatable: false } as const;
    const body = await jsonOf(
      await this.#api.request({ ...call, body: Buffer.from(JSON.stringify(wire)) }),
      "logging in",
    );
    const { SecretID } = (body ?? {}) as { readonly SecretID?: unknown };
    if (typeof SecretID !== "string") throw badAnswer("logging in", "its answer has no SecretID");
    return SecretID;
  }

  /** An archive of all state, piece by piece, at one index. */
  async saveSnapshot(options: ReadOptions = {}): Promise<Answer<AsyncIterable<Uint8Array>>> {
    const answer = await this.#api.request({ method: "GET", path: "/v1/snapshot", options, repeatable: true });
    return answerOf(answer, answer.stream());
  }

  /** Puts the state of an archive in place of the server's own. */
  async restoreSnapshot(archive: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    const request = { method: "PUT", path: "/v1/snapshot", body: archive, options, repeatable: false } as const;
    const answer = await this.#api.request(request);
    await answer.bytes();
  }

  async #json(path: string, options: ReadOptions): Promise<unknown> {
    return jsonOf(await this.#api.request({ method: "GET", path, options, repeatable: true }), `GET ${path}`);
  }
}

export interface LoginRequest {
  readonly authMethod: string;
  readonly bearerToken: string;
  readonly meta?: Readonly<Record<string, string>>;
}

export interface AgentSelf {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly version: string;
  readonly revision: string;
  readonly server: boolean;
}
