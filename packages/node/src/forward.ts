import { clientErrors } from "@millwright/clients/errors";
import type { HttpAnswer } from "@millwright/clients/http";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { textReply } from "@millwright/core/http-reply";
import { noServer, type Server, type ServerFailure, type Servers } from "./servers.ts";

/** What of a request's headers a server is told. The connection's own stay here. */
const requestHeaders = [
  "accept",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-type",
  "user-agent",
  "x-consul-namespace",
  "x-consul-partition",
  "x-consul-token",
] as const;

const connectionHeaders = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "date",
  "upgrade",
]);

/** A body up to this size is kept, so that the next server can be asked where one does not answer. */
const keptBody = 1024 * 1024;
/** An answer up to this size goes out in one piece, with its length. */
const wholeAnswer = 256 * 1024;

/**
 * Passes a request on to a server, and its answer back, piece by piece. The caller's token goes along; without one the
 * node adds none. Goes on to the next server where nothing was sent. An answer of 500 names the servers that were asked.
 */
export async function forward(servers: Servers, request: HttpRequest, nodeName: string): Promise<HttpReply> {
  const body = await bodyOf(request);
  const failures: ServerFailure[] = [];
  for (const server of servers.inOrder) {
    try {
      const answer = await sendOn(server, request, { body, nodeName });
      servers.prefer(server);
      return await replyOf(answer);
    } catch (error) {
      if (request.signal.aborted) return textReply(500, "This agent is stopping, or the request was given up.");
      if (!(error instanceof OperationalError)) throw error;
      failures.push({ address: server.address, why: messageOf(error) });
      const mayGoOn = isKind(error, clientErrors.unreachable) && !isStream(body);
      if (!mayGoOn) break;
    }
  }
  return textReply(500, noServer(failures).message, { "x-consul-knownleader": "false" });
}

type Body = Uint8Array | AsyncIterable<Uint8Array> | undefined;

async function bodyOf(request: HttpRequest): Promise<Body> {
  if (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS") return undefined;
  if (request.contentLength === undefined || request.contentLength > keptBody) return request.body();
  const pieces: Uint8Array[] = [];
  for await (const piece of request.body()) pieces.push(piece);
  return Buffer.concat(pieces);
}

function isStream(body: Body): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

function sendOn(
  server: Server,
  request: HttpRequest,
  { body, nodeName }: { readonly body: Body; readonly nodeName: string },
): Promise<HttpAnswer> {
  // A session that names no node is one of this node.
  const headers: Record<string, string> = { "x-millwright-node": nodeName };
  for (const name of requestHeaders) {
    const value = request.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const query = request.query.toString();
  return server.connections.send({
    method: request.method,
    path: query === "" ? request.path : `${request.path}?${query}`,
    headers,
    timeoutMilliseconds: patienceOf(request.query),
    signal: request.signal,
    ...(body === undefined ? {} : { body }),
  });
}

// A server may let a blocking query wait for as long as was asked, ten minutes at most, and a sixteenth on top.
function patienceOf(query: URLSearchParams): number {
  const minute = 60_000;
  if (!query.has("index") && !query.has("hash")) return minute;
  const wait = parseDuration(query.get("wait") ?? "5m");
  const milliseconds = wait.ok ? Math.min(toMilliseconds(wait.duration), 10 * minute) : 0;
  return minute + (milliseconds <= 0 ? 5 * minute : milliseconds) * (17 / 16);
}

async function replyOf(answer: HttpAnswer): Promise<HttpReply> {
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !connectionHeaders.has(name)));
  const length = Number(answer.header("content-length") ?? Number.POSITIVE_INFINITY);
  const body = length <= wholeAnswer ? await answer.bytes() : answer.stream();
  return { status: answer.status, headers, body };
}
