import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toApi } from "@millwright/jobs/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openApi, requestOf, type TestApi } from "../../test/api.ts";
import { jobOf, until } from "../../test/cluster.ts";
import { jobsService } from "../service.ts";
import { allowAll } from "./permissions.ts";

const node = "5f0c4f3e-0000-4000-8000-000000000001";
let api: TestApi;
let agent: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let alloc: string;

beforeEach(async () => {
  answer = (_, response) => response.end("{}");
  agent = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  const { port } = agent.address() as AddressInfo;
  api = await openApi();
  await api.cluster.join(node, {}, { HTTPAddress: `127.0.0.1:${port}`, Key: "the-key", Name: "n1" });
  await api.ask("PUT /v1/jobs", { Job: toApi(jobOf({ ephemeralDisk: { size: 300 } })) });
  await until(api.cluster, () => api.cluster.context.projection.state.count("client") === 1);
  alloc = [...api.cluster.context.projection.state.rows("alloc")][0]!.key;
});
afterEach(async () => {
  await api.close();
  agent.closeAllConnections();
  await new Promise((resolve) => agent.close(resolve));
});

test("a request for an allocation goes to its node, with the node's key instead of the user's token", async () => {
  const seen: Record<string, unknown> = {};
  answer = async (request, response) => {
    const { authorization, "x-nomad-token": token } = request.headers;
    let body = "";
    for await (const piece of request) body += piece;
    Object.assign(seen, { line: `${request.method} ${request.url}`, authorization, token, body });
    response.setHeader("content-type", "application/json");
    response.end('{"ok":true}');
  };
  const line = `PUT /v1/client/allocation/${alloc}/restart?namespace=default`;
  const reply = await api.ask(line, { TaskName: "web" }, { token: "a-user" });
  expect([reply.status, reply.text]).toEqual([200, '{"ok":true}']);
  expect(seen).toEqual({ line, authorization: "Bearer the-key", token: undefined, body: '{"TaskName":"web"}' });
});

test("the checks of an allocation are asked of its node under their short path, too", async () => {
  answer = (request, response) => response.end(request.url);
  expect((await api.ask(`GET /v1/allocation/${alloc}/checks`)).text).toBe(`/v1/client/allocation/${alloc}/checks`);
});

test("the node's own refusals are passed on", async () => {
  answer = (_, response) => response.writeHead(404).end("file not found");
  const reply = await api.ask(`GET /v1/client/fs/cat/${alloc}?path=x`);
  expect([reply.status, reply.text]).toEqual([404, "file not found"]);
});

test("a page of elsewhere collects no garbage, also by the method of those who only read", async () => {
  const ask = async (line: string, site: string) =>
    (await api.ask(line, undefined, { headers: { "sec-fetch-site": site } })).status;
  for (const line of [`GET /v1/client/allocation/${alloc}/gc`, `GET /v1/client/gc?node_id=${node}`]) {
    expect(await ask(line, "cross-site")).toBe(403);
    expect(await ask(line, "same-site")).toBe(403);
    expect(await ask(line, "same-origin")).toBe(200);
    expect((await api.ask(line)).status).toBe(200);
  }
});

test("what a node says piece by piece arrives piece by piece, and it hears when the reader has gone", async () => {
  const gone = Promise.withResolvers<void>();
  answer = (_, response) => {
    response.on("close", () => gone.resolve());
    response.write("first\n");
  };
  const reader = new AbortController();
  const { context, membership } = api.cluster;
  const handle = jobsService({ ...context, routes: api.routes, authorizer: allowAll, membership });
  const line = `GET /v1/client/fs/logs/${alloc}?task=web&type=stdout&follow=true`;
  const reply = await handle(requestOf(line, undefined, { signal: reader.signal }));
  expect(reply.headers["content-encoding"]).toBe("identity");
  const pieces = (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  expect(Buffer.from((await pieces.next()).value).toString()).toBe("first\n");
  const next = pieces.next();
  reader.abort();
  await expect(next).rejects.toThrow();
  await gone.promise;
});

test("a node that cannot be reached is named, with its address", async () => {
  agent.closeAllConnections();
  await new Promise((resolve) => agent.close(resolve));
  const reply = await api.ask(`GET /v1/client/allocation/${alloc}/stats`);
  expect(reply.status).toBe(502);
  expect(reply.text).toContain(`No path to node "n1" (${node}): Cannot reach http://127.0.0.1:`);
  agent = createServer(() => undefined);
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
});

test("a node is asked for its own figures by its id", async () => {
  answer = (request, response) => response.end(request.url);
  expect((await api.ask(`GET /v1/client/stats?node_id=${node}`)).text).toBe(`/v1/client/stats?node_id=${node}`);
  expect((await api.ask("GET /v1/client/stats")).text).toBe("No local Node and node_id not provided");
  expect((await api.ask("GET /v1/client/stats?node_id=x")).text).toBe('Unknown node "x"');
});
