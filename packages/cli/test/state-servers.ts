import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Web servers that keep states, as small as the protocols allow; each on a free loopback port. */
export interface StateServer {
  readonly address: string;
  /** What it keeps, by path. */
  readonly kept: Map<string, Buffer>;
  /** Methods that are answered with 503 from now on. */
  failing: ReadonlySet<string>;
  /** What was asked, such as `PUT /state`. */
  readonly asked: string[];
  stop(): Promise<void>;
}

type Answer = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

async function serve(kept: Map<string, Buffer>, answer: Answer): Promise<StateServer> {
  const asked: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push(`${request.method} ${request.url}`);
    if (state.failing.has(request.method ?? "")) response.writeHead(503).end("out of order");
    else answer(request, Buffer.concat(chunks), response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const state: StateServer = {
    address: `http://127.0.0.1:${port}`,
    kept,
    failing: new Set(),
    asked,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return state;
}

/** A server for the backend `http`: a state at each path, held by LOCK and UNLOCK. */
export function startHttpStates(): Promise<StateServer> {
  const kept = new Map<string, Buffer>();
  const locks = new Map<string, Buffer>();
  return serve(kept, (request, body, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const lock = locks.get(pathname);
    const heldBy = lock && (JSON.parse(lock.toString()) as { readonly ID: string }).ID;
    const reply = (status: number, content?: Buffer) => response.writeHead(status).end(content);
    if (request.method === "LOCK") {
      if (lock) return reply(423, lock);
      locks.set(pathname, body);
      return reply(200);
    }
    if (request.method === "UNLOCK") {
      const { ID } = JSON.parse(body.toString() || "{}") as { readonly ID?: string };
      if (heldBy !== undefined && ID !== undefined && ID !== heldBy) return reply(409, lock);
      locks.delete(pathname);
      return reply(200);
    }
    if (request.method === "POST") {
      if (heldBy !== undefined && searchParams.get("ID") !== heldBy) return reply(423, lock);
      kept.set(pathname, body);
      return reply(200);
    }
    if (request.method === "DELETE") {
      kept.delete(pathname);
      return reply(200);
    }
    const state = kept.get(pathname);
    return reply(state ? 200 : 404, state);
  });
}

/** A bucket of S3: objects by path, conditional writes, lists. */
export function startBucket(): Promise<StateServer> {
  const kept = new Map<string, Buffer>();
  return serve(kept, (request, body, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const name = decodeURIComponent(pathname);
    const reply = (status: number, content?: Buffer | string) => response.writeHead(status).end(content);
    if (!/^AWS4-HMAC-SHA256 Credential=/.test(request.headers.authorization ?? ""))
      return reply(403, "<Error><Code>AccessDenied</Code><Message>not signed</Message></Error>");
    if (request.method === "PUT") {
      if (request.headers["if-none-match"] === "*" && kept.has(name))
        return reply(412, "<Error><Code>PreconditionFailed</Code></Error>");
      kept.set(name, body);
      return reply(200);
    }
    if (request.method === "DELETE") {
      kept.delete(name);
      return reply(204);
    }
    if (searchParams.get("list-type") === "2") {
      const bucket = name.replace(/\/$/, "");
      const prefix = `${bucket}/${searchParams.get("prefix") ?? ""}`;
      const keys = [...kept.keys()].filter((key) => key.startsWith(prefix)).sort();
      const contents = keys.map((key) => `<Contents><Key>${key.slice(bucket.length + 1)}</Key></Contents>`).join("");
      return reply(200, `<ListBucketResult>${contents}</ListBucketResult>`);
    }
    const object = kept.get(name);
    return object ? reply(200, object) : reply(404, "<Error><Code>NoSuchKey</Code></Error>");
  });
}
