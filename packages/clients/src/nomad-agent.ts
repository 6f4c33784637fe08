import type { NomadApi, NomadCallOptions, NomadReadOptions } from "./nomad-api.ts";
import { type AgentMember, agentMember } from "./nomad-records.ts";
import { anything, listOf, mapOf, object, record, text, texts } from "./nomad-wire.ts";

/** What the agent that answers says of itself. */
export interface NomadAgentSelf {
  readonly config: Readonly<Record<string, unknown>>;
  readonly member: AgentMember;
  /** Numbers of its parts, as texts: `{ client: { node_id: "…" } }`. */
  readonly stats: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** `/v1/agent`, `/v1/status`, `/v1/regions`, `/v1/system`, and the keys of workload identities. */
export class NomadAgent {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  async self(options: NomadCallOptions = {}): Promise<NomadAgentSelf> {
    const { value } = await this.#api.read({ path: "/v1/agent/self", options }, agentSelf);
    return { config: value.config, member: value.member, stats: value.stats };
  }

  async members(options: NomadCallOptions = {}): Promise<readonly AgentMember[]> {
    const members = record({ Members: listOf(agentMember) });
    return (await this.#api.read({ path: "/v1/agent/members", options }, members)).value.Members;
  }

  /** `host:port` of the leading server; empty where none is known. */
  async leader(options: NomadReadOptions = {}): Promise<string> {
    return (await this.#api.read({ path: "/v1/status/leader", options }, text)).value;
  }

  /** `host:port` of each server. */
  async peers(options: NomadReadOptions = {}): Promise<readonly string[]> {
    return (await this.#api.read({ path: "/v1/status/peers", options }, texts)).value;
  }

  async regions(options: NomadReadOptions = {}): Promise<readonly string[]> {
    return (await this.#api.read({ path: "/v1/regions", options }, texts)).value;
  }

  /** The public keys of workload identities, as RFC 7517 writes them. */
  async jwks(options: NomadReadOptions = {}): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const keys = record({ keys: listOf(object) });
    return (await this.#api.read({ path: "/.well-known/jwks.json", options }, keys)).value.keys;
  }

  /** Has the server forget what has ended. */
  async collectGarbage(options: NomadCallOptions = {}): Promise<void> {
    await this.#api.write({ path: "/v1/system/gc", options, repeatable: true }, anything);
  }
}

const agentSelf = record({ config: object, member: agentMember, stats: mapOf(mapOf(text)) });
