import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the fake server has got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** A refusal, or anything else that is not JSON. */
export interface PlainReply {
  readonly status: number;
  readonly text: string;
}

/** An answer as JSON, a {@link PlainReply}, several of which each is given once (the last for ever), or made for a request. */
export type Route =
  | { readonly json: unknown }
  | { readonly plain: PlainReply }
  | { readonly inTurn: readonly Route[] }
  | { readonly answer: (request: SeenRequest) => Route };

/** By method and path: `GET /v1/jobs`. */
export type Routes = Readonly<Record<string, Route>>;

export interface FakeNomad {
  readonly address: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** A server that gives the answers of a table; 404 for everything else. */
export async function fakeNomad(routes: Routes): Promise<FakeNomad> {
  const seen: SeenRequest[] = [];
  const turns = new Map<Route, number>();
  const settle = (route: Route, request: SeenRequest): { readonly json: unknown } | { readonly plain: PlainReply } => {
    if ("answer" in route) return settle(route.answer(request), request);
    if (!("inTurn" in route)) return route;
    const turn = turns.get(route) ?? 0;
    turns.set(route, turn + 1);
    return settle(route.inTurn[Math.min(turn, route.inTurn.length - 1)]!, request);
  };
  const server = createServer(async (message, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of message) chunks.push(chunk as Uint8Array);
    const url = new URL(message.url ?? "", "http://fake");
    const text = Buffer.concat(chunks).toString();
    const body = text === "" ? undefined : JSON.parse(text);
    const { method = "", headers } = message;
    const request = { method, path: url.pathname, query: url.searchParams, headers, body };
    seen.push(request);
    const reply = settle(routes[`${method} ${url.pathname}`] ?? notThere, request);
    if ("plain" in reply) response.writeHead(reply.plain.status).end(reply.plain.text);
    else response.writeHead(200, { "x-nomad-index": "7" }).end(JSON.stringify(reply.json));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const notThere: Route = { plain: { status: 404, text: "not found" } };

/** A list of records, of which those are given whose id begins with the `prefix` that is asked for. */
export function list(records: readonly { readonly ID: string }[]): Route {
  return {
    answer: ({ query }) => ({ json: records.filter(({ ID }) => ID.startsWith(query.get("prefix") ?? "")) }),
  };
}
