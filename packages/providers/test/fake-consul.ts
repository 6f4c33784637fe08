import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** As much of Consul's HTTP API as the consul provider uses, in memory, with a log of what was asked. */
export class FakeConsul {
  readonly keys = new Map<string, { readonly value: string; readonly flags: number }>();
  /** `PUT /v1/kv/a?dc=dc1 "value"`; a transaction has a line for each operation. */
  readonly requests: string[] = [];
  readonly headers: Record<string, unknown>[] = [];
  /** Requests to refuse: those whose line matches are answered with 500. */
  refuse: RegExp | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeConsul> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FakeConsul(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** The requests since the last call. */
  takeRequests(): string[] {
    return this.requests.splice(0);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "", "http://x");
    this.headers.push(request.headers);
    const line = `${request.method} ${request.url}`;
    if (this.refuse?.test(line)) return this.#send(response, 500, "refused by the test");
    if (url.pathname === "/v1/agent/self") return this.#send(response, 200, { Config: { Datacenter: "dc1" } }, line);
    if (url.pathname === "/v1/acl/login") return this.#send(response, 200, { SecretID: "traded" }, `${line} ${body}`);
    if (url.pathname === "/v1/txn") return this.#transact(response, line, JSON.parse(body));
    this.requests.push(body === "" ? line : `${line} ${JSON.stringify(body)}`);
    return this.#key(request.method ?? "", url, body, response);
  }

  #key(method: string, url: URL, body: string, response: ServerResponse): void {
    const key = decodeURIComponent(url.pathname.slice("/v1/kv/".length));
    const found = [...this.keys.keys()]
      .filter((k) => (url.searchParams.has("recurse") ? k.startsWith(key) : k === key))
      .sort();
    if (method === "GET") {
      const entries = found.map((name) => this.#wire(name));
      return this.#send(response, entries.length > 0 ? 200 : 404, entries);
    }
    if (method === "PUT") this.keys.set(key, { value: body, flags: Number(url.searchParams.get("flags") ?? 0) });
    else for (const name of found) this.keys.delete(name);
    return this.#send(response, 200, true);
  }

  #transact(response: ServerResponse, line: string, operations: readonly { readonly KV: WireOperation }[]): void {
    this.requests.push(
      line,
      ...operations.map(
        ({ KV }) =>
          `  ${KV.Verb} ${KV.Key}${KV.Value === undefined ? "" : ` ${JSON.stringify(text(KV.Value))} flags=${KV.Flags}`}`,
      ),
    );
    const conflicts = operations.flatMap(({ KV }, i) =>
      KV.Verb === "cas" && this.keys.has(KV.Key) ? [{ OpIndex: i, What: "index is stale" }] : [],
    );
    if (conflicts.length > 0) return this.#send(response, 409, { Results: null, Errors: conflicts });
    for (const { KV } of operations) {
      if (KV.Verb === "delete") this.keys.delete(KV.Key);
      else this.keys.set(KV.Key, { value: text(KV.Value ?? ""), flags: KV.Flags ?? 0 });
    }
    return this.#send(response, 200, { Results: [], Errors: null });
  }

  #wire(key: string): unknown {
    const { value, flags } = this.keys.get(key)!;
    return {
      Key: key,
      Value: value === "" ? null : Buffer.from(value).toString("base64"),
      Flags: flags,
      CreateIndex: 1,
      ModifyIndex: 1,
      LockIndex: 0,
    };
  }

  #send(response: ServerResponse, status: number, body: unknown, line?: string): void {
    if (line !== undefined) this.requests.push(line);
    response.writeHead(status, { "content-type": "application/json", "x-consul-index": "1" });
    response.end(JSON.stringify(body));
  }
}

interface WireOperation {
  readonly Verb: string;
  readonly Key: string;
  readonly Value?: string;
  readonly Flags?: number;
}

function text(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}
