import type { HttpReply, HttpRequest, HttpService } from "@millwright/core/http";
import { allowAll, type Authorizer } from "../src/http/permissions.ts";
import { NodeForwarder } from "../src/http/node-forwarder.ts";
import { httpRoutes } from "../src/http/routes.ts";
import type { Route } from "../src/http/route.ts";
import { jobsService } from "../src/service.ts";
import { type Cluster, type ClusterOptions, openCluster } from "./cluster.ts";

/** The public API over a cluster, asked without a network. */
export interface TestApi {
  readonly cluster: Cluster;
  readonly routes: readonly Route[];
  /** What a listener serves. */
  readonly handle: HttpService;
  /** `ask("PUT /v1/jobs", { Job: … })` */
  ask(line: string, body?: unknown, options?: AskOptions): Promise<TestReply>;
  /** As `ask`, for a JSON answer with status 200. */
  json(line: string, body?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly token?: string;
  /** By names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly index: number;
}

export async function openApi(options: ClusterOptions & { readonly authorizer?: Authorizer } = {}): Promise<TestApi> {
  const cluster = await openCluster(options);
  const { context, commands, membership } = cluster;
  const nodes = new NodeForwarder();
  const routes = httpRoutes({ ...context, commands, nodes, pretty: false, jwks: () => [{ kid: "k1", kty: "RSA" }] });
  const { authorizer = allowAll } = options;
  const handle = jobsService({ ...context, routes, authorizer, membership });
  const ask = async (line: string, body?: unknown, asked: AskOptions = {}) =>
    collected(await handle(requestOf(line, body, asked)));
  return {
    cluster,
    routes,
    handle,
    ask,
    json: async (line, body) => {
      const reply = await ask(line, body);
      if (reply.status !== 200) throw new Error(`${line} was answered with ${reply.status}: ${reply.text}`);
      return JSON.parse(reply.text);
    },
    close: async () => {
      await nodes.close();
      await cluster.close();
    },
  };
}

export function requestOf(line: string, body: unknown, { token, headers = {}, signal }: AskOptions = {}): HttpRequest {
  const [method = "", target = ""] = line.split(" ");
  const [path = "", query = ""] = target.split("?");
  const bytes = Buffer.from(body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body));
  return {
    method,
    path,
    query: new URLSearchParams(query),
    header: (name) => (name === "x-nomad-token" ? token : headers[name]),
    contentLength: bytes.byteLength,
    body: async function* () {
      yield bytes;
    },
    remote: "test",
    signal: signal ?? new AbortController().signal,
  };
}

export async function collected({ status, headers, body = "" }: HttpReply): Promise<TestReply> {
  let text = "";
  if (typeof body === "string") text = body;
  else if (body instanceof Uint8Array) text = Buffer.from(body).toString();
  else for await (const piece of body) text += typeof piece === "string" ? piece : Buffer.from(piece).toString();
  return { status, headers, text, index: Number(headers["x-nomad-index"]) };
}

/** What an answer has at a path: `at(job, "TaskGroups.0.Count")`; undefined where the path ends before. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inside, name) => {
    return typeof inside === "object" && inside !== null ? (inside as Record<string, unknown>)[name] : undefined;
  }, value);
}
