import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpRequest } from "@millwright/core/http";
import { afterEach, expect, test } from "vitest";
import { forward } from "./forward.ts";
import { HttpConnections } from "./http.ts";

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

test("a request goes on with its query and body, and the headers that are meant for others", async () => {
  const { target, seen } = await upstream((request, response) => {
    response.setHeader("x-nomad-index", "7");
    request.pipe(response);
  });
  const reply = await forward({
    target,
    request: requestOf({
      method: "PUT",
      path: "/v1/job/a%2Fb",
      query: "region=eu",
      body: "spec",
      headers: everyHeader,
    }),
    headers: { authorization: "Bearer key", "x-nomad-token": "" },
  });
  expect(await textOf(reply.body)).toBe("spec");
  expect(reply.headers["x-nomad-index"]).toBe("7");
  expect(seen[0]?.url).toBe("/v1/job/a%2Fb?region=eu");
  expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer key", "content-type": "text/x" });
  expect(seen[0]?.headers["x-nomad-token"]).toBeUndefined();
  expect(seen[0]?.headers["cookie"]).toBeUndefined();
});

const everyHeader = { "x-nomad-token": "secret", cookie: "a=b", "content-type": "text/x" };

test("an answer comes piece by piece, also after a pause that is longer than the patience", async () => {
  const { target } = await upstream((_request, response) => {
    response.write("one ");
    setTimeout(() => response.end("two"), 300);
  });
  const reply = await forward({ target, request: requestOf({}), patienceMilliseconds: 100 });
  const pieces: string[] = [];
  for await (const piece of reply.body as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece).toString());
  expect(pieces).toEqual(["one ", "two"]);
});

test("a reader that goes frees whoever answers", async () => {
  const gone = Promise.withResolvers<void>();
  const { target } = await upstream((_request, response) => {
    response.write("one ");
    response.once("close", () => gone.resolve());
  });
  const leaving = new AbortController();
  const reply = await forward({ target, request: requestOf({ signal: leaving.signal }) });
  const reading = textOf(reply.body);
  leaving.abort();
  await expect(reading).rejects.toThrow();
  await gone.promise;
});

test("nobody there is said with the address", async () => {
  const { target, close } = await upstream(() => undefined);
  await close();
  await expect(forward({ target, request: requestOf({}) })).rejects.toThrow(/Cannot reach http:\/\/127\.0\.0\.1:/);
});

interface Seen {
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function upstream(listener: RequestListener) {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const target = new HttpConnections({ scheme: "http", at: { host: "127.0.0.1", port }, pathPrefix: "" });
  const close = async () => {
    await target.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  open.push(close);
  return { target, seen, close };
}

interface Given {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function requestOf({ method = "GET", path = "/", query = "", body = "", headers = {}, signal }: Given): HttpRequest {
  return {
    method,
    path,
    query: new URLSearchParams(query),
    header: (name) => headers[name],
    async *body() {
      yield Buffer.from(body);
    },
    contentLength: body.length,
    remote: "127.0.0.1:1",
    signal: signal ?? new AbortController().signal,
  };
}

async function textOf(body: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined): Promise<string> {
  if (body === undefined || typeof body === "string") return body ?? "";
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  let text = "";
  for await (const piece of body) text += Buffer.from(piece).toString();
  return text;
}
