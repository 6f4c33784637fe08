import { OperationalError } from "@millwright/core/errors";
import { type Chance, type Clock, systemChance, systemClock } from "@millwright/core/ports";
import { clientErrors, kindOfStatus } from "./errors.ts";
import { type HttpAnswer, HttpConnections } from "./http.ts";
import { formatJson, parseJson } from "./json.ts";
import { type NomadConfig, nomadTarget } from "./nomad-config.ts";
import type { WireReader } from "./nomad-wire.ts";
import { sendWithRetries } from "./retry.ts";

/** What every request may say. */
export interface NomadCallOptions {
  /** In place of the client's own. */
  readonly token?: string;
  readonly region?: string;
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

/** What a read may say. */
export interface NomadReadOptions extends NomadCallOptions {
  /** Let any server answer from what it has, which may be behind. */
  readonly stale?: boolean;
  /** Answer only when the result's index is above this one, or `wait` is over. 0 answers at once. */
  readonly index?: number;
  /** Milliseconds; the server's own limits hold (5 minutes by default, 10 at most). */
  readonly wait?: number;
}

/** What a list may say. */
export interface NomadListOptions extends NomadReadOptions {
  /** Only what has an id that begins with this. */
  readonly prefix?: string;
  /** Only what it holds for, as `Status == "running"`. */
  readonly filter?: string;
  /** So many at most; the answer's `nextToken` asks for those that follow. */
  readonly perPage?: number;
  readonly nextToken?: string;
  /** The newest first. */
  readonly reverse?: boolean;
}

/** A read's result beside what its headers say. */
export interface NomadAnswer<T> {
  readonly value: T;
  /** What to give as `index` to wait for the next change of this result. */
  readonly index: number;
  readonly knownLeader: boolean;
  /** Milliseconds since the server that answered last heard of its leader. */
  readonly lastContact: number;
  /** Where more follows, what to give as `nextToken` for it; else empty. */
  readonly nextToken: string;
}

export interface NomadRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Percent-encoded, e.g. `/v1/job/a%2Fb`. */
  readonly path: string;
  readonly query?: NomadQuery;
  /** To be sent as JSON. */
  readonly body?: unknown;
  readonly options: NomadReadOptions;
  /** Whether carrying it out twice does no harm; only then is it sent again after a broken connection. */
  readonly repeatable: boolean;
  /** Statuses outside 2xx that are answers and no errors. */
  readonly accept?: readonly number[];
  /** The answer goes on for as long as somebody reads it. */
  readonly endless?: boolean;
}

/** Parameters of a request; those that are undefined are not sent. */
export type NomadQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** Retries and ports of a client; the defaults suit. */
export interface NomadSettings {
  /** Times a request is sent at most, the first included. */
  readonly attempts?: number;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** The cause of an error that an answer stands behind: its status, and the server's own words. */
export class NomadRefusal extends Error {
  override readonly name = "NomadRefusal";
  readonly status: number;

  constructor(status: number, said: string) {
    super(said);
    this.status = status;
  }
}

/** Requests to a server that speaks Nomad's HTTP API: token, common parameters, retries, errors with address and advice. */
export class NomadApi {
  readonly #connections: HttpConnections;
  readonly #config: NomadConfig;
  readonly #settings: Required<NomadSettings>;

  constructor(config: NomadConfig, settings: NomadSettings = {}) {
    this.#config = config;
    this.#connections = new HttpConnections(nomadTarget(config));
    this.#settings = { attempts: 3, clock: systemClock, chance: systemChance, ...settings };
  }

  get address(): string {
    return this.#connections.address;
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /** Resolves with an accepted answer; rejects with an operational error of {@link clientErrors}. */
  request(request: NomadRequest): Promise<HttpAnswer> {
    const { repeatable, options } = request;
    const body = request.body === undefined ? undefined : Buffer.from(formatJson(request.body));
    return sendWithRetries({ ...this.#settings, repeatable, body, signal: options.signal }, () =>
      this.#once(request, body),
    );
  }

  /** A read of something that is there. */
  async read<T>(request: NomadRead, reader: WireReader<T>): Promise<NomadAnswer<T>> {
    const answer = await this.request({ ...request, method: "GET", repeatable: true });
    return answerOf(answer, reader(await jsonOf(answer, request.path), request.path));
  }

  /** A read of something that may not be there: undefined where the answer is 404. */
  async find<T>(request: NomadRead, reader: WireReader<T>): Promise<NomadAnswer<T | undefined>> {
    const answer = await this.request({ ...request, method: "GET", repeatable: true, accept: [404] });
    if (answer.status !== 404) return answerOf(answer, reader(await jsonOf(answer, request.path), request.path));
    await answer.bytes();
    return answerOf(answer, undefined);
  }

  /** A write, and what is answered. It is not sent again where it may have been carried out, but where said so. */
  async write<T>(request: NomadWrite, reader: WireReader<T>): Promise<T> {
    const answer = await this.request({ method: "PUT", repeatable: false, ...request });
    return reader(await jsonOf(answer, request.path), request.path);
  }

  async #once(request: NomadRequest, body: Uint8Array | undefined): Promise<HttpAnswer> {
    const { method, options, accept = [] } = request;
    const answer = await this.#connections.send({
      method,
      path: request.path + this.#queryOf(request),
      headers: this.#headers(options, body),
      timeoutMilliseconds: request.endless ? 0 : timeoutOf(options),
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if ((answer.status >= 200 && answer.status < 300) || accept.includes(answer.status)) return answer;
    throw await this.#refusal(request, answer);
  }

  #queryOf(request: NomadRequest): string {
    const { stale, index, wait } = request.options;
    const { region, namespace } = { ...this.#config, ...request.options };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {}))
      if (value !== undefined) query.set(name, String(value));
    if (region) query.set("region", region);
    if (namespace) query.set("namespace", namespace);
    if (stale) query.set("stale", "");
    if (index) query.set("index", String(index));
    if (index && wait !== undefined) query.set("wait", `${Math.ceil(wait)}ms`);
    const text = query.toString();
    return text === "" ? "" : `?${text}`;
  }

  #headers(options: NomadCallOptions, body: Uint8Array | undefined): Record<string, string> {
    const headers: Record<string, string> = { ...this.#config.headers };
    const token = options.token ?? this.#config.token;
    if (token) headers["x-nomad-token"] = token;
    if (body) headers["content-type"] = "application/json";
    if (this.#config.basicAuth) {
      headers.authorization = `Basic ${Buffer.from(this.#config.basicAuth).toString("base64")}`;
    }
    return headers;
  }

  async #refusal(request: NomadRequest, answer: HttpAnswer): Promise<OperationalError> {
    const said = decode(await answer.bytes()).trim() || "no reason given";
    const kind = kindOfRefusal(answer.status, said);
    const advice = refusalAdvice[kind.code];
    const where = `${request.method} ${this.address}${request.path}`;
    const text = `${where} answered ${answer.status}: ${said}${advice ? `\n${advice}` : ""}`;
    return new OperationalError(kind, text, { cause: new NomadRefusal(answer.status, said) });
  }
}

export interface NomadRead {
  readonly path: string;
  readonly query?: NomadQuery;
  readonly options: NomadReadOptions;
}

export interface NomadWrite {
  readonly method?: "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: NomadQuery;
  readonly body?: unknown;
  readonly options: NomadCallOptions;
  readonly repeatable?: boolean;
}

/** The parameters of a list, and the options that are left. */
export function listRequest(
  path: string,
  { prefix, filter, perPage, nextToken, reverse, ...options }: NomadListOptions,
) {
  const query = { prefix, filter, per_page: perPage, next_token: nextToken, reverse };
  return { path, query, options };
}

/** A path's part with nothing left that a path would take for its own. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

// Nomad answers 500 where it refuses, too: only one without a leader may be asked again.
function kindOfRefusal(status: number, said: string) {
  if (status === 500 && !/leader/i.test(said)) return clientErrors.refused;
  return kindOfStatus(status);
}

const refusalAdvice: Readonly<Record<string, string>> = {
  [clientErrors.denied.code]: "Check the token (NOMAD_TOKEN, -token) and what its policies allow.",
  [clientErrors.rateLimited.code]: "Try again later, or with fewer requests at a time.",
};

function timeoutOf({ index, wait = 300_000 }: NomadReadOptions): number {
  // The server adds up to a sixteenth to what is asked; the rest is for the way.
  return 60_000 + (index ? wait + wait / 16 : 0);
}

function answerOf<T>(answer: HttpAnswer, value: T): NomadAnswer<T> {
  return {
    value,
    index: Number(answer.header("x-nomad-index") ?? 0),
    knownLeader: answer.header("x-nomad-knownleader") === "true",
    lastContact: Number(answer.header("x-nomad-lastcontact") ?? 0),
    nextToken: answer.header("x-nomad-nexttoken") ?? "",
  };
}

/** The JSON body of an answer, with whole numbers above 2^53 as bigint; nothing at all is null. Rejects with `badAnswer`. */
async function jsonOf(answer: HttpAnswer, what: string): Promise<unknown> {
  const text = decode(await answer.bytes());
  if (text.trim() === "") return null;
  try {
    return parseJson(text);
  } catch (error) {
    throw badNomadAnswer(what, `the answer is not JSON: ${text.slice(0, 200)}`, error);
  }
}

/** The error for an answer that breaks the protocol. */
export function badNomadAnswer(what: string, why: string, cause?: unknown): OperationalError {
  const text = `${what}: ${why}. Check that the address is that of a Nomad HTTP API.`;
  return new OperationalError(clientErrors.badAnswer, text, { cause });
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
