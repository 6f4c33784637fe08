import { OperationalError } from "@millwright/core/errors";
import { type Chance, type Clock, systemChance, systemClock } from "@millwright/core/ports";
import { type ConsulConfig, consulTarget, consulToken } from "./consul-config.ts";
import { clientErrors, kindOfStatus } from "./errors.ts";
import { type HttpAnswer, type HttpCall, HttpConnections } from "./http.ts";
import { parseJson } from "./json.ts";
import { sendWithRetries } from "./retry.ts";

/** What every request may say. */
export interface CallOptions {
  /** In place of the client's own. */
  readonly token?: string;
  readonly datacenter?: string;
  readonly namespace?: string;
  readonly partition?: string;
  readonly signal?: AbortSignal;
}

/** What a read may say. */
export interface ReadOptions extends CallOptions {
  /** `default` and `consistent` see every write that was answered before; `stale` may be behind. */
  readonly consistency?: "default" | "consistent" | "stale";
  /** Answer only when the result's index is above this one, or `wait` is over. 0 answers at once. */
  readonly index?: number;
  /** Milliseconds; the server's own limits hold (5 minutes by default, 10 at most). */
  readonly wait?: number;
}

/** A read's result beside what its headers say. */
export interface Answer<T> {
  readonly value: T;
  /** What to give as `index` to wait for the next change of this result. */
  readonly index: number;
  readonly knownLeader: boolean;
  /** Milliseconds since the server that answered last heard of its leader. */
  readonly lastContact: number;
  /** Whether entries that the token may not see were left out. */
  readonly filtered: boolean;
}

export interface ApiRequest {
  readonly method: "GET" | "PUT" | "DELETE" | "POST";
  /** Percent-encoded, e.g. `/v1/kv/a%20b`. */
  readonly path: string;
  /** `true` is a parameter without a value, a list one that is there several times. */
  readonly query?: ApiQuery;
  readonly body?: HttpCall["body"];
  readonly options: ReadOptions;
  /** Whether carrying it out twice does no harm; only then is it sent again after a broken connection. */
  readonly repeatable: boolean;
  /** Statuses outside 2xx that are answers and no errors. */
  readonly accept?: readonly number[];
}

export type ApiQuery = Readonly<Record<string, string | true | readonly string[]>>;

/** Retries and ports of a client; the defaults suit. */
export interface ApiSettings {
  /** Times a request is sent at most, the first included. */
  readonly attempts?: number;
  /** What an answer has at most, in bytes; else as many as come. */
  readonly mostBytes?: number;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** The cause of an error that an answer stands behind: its status, and what its body says. */
export class RefusedAnswer extends Error {
  override readonly name = "RefusedAnswer";
  readonly status: number;

  constructor(status: number, said: string) {
    super(said);
    this.status = status;
  }
}

/** Requests to a server that speaks Consul's HTTP API: token, common parameters, retries, errors with address and advice. */
export class ConsulApi {
  readonly #connections: HttpConnections;
  readonly #config: ConsulConfig;
  readonly #token: string | undefined;
  readonly #attempts: number;
  readonly #mostBytes: number | undefined;
  readonly #clock: Clock;
  readonly #chance: Chance;

  constructor(config: ConsulConfig, settings: ApiSettings = {}) {
    this.#config = config;
    this.#connections = new HttpConnections(consulTarget(config));
    this.#token = consulToken(config);
    this.#attempts = settings.attempts ?? 3;
    this.#mostBytes = settings.mostBytes;
    this.#clock = settings.clock ?? systemClock;
    this.#chance = settings.chance ?? systemChance;
  }

  get address(): string {
    return this.#connections.address;
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /** Resolves with an accepted answer; rejects with an operational error of {@link clientErrors}. */
  request(request: ApiRequest): Promise<HttpAnswer> {
    const { repeatable, body, options } = request;
    const ports = { attempts: this.#attempts, clock: this.#clock, chance: this.#chance, signal: options.signal };
    return sendWithRetries({ ...ports, repeatable, body }, () => this.#once(request));
  }

  async #once(request: ApiRequest): Promise<HttpAnswer> {
    const { method, body, options, accept = [] } = request;
    const answer = await this.#connections.send({
      method,
      path: request.path + this.#queryOf(request),
      headers: this.#headers(options),
      timeoutMilliseconds: timeoutOf(options),
      ...(body === undefined ? {} : { body }),
      ...(this.#mostBytes === undefined ? {} : { mostBytes: this.#mostBytes }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if ((answer.status >= 200 && answer.status < 300) || accept.includes(answer.status)) return answer;
    throw await this.#refusal(request, answer);
  }

  #queryOf(request: ApiRequest): string {
    const { consistency, index, wait } = request.options;
    const { datacenter, namespace, partition } = { ...this.#config, ...request.options };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {})) {
      for (const one of typeof value === "object" ? value : [value]) query.append(name, one === true ? "" : one);
    }
    if (datacenter) query.set("dc", datacenter);
    if (namespace) query.set("ns", namespace);
    if (partition) query.set("partition", partition);
    if (consistency === "stale" || consistency === "consistent") query.set(consistency, "");
    if (index) query.set("index", String(index));
    if (index && wait !== undefined) query.set("wait", `${Math.ceil(wait)}ms`);
    const text = query.toString();
    return text === "" ? "" : `?${text}`;
  }

  #headers(options: CallOptions): Record<string, string> {
    const headers: Record<string, string> = { ...this.#config.headers };
    const token = options.token ?? this.#token;
    if (token) headers["x-consul-token"] = token;
    if (this.#config.basicAuth) {
      headers.authorization = `Basic ${Buffer.from(this.#config.basicAuth).toString("base64")}`;
    }
    return headers;
  }

  async #refusal(request: ApiRequest, answer: HttpAnswer): Promise<OperationalError> {
    const said =
      new TextDecoder()
        .decode(await answer.bytes())
        .trim()
        .slice(0, 2000) || "no reason given";
    const kind = kindOfStatus(answer.status);
    const advice = refusalAdvice[kind.code];
    const where = `${request.method} ${this.address}${request.path}`;
    const text = `${where} answered ${answer.status}: ${said}${advice ? `\n${advice}` : ""}`;
    return new OperationalError(kind, text, { cause: new RefusedAnswer(answer.status, said) });
  }
}

const refusalAdvice: Readonly<Record<string, string>> = {
  [clientErrors.denied.code]: "Check the token (CONSUL_HTTP_TOKEN, -token) and what its policies allow.",
  [clientErrors.serverFailed.code]: "The server's log says more; the request can be made again.",
  [clientErrors.rateLimited.code]: "Try again later, or with fewer requests at a time.",
};

function timeoutOf({ index, wait = 300_000 }: ReadOptions): number {
  // The server adds up to a sixteenth to what is asked; the rest is for the way.
  return 60_000 + (index ? wait + wait / 16 : 0);
}

/** A path's variable part, with its slashes kept. */
export function encodePath(text: string): string {
  return text.split("/").map(encodeURIComponent).join("/");
}

/** Puts the headers of a read beside its value. */
export function answerOf<T>(answer: HttpAnswer, value: T): Answer<T> {
  return {
    value,
    index: Number(answer.header("x-consul-index") ?? 0),
    knownLeader: answer.header("x-consul-knownleader") === "true",
    lastContact: Number(answer.header("x-consul-lastcontact") ?? 0),
    filtered: answer.header("x-consul-results-filtered-by-acls") === "true",
  };
}

/** The JSON body of an answer, with whole numbers above 2^53 as bigint. Rejects with `badAnswer`. */
export async function jsonOf(answer: HttpAnswer, what: string): Promise<unknown> {
  const text = new TextDecoder().decode(await answer.bytes());
  try {
    return parseJson(text);
  } catch (error) {
    throw badAnswer(what, `its answer is not JSON: ${text.slice(0, 200)}`, error);
  }
}

/** The error for an answer that breaks the protocol. */
export function badAnswer(what: string, why: string, cause?: unknown): OperationalError {
  const text = `${what}: ${why}. Check that the address is that of a Consul HTTP API.`;
  return new OperationalError(clientErrors.badAnswer, text, { cause });
}
