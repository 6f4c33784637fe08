import { clientErrors } from "@millwright/clients/errors";
import { forward as forwardTo, keptBody } from "@millwright/clients/forward";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { textReply } from "@millwright/core/http-reply";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { noServer, type ServerFailure, type Servers } from "./servers.ts";

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

/**
 * Passes a request on to a server, and its answer back, piece by piece. The caller's token goes along; without one the
 * node adds none. Goes on to the next server where nothing was sent. An answer of 500 names the servers that were asked.
 */
export async function forward(servers: Servers, request: HttpRequest, nodeName: string): Promise<HttpReply> {
  const body = await keptBody(request);
  const patience = patienceOf(request.query);
  const failures: ServerFailure[] = [];
  for (const server of servers.inOrder) {
    try {
      const reply = await forwardTo({
        target: server.connections,
        request,
        body,
        pass: requestHeaders,
        // A session that names no node is one of this node.
        headers: { "x-millwright-node": nodeName },
        patienceMilliseconds: patience,
        silenceMilliseconds: patience,
      });
      servers.prefer(server);
      return reply;
    } catch (error) {
      if (request.signal.aborted) return textReply(500, "This agent is stopping, or the request was given up.");
      if (!(error instanceof OperationalError)) throw error;
      failures.push({ address: server.address, why: messageOf(error) });
      const isStream = body !== undefined && !(body instanceof Uint8Array);
      if (isStream || !isKind(error, clientErrors.unreachable)) break;
    }
  }
  return textReply(500, noServer(failures).message, { "x-consul-knownleader": "false" });
}

// A server may let a blocking query wait for as long as was asked, ten minutes at most, and a sixteenth on top.
function patienceOf(query: URLSearchParams): number {
  const minute = 60_000;
  if (!query.has("index") && !query.has("hash")) return minute;
  const wait = parseDuration(query.get("wait") ?? "5m");
  const milliseconds = wait.ok ? Math.min(toMilliseconds(wait.duration), 10 * minute) : 0;
  return minute + (milliseconds <= 0 ? 5 * minute : milliseconds) * (17 / 16);
}
