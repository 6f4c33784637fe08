import { OperationalError } from "@millwright/core/errors";
import { Agent, type IncomingMessage, request } from "node:http";
import { pipeline } from "node:stream";
import { text } from "node:stream/consumers";
import { driverErrors } from "../driver/errors.ts";

/** Where a container engine listens. */
export type EngineAddress =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

export interface EngineCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query, percent-encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is: an archive. */
  readonly bytes?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What an engine said no with. */
export class EngineRefusal extends Error {
  override readonly name = "EngineRefusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Docker's address as its own command line reads it: `unix:///run/docker.sock`, `tcp://10.0.0.1:2375`. Undefined for other
 * forms.
 */
export function parseEngineAddress(text: string): EngineAddress | undefined {
  const [, path] = /^unix:\/\/(\/.+)$/.exec(text) ?? [];
  if (path) return { kind: "socket", path };
  const [, host, port] = /^tcp:\/\/([\w.-]+):(\d{1,5})\/?$/.exec(text) ?? [];
  return host ? { kind: "tcp", host, port: Number(port) } : undefined;
}

/**
 * The HTTP API of a Docker engine, in the version that the engine itself prefers. Rejects with `missing` where no engine
 * answers, {@link EngineRefusal} where it says no, and with the reason of the call's signal.
 * Source: Docker Engine API 1.41.
 */
export class DockerEngine {
  /** As people write it. */
  readonly address: string;
  /** As {@link parseEngineAddress} reads it. */
  readonly endpoint: string;
  readonly #at: EngineAddress;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 4 });

  constructor(at: EngineAddress) {
    this.#at = at;
    this.endpoint = at.kind === "socket" ? `unix://${at.path}` : `tcp://${at.host}:${at.port}`;
    this.address = at.kind === "socket" ? at.path : this.endpoint;
  }

  /** The answer's JSON; undefined where it has no body. */
  async json<T>(call: EngineCall): Promise<T> {
    const answer = await this.stream(call);
    const body = await text(answer).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    // The engine's own documentation says what it holds.
    return (body === "" ? undefined : JSON.parse(body)) as T;
  }

  /** The answer as it comes. Whoever does not read it to its end destroys it. */
  async stream(call: EngineCall): Promise<IncomingMessage> {
    const answer = await this.#send(call);
    const status = answer.statusCode ?? 0;
    if (status < 400) return answer;
    const body = await text(answer).catch(() => "");
    throw new EngineRefusal(status, messageIn(body) || `HTTP ${status}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(call: EngineCall): Promise<IncomingMessage> {
    const at =
      this.#at.kind === "socket" ? { socketPath: this.#at.path } : { host: this.#at.host, port: this.#at.port };
    const json = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    return new Promise((resolve, reject) => {
      const sending = request({
        ...at,
        agent: this.#agent,
        method: call.method,
        path: call.path,
        headers: {
          host: "docker",
          ...(json && { "content-type": "application/json", "content-length": json.length }),
          ...call.headers,
        },
        ...(call.signal && { signal: call.signal }),
      });
      sending.once("response", resolve);
      // Also after the answer has begun; then whoever reads the answer is told.
      sending.on("error", (error) => reject(call.signal?.aborted ? call.signal.reason : this.#unreachable(error)));
      // Where they break off the request does so too, and is told above.
      if (call.bytes) pipeline(call.bytes, sending, () => undefined);
      else sending.end(json);
    });
  }

  #unreachable(error: unknown): OperationalError {
    const code = error instanceof Error && "code" in error ? error.code : "";
    return new OperationalError(driverErrors.missing, `${this.#why(code)}`, { cause: error });
  }

  #why(code: unknown): string {
    if (code === "EACCES" || code === "EPERM")
      return (
        `The agent may not use the container engine at ${this.address} (permission denied). ` +
        "Run the agent as root, or put its user into the group docker and start it anew."
      );
    return (
      `No container engine answers at ${this.address}. Install one (on Debian: apt-get install docker.io) and start it, ` +
      "or say where it is with DOCKER_HOST=unix:///path/to/docker.sock."
    );
  }
}

function messageIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: string };
    return message ?? "";
  } catch {
    // Not every proxy before an engine answers in JSON.
    return body.trim().slice(0, 300);
  }
}
