import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { silentLog, systemClock } from "@millwright/core/ports";
import { formatAddress, type Listener, listen } from "@millwright/daemon/listener";

/** A service or check as a node registered it. */
export type Wire = Readonly<Record<string, unknown>>;

/**
 * What a node needs of a server of discovery, in memory: the seam's join and liveness, registration, and what is read of
 * one node. It remembers every request, and can be told to refuse, to forget, and to fall silent.
 */
export interface FakeDiscovery {
  readonly address: string;
  /** `METHOD /path`, in their order. */
  readonly requests: readonly string[];
  readonly services: Map<string, Wire>;
  readonly checks: Map<string, Wire>;
  /** The nodes that the catalog has, by name. */
  readonly nodes: Map<string, Wire>;
  /** The headers and body of the last request of a path. */
  lastOf(path: string): { readonly token: string; readonly body: Wire } | undefined;
  /** Requests of a kind from now on, without those of liveness. */
  countFrom(start: number): number;
  joinToken: string;
  liveness: "taken" | "forgotten";
  /** How long a write of the catalog takes, in milliseconds. */
  writeMilliseconds: number;
  /** Tokens that may do nothing. */
  readonly denied: Set<string>;
  /** Nodes whose health `answer` gives. */
  readonly otherNodes: Set<string>;
  /** What a path of no other meaning answers. */
  answer: (request: HttpRequest) => Promise<HttpReply>;
  /** Ends the listener, keeping the data; `start` listens again at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function fakeDiscovery(ttl = "10s"): Promise<FakeDiscovery> {
  const requests: string[] = [];
  const last = new Map<string, { token: string; body: Wire }>();
  const services = new Map<string, Wire>();
  const checks = new Map<string, Wire>();
  const nodes = new Map<string, Wire>();
  let listener: Listener | undefined;
  let address = "127.0.0.1:0";
  const fake: FakeDiscovery = {
    get address() {
      return address;
    },
    requests,
    services,
    checks,
    nodes,
    lastOf: (path) => last.get(path),
    countFrom: (start) => requests.slice(start).filter((line) => !line.includes("/liveness")).length,
    joinToken: "",
    liveness: "taken",
    writeMilliseconds: 0,
    denied: new Set(),
    otherNodes: new Set(),
    answer: async ({ path }) => text(404, `no ${path}`),
    stop: async () => listener?.close(0),
    start: async () => {
      const [host = "", port = "0"] = address.split(":");
      listener = await listen({
        address: { kind: "tcp", host, port: Number(port) },
        service: handle,
        clock: systemClock,
        log: silentLog,
        requestId: () => "fake",
      });
      address = formatAddress(listener.address);
    },
  };
  const handle = async (request: HttpRequest): Promise<HttpReply> => {
    const { path, method } = request;
    requests.push(`${method} ${path}`);
    const isOwn =
      path.startsWith("/v1/millwright/") || path.startsWith("/v1/catalog/") || path.startsWith("/v1/health/");
    const isOther = path.startsWith("/v1/health/node/") && fake.otherNodes.has(path.split("/").at(-1) ?? "");
    if ((!isOwn || isOther) && path !== "/v1/internal/acl/authorize") return fake.answer(request);
    const token = request.header("x-consul-token") ?? "";
    const body = method === "GET" ? {} : await readJson(request);
    last.set(path, { token, body });
    if (method === "PUT" && path.startsWith("/v1/catalog/")) await systemClock.sleep(fake.writeMilliseconds);
    return answerOwn(fake, { path, token, body, ttl });
  };
  await fake.start();
  return fake;
}

interface Asked {
  readonly path: string;
  readonly token: string;
  readonly body: Wire;
  readonly ttl: string;
}

function answerOwn(fake: FakeDiscovery, { path, token, body, ttl }: Asked): HttpReply {
  const { services, checks, nodes } = fake;
  switch (path) {
    case "/v1/millwright/join":
      if (body.JoinToken !== fake.joinToken) return text(403, "Permission denied: the join token is wrong");
      fake.liveness = "taken";
      nodes.set(String(body.Node), body);
      return json({ NodeToken: "node-token", Datacenter: "dc1", LivenessTTL: ttl });
    case "/v1/millwright/liveness":
      return fake.liveness === "forgotten"
        ? text(403, "ACL not found")
        : json({ TTL: ttl, Known: nodes.size > 0, Nodes: nodes.size });
    case "/v1/internal/acl/authorize":
      return json((body as unknown as unknown[]).map(() => ({ Allow: !fake.denied.has(token) })));
    case "/v1/catalog/register":
      return register(fake, body);
    case "/v1/catalog/deregister":
      deregister(fake, body);
      return json(true);
    case "/v1/catalog/nodes":
      return json([...nodes].map(([Node, node]) => ({ Node, ID: node.ID, Address: node.Address, Datacenter: "dc1" })));
    case "/v1/health/state/critical":
      return json([...checks.values()].filter(({ Status }) => Status === "critical"));
    case "/v1/catalog/service/consul":
      return json([]);
  }
  const node = nodes.get(path.split("/").at(-1) ?? "");
  if (path.startsWith("/v1/health/node/")) return json([...checks.values()]);
  if (!node) return json(null);
  const wireNode = { ...node, Meta: node.NodeMeta ?? node.Meta };
  return json({ Node: wireNode, Services: Object.fromEntries(services) });
}

function register({ nodes, services, checks }: FakeDiscovery, body: Wire): HttpReply {
  if (!body.SkipNodeUpdate || !nodes.has(String(body.Node))) nodes.set(String(body.Node), body);
  const service = body.Service as Wire | undefined;
  if (service) services.set(String(service.ID), service);
  for (const check of (body.Checks ?? []) as Wire[]) {
    if (check.ServiceID && !services.has(String(check.ServiceID))) return text(500, "no such service");
    checks.set(String(check.CheckID), check);
  }
  return json(true);
}

function deregister({ nodes, services, checks }: FakeDiscovery, body: Wire): void {
  if (body.ServiceID) {
    services.delete(String(body.ServiceID));
    for (const [id, check] of checks) if (check.ServiceID === body.ServiceID) checks.delete(id);
  } else if (body.CheckID) checks.delete(String(body.CheckID));
  else nodes.delete(String(body.Node));
}

async function readJson(request: HttpRequest): Promise<Wire> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request.body()) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString() || "{}");
}

export function json(value: unknown, headers: Record<string, string> = {}): HttpReply {
  return { status: 200, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

export function text(status: number, body: string): HttpReply {
  return { status, headers: { "content-type": "text/plain" }, body };
}
