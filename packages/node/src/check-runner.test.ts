import { createSocket } from "node:dgram";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeDiscovery, json } from "../test/fake-discovery.ts";
import { fastClock } from "../test/fast-clock.ts";
import { type RunningNode, runNode, until } from "../test/running-node.ts";

// Checks as a user registers them, beside what they look at.
let one: RunningNode;
let folder: string;
const servers: { close(): unknown }[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "checks-"));
  one = await runNode({ scriptChecks: "all", chance: soon });
});
afterEach(async () => {
  await one.close();
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true });
});

/** The first run of every check comes at once. */
const soon = { bytes: () => new Uint8Array(8), uuid: () => "id", fraction: () => 0 };

async function check(body: object): Promise<void> {
  const reply = await one.ask("PUT /v1/agent/check/register", { Name: "c", Interval: "1s", ...body });
  if (reply.status !== 200) throw new Error(reply.text);
}

const now = () => one.node.state.checks.get("c");

async function becomes(status: string, output: RegExp): Promise<void> {
  const is = () => now()?.status === status && output.test(now()?.output ?? "");
  await until(`${status} ${output}`, is, 5_000).catch((error: unknown) => {
    throw new Error(`${String(error)}; it is ${now()?.status}: ${now()?.output}`);
  });
}

let answer: (request: IncomingMessage) => {
  status: number;
  body?: string;
  headers?: Record<string, string>;
  delay?: number;
};
const asked: { method?: string; url?: string; headers: IncomingMessage["headers"]; body: string }[] = [];

async function httpServer(): Promise<string> {
  asked.length = 0;
  const server: Server = createHttpServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { method = "", url = "", headers } = request;
    asked.push({ method, url, headers, body });
    const reply = answer(request);
    await new Promise((resolve) => setTimeout(resolve, reply.delay ?? 0));
    response.writeHead(reply.status, reply.headers).end(reply.body ?? "");
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a check that was just registered", () => {
  test("runs again soon until it succeeds, and then at its interval", async () => {
    answer = () => ({ status: asked.length < 3 ? 500 : 200 });
    await check({ HTTP: await httpServer(), Interval: "1h" });
    await becomes("passing", /200/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(asked.length).toBe(3);
  });

  test("keeps to its interval where it is taken as passing from the start", async () => {
    answer = () => ({ status: 500 });
    await check({ HTTP: await httpServer(), Interval: "1h", Status: "passing", FailuresBeforeCritical: 2 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(asked.length).toBe(1);
    expect(now()?.status).toBe("passing");
  });
});

describe("an HTTP check", () => {
  const statuses = [
    { code: 200, want: "passing" },
    { code: 204, want: "passing" },
    { code: 429, want: "warning" },
    { code: 404, want: "critical" },
    { code: 500, want: "critical" },
  ];
  test.each(statuses)("is $want for $code", async ({ code, want }) => {
    answer = () => ({ status: code, body: code === 204 ? "" : "said" });
    const url = await httpServer();
    await check({ HTTP: url });
    await becomes(want, new RegExp(`^HTTP GET ${url}: ${code} .* Output: `));
  });

  test("sends method, headers and body", async () => {
    answer = () => ({ status: 200 });
    const url = await httpServer();
    await check({ HTTP: `${url}/x?y=1`, Method: "POST", Header: { "X-Key": ["v"], Host: ["h"] }, Body: "b" });
    await becomes("passing", /200/);
    expect(asked[0]).toMatchObject({ method: "POST", url: "/x?y=1", body: "b" });
    expect(asked[0]?.headers).toMatchObject({ "x-key": "v", host: "h", "user-agent": "Consul Health Check" });
  });

  test("follows redirects unless it is told not to", async () => {
    answer = ({ url }) => (url === "/to" ? { status: 200 } : { status: 302, headers: { location: "/to" } });
    const url = await httpServer();
    await check({ HTTP: url });
    await becomes("passing", /200 OK/);
    await check({ HTTP: url, DisableRedirects: true });
    await becomes("critical", /302 Found/);
  });

  test("says that the connection was refused, and comes back by itself", async () => {
    answer = () => ({ status: 200 });
    const url = await httpServer();
    await check({ HTTP: url });
    await becomes("passing", /200/);
    const { port } = (servers[0] as Server).address() as AddressInfo;
    (servers[0] as Server).close();
    await becomes("critical", /^Get "http:.*": dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/);
    const again = createHttpServer((_, response) => response.end("back")).listen(port, "127.0.0.1");
    servers.push(again);
    await becomes("passing", /back/);
  });

  test("keeps the beginning of a long answer", async () => {
    answer = () => ({ status: 200, body: "x".repeat(10_000) });
    await check({ HTTP: await httpServer(), OutputMaxSize: 100 });
    await becomes("passing", /Output: x{100}$/);
  });

  test("is critical after its timeout", async () => {
    const silent = createTcpServer().listen(0, "127.0.0.1");
    servers.push(silent);
    await until("listening", () => silent.address());
    await check({ HTTP: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`, Timeout: "100ms" });
    await becomes("critical", /no answer within 0\.1s/);
  });
});

describe("a check over TLS", () => {
  const file = (name: string) => readFileSync(new URL(`../testdata/tls/${name}`, import.meta.url));

  async function tlsServer(): Promise<{ readonly port: number; readonly names: string[] }> {
    const names: string[] = [];
    const settings = { key: file("key.pem"), cert: file("cert.pem") };
    const server = createHttpsServer(settings, (_, response) => response.end("secure"));
    server.on("secureConnection", (socket) => names.push(String(socket.servername)));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port, names };
  }

  test("trusts no certificate of an unknown authority, unless it is told to", async () => {
    const { port } = await tlsServer();
    await check({ HTTP: `https://127.0.0.1:${port}/` });
    await becomes("critical", /self-signed certificate/);
    await check({ HTTP: `https://127.0.0.1:${port}/`, TLSSkipVerify: true });
    await becomes("passing", /secure/);
  });

  test("asks for the server name it is told", async () => {
    const { port, names } = await tlsServer();
    await check({ HTTP: `https://127.0.0.1:${port}/`, TLSSkipVerify: true, TLSServerName: "health.test" });
    await becomes("passing", /secure/);
    expect(names[0]).toBe("health.test");
    await check({ TCP: `127.0.0.1:${port}`, TCPUseTLS: true, TLSSkipVerify: true, Status: "warning" });
    await becomes("passing", /^TCP connect/);
  });
});

describe("other probes", () => {
  test("TCP connects, or says that it is refused", async () => {
    const server = createTcpServer((socket) => socket.end()).listen(0, "127.0.0.1");
    servers.push(server);
    await until("listening", () => server.address());
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await check({ TCP: address });
    await becomes("passing", new RegExp(`^TCP connect ${address}: Success$`));
    server.close();
    await becomes("critical", /connection refused/);
  });

  test("UDP to a host that nobody knows is critical", async () => {
    await check({ UDP: "no-such-host.invalid:53" });
    await becomes("critical", /no such host|temporary failure/);
  });

  test.each(["TCP", "UDP"])("what cannot be run at all is critical, and is tried again: %s", async (kind) => {
    await check({ [kind]: "127.0.0.1:99999", Status: "passing", FailuresBeforeCritical: 1 });
    await becomes("critical", /could not be run: .*99999/);
  });

  test("UDP is passing while nobody refuses", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await new Promise((resolve) => socket.once("listening", resolve));
    const { port } = socket.address();
    await check({ UDP: `127.0.0.1:${port}`, Timeout: "100ms" });
    await becomes("passing", /Success/);
    socket.close();
    await becomes("critical", /connection refused/);
  });

  const codes = [
    { code: 0, want: "passing" },
    { code: 1, want: "warning" },
    { code: 2, want: "critical" },
  ];
  test.each(codes)("a script that exits with $code is $want", async ({ code, want }) => {
    await check({ Args: ["/bin/sh", "-c", `echo out; echo err >&2; exit ${code}`] });
    await becomes(want, /out\nerr|err\nout/);
  });

  test("a script that takes too long is ended with all it started", async () => {
    const pids = join(folder, "pids");
    await check({ Args: ["/bin/sh", "-c", `sleep 60 & echo $! > ${pids}; wait`], Timeout: "200ms", Interval: "1h" });
    await becomes("critical", /^Timed out \(0\.2s\) running check$/);
    const pid = Number(await readFile(pids, "utf8"));
    // Dead, or waiting for its parent to notice.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone");
    expect(stat).toMatch(/^gone$|\) Z /);
  });

  test("a script that is not there is critical, and says so", async () => {
    await check({ Args: ["/no/such/program"] });
    await becomes("critical", /^Cannot start \/no\/such\/program/);
  });
});

describe("a check that stands for another", () => {
  test("follows a service of this node", async () => {
    await one.ask("PUT /v1/agent/service/register", { Name: "db", Check: { TTL: "1m" } });
    await check({ Interval: "", AliasService: "db" });
    await becomes("critical", /^Aliased check "service:db" failing/);
    await one.ask("PUT /v1/agent/check/pass/service:db");
    await becomes("passing", /^All checks passing\.$/);
    await one.ask("PUT /v1/agent/service/deregister/db");
    await becomes("critical", /^Service db could not be found on this node\.$/);
  });
});

describe("a check that stands for another node", () => {
  test("follows that node's checks at the servers", async () => {
    const server = await fakeDiscovery();
    servers.push({ close: () => void server.stop() });
    server.otherNodes.add("db-1");
    const disk = { Node: "db-1", CheckID: "disk", Status: "passing" };
    let index = 7;
    const changed = Promise.withResolvers<void>();
    server.answer = async ({ path, query }) => {
      if (path !== "/v1/health/node/db-1") return { status: 404, headers: {} };
      if (query.get("index") === "7") await changed.promise;
      return json([disk], { "x-consul-index": String(index) });
    };
    await one.ask(`PUT /v1/agent/join/${server.address}`);
    await check({ Interval: "", AliasNode: "db-1" });
    await becomes("passing", /All checks passing/);
    disk.Status = "critical";
    index = 8;
    changed.resolve();
    await becomes("critical", /^Aliased check "disk" failing/);
  });
});

describe("thresholds and the end of a service", () => {
  test("it takes as many results in a row as the check wants", async () => {
    answer = () => ({ status: asked.length < 3 ? 500 : 200 });
    const url = await httpServer();
    await check({ HTTP: url, Status: "passing", FailuresBeforeCritical: 3, FailuresBeforeWarning: 2 });
    await becomes("warning", /500/);
    expect(asked.length).toBe(2);
    await becomes("passing", /200/);
  });

  test("a service that is critical for too long is deregistered", async () => {
    const fast = await runNode({ chance: soon, clock: fastClock(100) });
    servers.push({ close: () => void fast.close() });
    const ttl = { TTL: "10s", DeregisterCriticalServiceAfter: "1m" };
    await fast.ask("PUT /v1/agent/service/register", { Name: "web", Check: ttl });
    await fast.ask("PUT /v1/agent/service/register", { Name: "other", Check: { TTL: "10s" } });
    await fast.ask("PUT /v1/agent/check/pass/service:web");
    const began = performance.now();
    await until("deregistered", () => !fast.node.state.services.has("web"));
    // Ten seconds until it is critical, and a minute from there.
    expect(performance.now() - began).toBeGreaterThan(600);
    expect([...fast.node.state.services.keys()]).toEqual(["other"]);
  });

  test("a check that is removed is not run any more, also where it was running", async () => {
    answer = () => ({ status: 200, delay: 300 });
    await check({ HTTP: await httpServer() });
    await until("it runs", () => asked.length === 1);
    await one.ask("PUT /v1/agent/check/deregister/c");
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect(asked.length).toBe(1);
  });
});
