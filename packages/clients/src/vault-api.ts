import { OperationalError } from "@millwright/core/errors";
import { type Chance, type Clock, systemChance, systemClock } from "@millwright/core/ports";
import { clientErrors, kindOfStatus } from "./errors.ts";
import { type HttpAnswer, HttpConnections } from "./http.ts";
import { formatJson, parseJson } from "./json.ts";
import { sendWithRetries } from "./retry.ts";
import { type VaultConfig, vaultTarget } from "./vault-config.ts";

/** What every request may say. */
export interface VaultCallOptions {
  /** In place of the client's own; empty for none. */
  readonly token?: string;
  readonly namespace?: string;
  /** Asks for the answer wrapped in a single-use token that lives this long: `60s`. In place of the client's own; empty for no wrapping. */
  readonly wrapTtl?: string;
  readonly signal?: AbortSignal;
}

export interface VaultRequest {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** Below `/v1/`, as people write it: `secret/data/my app`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** To be sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly options: VaultCallOptions;
  /** Whether carrying it out twice does no harm. */
  readonly repeatable: boolean;
  /** Statuses outside 2xx that are answers and no errors. */
  readonly accept?: readonly number[];
}

/** A status with the parsed body; no body gives undefined. */
export interface VaultAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface VaultSettings {
  /** Times a request is sent at most, the first included. */
  readonly attempts?: number;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** The cause of an error that an answer stands behind: its status, the errors it lists, and what was asked. */
export class VaultRefusal extends Error {
  override readonly name = "VaultRefusal";
  readonly status: number;
  readonly errors: readonly string[];
  /** `GET http://127.0.0.1:8200/v1/secret/data/app`. */
  readonly request: string;
  /** What to do, where that can be told; else empty. */
  readonly advice: string;

  constructor({ status, errors, request, advice }: Pick<VaultRefusal, "status" | "errors" | "request" | "advice">) {
    super(errors.join("; "));
    this.status = status;
    this.errors = errors;
    this.request = request;
    this.advice = advice;
  }
}

/** Requests to a server that speaks Vault's HTTP API: token, retries, errors with address and advice, never with a secret. */
export class VaultApi {
  readonly #connections: HttpConnections;
  readonly #config: VaultConfig;
  readonly #settings: Required<VaultSettings>;

  constructor(config: VaultConfig, settings: VaultSettings = {}) {
    this.#config = config;
    this.#connections = new HttpConnections(vaultTarget(config));
    this.#settings = { attempts: 3, clock: systemClock, chance: systemChance, ...settings };
  }

  get address(): string {
    return this.#connections.address;
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /** Resolves with an accepted answer; rejects with an operational error of {@link clientErrors}. */
  request(request: VaultRequest): Promise<VaultAnswer> {
    const { repeatable, options } = request;
    const body = request.body === undefined ? undefined : Buffer.from(formatJson(request.body));
    return sendWithRetries({ ...this.#settings, repeatable, body, signal: options.signal }, () =>
      this.#once(request, body),
    );
  }

  async #once(request: VaultRequest, body: Uint8Array | undefined): Promise<VaultAnswer> {
    const { method, options, accept = [] } = request;
    const answer = await this.#connections.send({
      method,
      path: urlPath(request),
      headers: this.#headers(request),
      timeoutMilliseconds: this.#config.timeoutMilliseconds ?? 60_000,
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const isGood = (answer.status >= 200 && answer.status < 300) || accept.includes(answer.status);
    const parsed = await this.#bodyOf(request, answer, isGood);
    // A 404 that lists errors is no absence: the path itself is wrong.
    if (isGood && !(answer.status === 404 && errorsOf(parsed).length > 0))
      return { status: answer.status, body: parsed };
    throw this.#refusal(request, answer.status, parsed);
  }

  #headers({ options, body, contentType = "application/json" }: VaultRequest): Record<string, string> {
    const token = options.token ?? this.#config.token;
    const wrapTtl = options.wrapTtl ?? this.#config.wrapTtl;
    const namespace = options.namespace ?? this.#config.namespace;
    return {
      ...this.#config.headers,
      // Says that no browser or proxy was led here by somebody else: servers may insist on it.
      "x-vault-request": "true",
      ...(token ? { "x-vault-token": token } : {}),
      ...(namespace ? { "x-vault-namespace": namespace } : {}),
      ...(wrapTtl ? { "x-vault-wrap-ttl": wrapTtl } : {}),
      ...(body === undefined ? {} : { "content-type": contentType }),
    };
  }

  // What an answer says is not repeated in an error unless it is the server's own list of errors: it may be secret.
  async #bodyOf({ method, path }: VaultRequest, answer: HttpAnswer, mustParse: boolean): Promise<unknown> {
    const text = new TextDecoder().decode(await answer.bytes());
    if (text.trim() === "") return undefined;
    try {
      return parseJson(text);
    } catch {
      if (!mustParse) return undefined;
      const advice = "Check that the address is that of a Vault HTTP API.";
      const what = `${method} ${this.address}/v1/${path}: its answer is not JSON. ${advice}`;
      throw new OperationalError(clientErrors.badAnswer, what);
    }
  }

  #refusal({ method, path }: VaultRequest, status: number, body: unknown): OperationalError {
    const errors = errorsOf(body);
    const kind = kindOfStatus(status);
    const said = errors.length > 0 ? errors.join("\n  * ") : "no reason given";
    const advice = adviceFor(status, errors);
    const asked = `${method} ${this.address}/v1/${path}`;
    const text = `${asked} answered ${status}:\n  * ${said}${advice ? `\n${advice}` : ""}`;
    const cause = new VaultRefusal({ status, errors, request: asked, advice });
    return new OperationalError(kind, text, { cause });
  }
}

function errorsOf(body: unknown): readonly string[] {
  const listed = (body as { readonly errors?: unknown } | null | undefined)?.errors;
  return Array.isArray(listed) ? listed.map(String) : [];
}

function adviceFor(status: number, errors: readonly string[]): string {
  if (status === 403) return "Check the token (VAULT_TOKEN, or log in again) and what its policies allow on this path.";
  if (status === 503 && errors.some((error) => error.includes("sealed")))
    return 'The server is sealed: unseal it first ("vault operator unseal").';
  if (status === 404 && errors.length === 0) return "Check that the address is that of a Vault HTTP API.";
  return "";
}

function urlPath({ path, query = {} }: VaultRequest): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === "string" ? [value] : value) parameters.append(name, one);
  }
  const text = parameters.toString();
  return `/v1/${encoded}${text === "" ? "" : `?${text}`}`;
}
