import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A relay in front of an HTTP server that can hold back requests, or the answers to them, until they are let through. */
export class HttpGate {
  readonly address: string;
  readonly #server: ReturnType<typeof createServer>;
  #holds: { readonly what: "request" | "answer"; readonly line: RegExp } | undefined;
  #open = Promise.withResolvers<void>();
  #held = 0;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string): Promise<HttpGate> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const gate = new HttpGate(server);
    server.on("request", (from, to) => void gate.#relay(target, from, to));
    return gate;
  }

  /** How many requests are held now. */
  get held(): number {
    return this.#held;
  }

  /** From now on holds what matches, as `PUT /v1/txn?dc=dc1`: before the server sees it, or when it has done it. */
  hold(what: "request" | "answer", line: RegExp): void {
    this.#holds = { what, line };
    this.#open = Promise.withResolvers();
  }

  /** Lets everything through. */
  release(): void {
    this.#holds = undefined;
    this.#held = 0;
    this.#open.resolve();
  }

  async stop(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #relay(target: string, from: IncomingMessage, to: ServerResponse): Promise<void> {
    const body = await buffer(from);
    const holds = this.#holds?.line.test(`${from.method} ${from.url}`) ? this.#holds.what : undefined;
    if (holds === "request") await this.#wait();
    const { method, headers } = from;
    const onward = request(new URL(from.url ?? "/", target), { ...(method ? { method } : {}), headers });
    onward.end(body);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    const content = await buffer(answer);
    if (holds === "answer") await this.#wait();
    to.writeHead(answer.statusCode ?? 500, answer.headers);
    to.end(content);
  }

  #wait(): Promise<void> {
    this.#held++;
    return this.#open.promise;
  }
}
