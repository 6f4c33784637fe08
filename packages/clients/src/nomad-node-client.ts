import { type ErrorKind, isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { clientErrors, kindOfStatus } from "./errors.ts";
import { forward, keptBody } from "./forward.ts";
import { type HttpAnswer, HttpConnections } from "./http.ts";
import { parseJson } from "./json.ts";
import type {
  AllocationUpdates,
  IdentityAnswer,
  IdentityRequest,
  NodeAllocations,
  NodeRegistration,
  Registered,
} from "./nomad-node-protocol.ts";
import { flag, listOf, nullable, number, oneOf, record, text, type WireReader } from "./nomad-wire.ts";
import { targetOf } from "./target.ts";

/** What a node's call to the orchestrator may end with, beside {@link clientErrors}. */
export const nomadNodeErrors = {
  /** The servers do not know the node: it has to register (again). */
  notRegistered: { code: "NOMAD_NODE_NOT_REGISTERED", status: 404, retryable: false },
  /** The node's token is not (or no more) one that may do this. */
  refused: { code: "NOMAD_NODE_REFUSED", status: 403, retryable: false },
  /** None of the servers answered, or could answer. */
  noServer: { code: "NOMAD_NODE_NO_SERVER", status: 503, retryable: true },
} as const satisfies Record<string, ErrorKind>;

export interface NomadNodeClientOptions {
  /** `host:port` or URLs of the orchestrator's HTTP API; the next is asked where those before it do not answer. */
  readonly servers: readonly string[];
  /** The node's own, asked for before each request. Secret. */
  readonly token: () => string;
}

/** A list of allocations, and where the next read goes on. */
export interface AllocationsAnswer extends NodeAllocations {
  readonly index: number;
}

/**
 * What a node says to the orchestrator: see `nomad-node-protocol.ts`. Each call goes to the server that answered last, and on to
 * the next where that one cannot be reached, breaks off or fails. Rejects with {@link nomadNodeErrors}, with `badRequest` and
 * `notFound` of {@link clientErrors} where the request itself is at fault, and with the signal's reason.
 */
export class NomadNodeClient {
  readonly #token: () => string;
  #servers: readonly HttpConnections[];

  /** Throws `badConfiguration` for what is no address. */
  constructor({ servers, token }: NomadNodeClientOptions) {
    this.#token = token;
    this.#servers = servers.map((address) => new HttpConnections(targetOf({ address }, "-nomad-servers")));
  }

  /** The one that answered last is first. */
  get addresses(): readonly string[] {
    return this.#servers.map(({ address }) => address);
  }

  async register(registration: NodeRegistration, signal: AbortSignal): Promise<Registered> {
    const what = "registering the node";
    const answer = await this.#call({ method: "PUT", path: `${seam}/register`, body: registration, what }, signal);
    return readRegistered(await jsonOf(answer, what), what);
  }

  /** All that is to be on the node; with an index above 0 as soon as that has changed, or `wait` milliseconds are over. */
  async allocations(
    { node, index, wait }: { readonly node: string; readonly index: number; readonly wait: number },
    signal: AbortSignal,
  ): Promise<AllocationsAnswer> {
    const what = "reading the node's allocations";
    const query = new URLSearchParams({ node, index: String(index), wait: `${Math.ceil(wait)}ms` });
    const path = `${seam}/allocations?${query.toString()}`;
    // A server adds up to a sixteenth to what is asked.
    const patience = index > 0 ? mostSilence + wait * (17 / 16) : mostSilence;
    const answer = await this.#call({ method: "GET", path, what, patience, absent: notRegistered }, signal);
    return {
      ...readAllocations(await jsonOf(answer, what), what),
      index: Number(answer.header("x-nomad-index") ?? 0),
    };
  }

  /** A job at a version, in the JSON of Nomad's API. Rejects with `notFound` where it is not there any more. */
  async job(
    job: { readonly node: string; readonly namespace: string; readonly job: string; readonly version: number },
    signal: AbortSignal,
  ): Promise<unknown> {
    const what = `reading version ${job.version} of the job ${job.job}`;
    const query = new URLSearchParams({ ...job, version: String(job.version) });
    const answer = await this.#call({ method: "GET", path: `${seam}/job?${query.toString()}`, what }, signal);
    return jsonOf(answer, what);
  }

  async update(updates: AllocationUpdates, signal: AbortSignal): Promise<void> {
    const what = "telling what became of allocations";
    const call = { method: "PUT", path: `${seam}/updates`, body: updates, what, absent: notRegistered } as const;
    const answer = await this.#call(call, signal);
    await answer.bytes();
  }

  async identity(request: IdentityRequest, signal: AbortSignal): Promise<IdentityAnswer> {
    const what = `asking for the identity ${request.Name} of the task ${request.Task}`;
    const answer = await this.#call({ method: "PUT", path: `${seam}/identity`, body: request, what }, signal);
    return readIdentity(await jsonOf(answer, what), what);
  }

  /** Passes a request of Nomad's API on, with its caller's own token. Rejects with `noServer`. */
  async forward(request: HttpRequest): Promise<HttpReply> {
    const body = await keptBody(request);
    const mayGoOn = (error: OperationalError) =>
      isKind(error, clientErrors.unreachable) && (body === undefined || body instanceof Uint8Array);
    return this.#first(request.signal, mayGoOn, (target) => forward({ target, request, body, ...endless(request) }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  #call(call: SeamCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, path, body, patience = mostSilence } = call;
    return this.#first(signal, mayTryNext, async (target) => {
      const answer = await target.send({
        method,
        path,
        headers: { "x-nomad-token": this.#token(), "content-type": "application/json" },
        timeoutMilliseconds: patience,
        signal,
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      });
      if (answer.status >= 200 && answer.status < 300) return answer;
      throw await refusalOf(call, answer, target.address);
    });
  }

  /** Carries out work with the first server that can. */
  async #first<T>(
    signal: AbortSignal,
    mayGoOn: (error: OperationalError) => boolean,
    work: (target: HttpConnections) => Promise<T>,
  ): Promise<T> {
    const failures: string[] = [];
    for (const target of this.#servers) {
      try {
        const result = await work(target);
        this.#prefer(target);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof OperationalError) || !error.kind.retryable) throw error;
        failures.push(messageOf(error));
        if (!mayGoOn(error)) break;
      }
    }
    const why = failures.length === 0 ? "no address of one is known; give it with -nomad-servers" : failures.join("; ");
    throw new OperationalError(nomadNodeErrors.noServer, `No server of jobs answered: ${why}`);
  }

  #prefer(target: HttpConnections): void {
    if (this.#servers[0] === target) return;
    this.#servers = [target, ...this.#servers.filter((other) => other !== target)];
  }
}

interface SeamCall {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly body?: object;
  /** For messages: `registering the node`. */
  readonly what: string;
  readonly patience?: number;
  /** What a 404 stands for; for what is asked for by default. */
  readonly absent?: ErrorKind;
}

const { notRegistered } = nomadNodeErrors;
const seam = "/v1/millwright/node";
const mostSilence = 15_000;

function mayTryNext(error: OperationalError): boolean {
  return error.kind.retryable;
}

// Whoever waits for an event, or for a log's next line, says so; a server answers all else, or has begun to, within a minute.
function endless({ query }: HttpRequest): { readonly patienceMilliseconds?: number } {
  return query.has("index") ? { patienceMilliseconds: longestWait } : {};
}

/** Ten minutes and a sixteenth, and a minute for the way. */
const longestWait = 700_000;

async function refusalOf(call: SeamCall, answer: HttpAnswer, address: string): Promise<OperationalError> {
  const { what, absent = clientErrors.notFound } = call;
  const said =
    new TextDecoder()
      .decode(await answer.bytes())
      .trim()
      .slice(0, 2000) || "no reason given";
  const message = `${what}: ${address} answered ${answer.status}: ${said}`;
  if (answer.status === 403) return new OperationalError(nomadNodeErrors.refused, message);
  return new OperationalError(answer.status === 404 ? absent : kindOfStatus(answer.status), message);
}

async function jsonOf(answer: HttpAnswer, what: string): Promise<unknown> {
  const body = new TextDecoder().decode(await answer.bytes());
  try {
    return parseJson(body);
  } catch (error) {
    const message = `${what}: the answer is not JSON: ${body.slice(0, 200)}`;
    throw new OperationalError(clientErrors.badAnswer, message, { cause: error });
  }
}

const readRegistered: WireReader<Registered> = record({ Region: text, Datacenter: text });

const readIdentity: WireReader<IdentityAnswer> = record({ Token: text, Expires: number });

const readAllocations: WireReader<NodeAllocations> = record({
  Allocations: listOf(
    record({
      ID: text,
      Namespace: text,
      JobID: text,
      JobVersion: number,
      JobSubmitTime: number,
      TaskGroup: text,
      Name: text,
      Index: number,
      DesiredStatus: oneOf("run", "stop", "evict"),
      DesiredDescription: text,
      AllocModifyIndex: number,
      ClientStatus: oneOf("pending", "running", "complete", "failed", "lost"),
      Ports: listOf(record({ Task: nullable(text), Label: text, Value: number, To: number })),
      Holding: record({ CPU: number, Cores: number, MemoryMB: number, DiskMB: number }),
      Deployment: nullable(record({ ID: text, Canary: flag })),
      PreviousAllocation: nullable(text),
      CreateTime: number,
    }),
  ),
});
