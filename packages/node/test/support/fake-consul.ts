import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * An HTTP server that answers paths with JSON as a Consul server does: with an index, and blocking reads that wait for a
 * higher one. The test sets what each path says.
 */
export interface FakeConsul {
  readonly address: string;
  /** Path and query of all requests so far, without `index` and `wait`. */
  readonly requests: readonly string[];
  readonly tokens: ReadonlySet<unknown>;
  /** Reads that wait at this moment. */
  readonly waiting: number;
  /** Sets what a path answers, and wakes who waits for it. */
  set(path: string, value: unknown): void;
  /** From now on every request is answered with this status and text; undefined ends that. */
  refuse(refusal: { readonly status: number; readonly text: string } | "silence" | undefined): void;
  close(): Promise<void>;
}

export async function startFakeConsul(port = 0): Promise<FakeConsul> {
  const values = new Map<string, { readonly index: number; readonly value: unknown }>();
  const waits = new Set<{ readonly path: string; readonly index: number; readonly response: ServerResponse }>();
  const requests: string[] = [];
  const tokens = new Set<unknown>();
  let index = 10;
  let refusal: Parameters<FakeConsul["refuse"]>[0];
  const answer = (path: string, response: ServerResponse) => {
    const found = values.get(path) ?? { index, value: path.includes("/catalog/node/") ? null : [] };
    response.setHeader("x-consul-index", found.index);
    response.end(JSON.stringify(found.value));
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://fake");
    const since = Number(url.searchParams.get("index") ?? 0);
    for (const name of ["index", "wait"]) url.searchParams.delete(name);
    tokens.add(request.headers["x-consul-token"]);
    requests.push(`${url.pathname}${url.search}`);
    if (refusal === "silence") return;
    if (refusal) {
      response.statusCode = refusal.status;
      response.end(refusal.text);
      return;
    }
    if (since === 0 || (values.get(url.pathname)?.index ?? 0) > since) return answer(url.pathname, response);
    const wait = { path: url.pathname, index: since, response };
    waits.add(wait);
    response.on("close", () => waits.delete(wait));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    tokens,
    get waiting() {
      return waits.size;
    },
    set: (path, value) => {
      values.set(path, { index: ++index, value });
      for (const wait of waits) if (wait.path === path) answer(path, wait.response);
    },
    refuse: (next) => {
      refusal = next;
      if (next) server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
