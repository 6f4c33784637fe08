import {
  type Answer,
  answerOf,
  type CallOptions,
  type ConsulApi,
  jsonOf,
  type ReadOptions,
  badAnswer,
} from "./consul-api.ts";
import { WireObject, wireObjects } from "./consul-wire.ts";

/** A session: what holds keys as locks, for as long as its node, its checks and its time to live allow. */
export interface Session {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly lockDelayMilliseconds: number;
  /** What becomes of the keys that it holds when it ends. */
  readonly behavior: "release" | "delete";
  /** A Go duration; empty where it has none. */
  readonly ttl: string;
  readonly nodeChecks: readonly string[];
  readonly serviceChecks: readonly { readonly id: string; readonly namespace: string }[];
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** What a new session may say; the server's defaults hold for the rest. */
export interface SessionRequest {
  readonly name?: string;
  readonly node?: string;
  /** At most 60,000; 15,000 by default. */
  readonly lockDelayMilliseconds?: number;
  readonly behavior?: "release" | "delete";
  /** A Go duration from `10s` to `24h`; the session ends when it is not renewed for that long, or up to twice as long. */
  readonly ttl?: string;
  readonly nodeChecks?: readonly string[];
  readonly serviceChecks?: readonly { readonly id: string }[];
}

/** `/v1/session`. */
export class ConsulSessions {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** Resolves to the new session's id. */
  async create(request: SessionRequest = {}, options: CallOptions = {}): Promise<string> {
    const { name, node, lockDelayMilliseconds, behavior, ttl, nodeChecks, serviceChecks } = request;
    const body = {
      Name: name,
      Node: node,
      LockDelay: lockDelayMilliseconds === undefined ? undefined : `${lockDelayMilliseconds}ms`,
      Behavior: behavior,
      TTL: ttl,
      NodeChecks: nodeChecks,
      ServiceChecks: serviceChecks?.map(({ id }) => ({ ID: id })),
    };
    const answer = await this.#put("/v1/session/create", options, { body, repeatable: false });
    const id = new WireObject(await jsonOf(answer, "creating a session"), "creating a session").text("ID");
    if (id === "") throw badAnswer("creating a session", "its answer has no ID");
    return id;
  }

  /** Ends a session; that there is none is no error. */
  async destroy(id: string, options: CallOptions = {}): Promise<void> {
    const answer = await this.#put(`/v1/session/destroy/${encodeURIComponent(id)}`, options, { repeatable: true });
    await answer.bytes();
  }

  /** Starts the session's time to live anew; undefined where it has ended. */
  async renew(id: string, options: CallOptions = {}): Promise<Session | undefined> {
    const path = `/v1/session/renew/${encodeURIComponent(id)}`;
    const answer = await this.#put(path, options, { repeatable: true, accept: [404] });
    if (answer.status !== 404) return parseSessions(await jsonOf(answer, "renewing a session"))[0];
    await answer.bytes();
    return undefined;
  }

  /** Undefined where there is no such session. */
  async info(id: string, options: ReadOptions = {}): Promise<Answer<Session | undefined>> {
    const answer = await this.#list(`/v1/session/info/${encodeURIComponent(id)}`, options);
    return { ...answer, value: answer.value[0] };
  }

  node(name: string, options: ReadOptions = {}): Promise<Answer<readonly Session[]>> {
    return this.#list(`/v1/session/node/${encodeURIComponent(name)}`, options);
  }

  list(options: ReadOptions = {}): Promise<Answer<readonly Session[]>> {
    return this.#list("/v1/session/list", options);
  }

  async #list(path: string, options: ReadOptions): Promise<Answer<readonly Session[]>> {
    const answer = await this.#api.request({ method: "GET", path, options, repeatable: true });
    return answerOf(answer, parseSessions(await jsonOf(answer, `GET ${path}`)));
  }

  #put(
    path: string,
    options: CallOptions,
    sent: { readonly body?: object; readonly repeatable: boolean; readonly accept?: readonly number[] },
  ) {
    const { body, ...rest } = sent;
    const bytes = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    return this.#api.request({ method: "PUT", path, options, ...rest, ...bytes });
  }
}

function parseSessions(wire: unknown): readonly Session[] {
  return wireObjects(wire, "a session").map((fields) => ({
    id: fields.text("ID"),
    name: fields.text("Name"),
    node: fields.text("Node"),
    // A number of nanoseconds.
    lockDelayMilliseconds: fields.number("LockDelay") / 1e6,
    behavior: fields.text("Behavior") === "delete" ? "delete" : "release",
    ttl: fields.text("TTL"),
    nodeChecks: fields.texts("NodeChecks"),
    serviceChecks: fields
      .objects("ServiceChecks")
      .map((check) => ({ id: check.text("ID"), namespace: check.text("Namespace") })),
    createIndex: fields.number("CreateIndex"),
    modifyIndex: fields.number("ModifyIndex"),
  }));
}
