import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { HttpAnswer, HttpCall, HttpConnections } from "./http.ts";

/** A request that is to be answered by somebody else. */
export interface Forwarding {
  /** To whom; kept by the caller between requests, so that connections are used again. */
  readonly target: HttpConnections;
  readonly request: HttpRequest;
  /** What is sent on of the caller's headers, by name in lower case; those that say what is asked for and who asks where it is not given. */
  readonly pass?: readonly string[];
  /** Headers that take the place of the caller's, or stand beside them; an empty one is left out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the request's own, where it has been read already: see {@link keptBody}. */
  readonly body?: ForwardedBody;
  /** Until the answer begins; a minute by default. */
  readonly patienceMilliseconds?: number;
  /** Of silence within the answer; without end by default, as somebody may follow a log that says nothing. */
  readonly silenceMilliseconds?: number;
}

export type ForwardedBody = Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** What a request that was passed on shows: a node does not send back to a server what came from one. */
export const forwardedHeader = "x-millwright-forwarded";

/**
 * Passes a request on, and the answer back piece by piece as it comes: no faster than its reader takes it, and given up when the
 * reader goes. Used by nodes towards servers, and by servers towards nodes. Rejects with `unreachable` where nothing was sent,
 * `broken` where the answer did not begin; what breaks off later breaks the answer's body.
 */
export async function forward(forwarding: Forwarding): Promise<HttpReply> {
  const { target, request } = forwarding;
  const body = "body" in forwarding ? forwarding.body : await keptBody(request);
  const query = request.query.toString();
  const answer = await target.send({
    method: request.method,
    path: query === "" ? request.path : `${request.path}?${query}`,
    headers: headersOf(forwarding),
    timeoutMilliseconds: forwarding.patienceMilliseconds ?? 60_000,
    silenceMilliseconds: forwarding.silenceMilliseconds ?? 0,
    signal: request.signal,
    ...(body === undefined ? {} : { body }),
  });
  return replyOf(answer);
}

/** A request's body: whole where it is small and says its length, so that it can be sent a second time, else as it comes. */
export async function keptBody(request: HttpRequest): Promise<ForwardedBody> {
  if (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS") return undefined;
  if (request.contentLength === undefined || request.contentLength > mostKept) return request.body();
  const pieces: Uint8Array[] = [];
  for await (const piece of request.body()) pieces.push(piece);
  return Buffer.concat(pieces);
}

const mostKept = 1024 * 1024;
/** An answer up to this size goes out in one piece, with its length. */
const wholeAnswer = 256 * 1024;

const connectionHeaders = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "date",
  "upgrade",
]);

/** What a request may say that is of use behind a forwarder, apart from what {@link Forwarding.headers} says. */
const passedByDefault = [
  "accept",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-type",
  // By it a server tells a browser's page of elsewhere.
  "sec-fetch-site",
  "user-agent",
  "x-nomad-token",
] as const;

function headersOf({ request, pass = passedByDefault, headers = {} }: Forwarding): HttpCall["headers"] {
  const sent: Record<string, string> = { [forwardedHeader]: "1" };
  for (const name of pass) {
    const value = request.header(name);
    if (value !== undefined) sent[name] = value;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (value === "") delete sent[name.toLowerCase()];
    else sent[name.toLowerCase()] = value;
  }
  return sent;
}

async function replyOf(answer: HttpAnswer): Promise<HttpReply> {
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !connectionHeaders.has(name)));
  const length = Number(answer.header("content-length") ?? Number.POSITIVE_INFINITY);
  const body = length <= wholeAnswer ? await answer.bytes() : answer.stream();
  return { status: answer.status, headers, body };
}
