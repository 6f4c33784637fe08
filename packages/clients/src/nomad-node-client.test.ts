import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isKind } from "@millwright/core/errors";
import { afterEach, expect, test } from "vitest";
import { clientErrors } from "./errors.ts";
import { NomadNodeClient, nomadNodeErrors } from "./nomad-node-client.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serverThat(answer: Answer) {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${String(request.headers["x-nomad-token"])}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  open.push(close);
  return { address: `127.0.0.1:${port}`, seen, close };
}

function says(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

function clientOf(...servers: readonly { readonly address: string }[]): NomadNodeClient {
  const client = new NomadNodeClient({ servers: servers.map(({ address }) => address), token: () => "node-token" });
  open.push(() => client.close());
  return client;
}

const { signal } = new AbortController();
const position = { node: "n1", index: 7, wait: 60_000 };

test("allocations are read with the node's token, from where the last read ended", async () => {
  const wire = { ID: "a1", Namespace: "default", JobID: "shop", DesiredStatus: "stop", Ports: null, Deployment: null };
  const server = await serverThat(says(200, { Allocations: [wire] }, { "x-nomad-index": "9" }));
  const answer = await clientOf(server).allocations(position, signal);
  expect(answer.index).toBe(9);
  expect(answer.Allocations[0]).toMatchObject({ ID: "a1", JobID: "shop", DesiredStatus: "stop", Ports: [] });
  expect(server.seen).toEqual(["GET /v1/millwright/node/allocations?node=n1&index=7&wait=60000ms node-token"]);
});

test("where a server is not there, breaks off or fails, the next is asked, and from then on first", async () => {
  const dead = await serverThat(() => undefined);
  await dead.close();
  const broken = await serverThat((_request, response) => response.destroy());
  const failing = await serverThat(says(500, "No cluster leader"));
  const good = await serverThat(says(200, { Region: "eu", Datacenter: "dc1" }));
  const client = clientOf(dead, broken, failing, good);
  const registration = {} as Parameters<NomadNodeClient["register"]>[0];
  expect(await client.register(registration, signal)).toEqual({ Region: "eu", Datacenter: "dc1" });
  await client.register(registration, signal);
  expect([broken.seen.length, failing.seen.length, good.seen.length]).toEqual([1, 1, 2]);
});

test("what the node is to do about a refusal follows from its kind", async () => {
  const cases = [
    { status: 404, call: "allocations", kind: nomadNodeErrors.notRegistered },
    { status: 404, call: "job", kind: clientErrors.notFound },
    { status: 403, call: "allocations", kind: nomadNodeErrors.refused },
    { status: 400, call: "allocations", kind: clientErrors.badRequest },
    { status: 500, call: "allocations", kind: nomadNodeErrors.noServer },
  ] as const;
  for (const { status, call, kind } of cases) {
    const server = await serverThat(says(status, "because"));
    const client = clientOf(server);
    const job = { node: "n1", namespace: "default", job: "shop", version: 3 };
    const asked = call === "job" ? client.job(job, signal) : client.allocations(position, signal);
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(isKind(error, kind), `${status} ${call}`).toBe(true);
    expect(String(error)).toContain("because");
  }
});

test("nobody to ask says which servers were asked, and where their addresses come from", async () => {
  const dead = await serverThat(() => undefined);
  await dead.close();
  await expect(clientOf(dead).allocations(position, signal)).rejects.toThrow(
    new RegExp(`Cannot reach .*${dead.address}`),
  );
  await expect(clientOf().allocations(position, signal)).rejects.toThrow(/-nomad-servers/);
});

test("an answer of something else is not taken for allocations", async () => {
  const server = await serverThat(says(200, "<html>"));
  await expect(clientOf(server).allocations(position, signal)).rejects.toThrow(/not JSON/);
  const other = await serverThat(says(200, { Allocations: [{ DesiredStatus: "dance" }] }));
  await expect(clientOf(other).allocations(position, signal)).rejects.toThrow(/one of run, stop, evict/);
});
