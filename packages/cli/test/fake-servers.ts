import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What was asked of a server: `GET /v1/kv/app?index=1`. */
export interface FakeServers {
  readonly address: string;
  readonly requests: readonly string[];
  /** Leases that are alive, each with how often it was renewed. */
  readonly leases: ReadonlyMap<string, number>;
  putKey(key: string, value: string): void;
  deleteKey(key: string): void;
  /** Ends it; calls under way are cut. */
  close(): Promise<void>;
}

/**
 * Consul's and Vault's HTTP APIs as far as a template asks them, on one loopback port: keys with blocking reads, one service
 * `web`, credentials under `postgresql/creds/` with a lease of `leaseSeconds`, and secrets of both kv versions.
 */
export async function fakeServers({ leaseSeconds = 3600 }: { leaseSeconds?: number } = {}): Promise<FakeServers> {
  const keys = new Map<string, { value: string; index: number }>();
  const waiting = new Set<() => void>();
  const requests: string[] = [];
  const leases = new Map<string, number>();
  let index = 1;
  let made = 0;

  const changed = (change: () => void) => {
    index++;
    change();
    for (const wake of [...waiting]) wake();
  };

  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    const path = decodeURIComponent(url.pathname);
    requests.push(`${request.method} ${path}`);
    const body = await bodyOf(request);
    if (path.startsWith("/v1/kv/")) return answerKey(path.slice("/v1/kv/".length), url.searchParams, response);
    const found = consul(path) ?? vault(request.method ?? "", path, body);
    if (!found) return void response.writeHead(404).end('{"errors":[]}');
    response.writeHead(found.status ?? 200, { "content-type": "application/json", "x-consul-index": "7" });
    // Nothing in the catalog changes here: whoever waits for a change waits until the server ends.
    if (url.searchParams.get("index") === "7") return;
    response.end(JSON.stringify(found.body));
  }

  async function answerKey(key: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const at = Number(query.get("index") ?? 0);
    if (at >= index) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
        response.on("close", wake);
      });
    }
    const entries = [...keys]
      .filter(([name]) => (query.has("recurse") ? name.startsWith(key) : name === key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { value, index: modified }]) => ({
        Key: name,
        Value: Buffer.from(value).toString("base64"),
        Flags: 0,
        LockIndex: 0,
        CreateIndex: modified,
        ModifyIndex: modified,
      }));
    response.writeHead(entries.length > 0 ? 200 : 404, { "x-consul-index": String(index) });
    response.end(entries.length > 0 ? JSON.stringify(entries) : "");
  }

  function vault(method: string, path: string, body: Readonly<Record<string, unknown>>): Found | undefined {
    if (path.startsWith("/v1/sys/internal/ui/mounts/")) {
      const mount = path.slice("/v1/sys/internal/ui/mounts/".length).split("/")[0];
      return secret({
        data: {
          path: `${mount}/`,
          type: mount === "postgresql" ? "database" : "kv",
          options: { version: mount === "secret" ? "2" : "1" },
        },
      });
    }
    if (path === "/v1/auth/token/lookup-self") return secret({ data: { ttl: 0, renewable: false } });
    if (path === "/v1/sys/leases/renew") {
      const id = String(body.lease_id);
      const renewed = leases.get(id);
      if (renewed === undefined) return { status: 400, body: { errors: ["lease not found"] } };
      leases.set(id, renewed + 1);
      return secret({ lease_id: id, lease_duration: leaseSeconds, renewable: true });
    }
    if (path === "/v1/sys/leases/revoke") {
      leases.delete(String(body.lease_id));
      return { status: 204, body: undefined };
    }
    if (path.startsWith("/v1/postgresql/creds/")) {
      const id = `${path.slice("/v1/".length)}/${++made}`;
      leases.set(id, 0);
      const data = { username: `v-user-${made}`, password: `p-word-${made}` };
      return secret({ lease_id: id, lease_duration: leaseSeconds, renewable: true, data });
    }
    if (path === "/v1/secret/data/app")
      return secret({ data: { data: { color: "green", port: 5432 }, metadata: { version: 3 } } });
    if (path === "/v1/old/app") return secret({ lease_duration: 2_764_800, data: { color: "grey" } });
    if (path === "/v1/secret/metadata") return secret({ data: { keys: ["b", "app"] } });
    if (path === "/v1/forbidden")
      return { status: 403, body: { errors: ["1 error occurred:\n\t* permission denied\n\n"] } };
    if (path === "/v1/old/written" && method === "PUT") return secret({ data: { token: `t-${body.role}` } });
    return undefined;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    requests,
    leases,
    putKey: (key, value) => changed(() => keys.set(key, { value, index })),
    deleteKey: (key) => changed(() => keys.delete(key)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Found {
  readonly status?: number;
  readonly body: unknown;
}

function secret(part: Readonly<Record<string, unknown>>): Found {
  const none = { request_id: "r", lease_id: "", renewable: false, lease_duration: 0, data: null };
  return { body: { ...none, wrap_info: null, warnings: null, auth: null, ...part } };
}

function consul(path: string): Found | undefined {
  switch (path) {
    case "/v1/catalog/services":
      return { body: { consul: [], web: ["v2", "blue"] } };
    case "/v1/catalog/nodes":
      return { body: [node("node-b", "10.0.0.2"), node("node-a", "10.0.0.1")] };
    case "/v1/catalog/datacenters":
      return { body: ["dc2", "dc1"] };
    case "/v1/agent/self":
      return { body: { Config: { NodeName: "node-a", Datacenter: "dc1" } } };
    case "/v1/catalog/node/node-a":
      return { body: { Node: node("node-a", "10.0.0.1"), Services: { web1: service("web1", "", 8080) } } };
    case "/v1/health/service/web":
      return {
        body: [
          { Node: node("node-b", "10.0.0.2"), Service: service("web2", "", 8081), Checks: [check("warning")] },
          { Node: node("node-a", "10.0.0.1"), Service: service("web1", "10.1.0.1", 8080), Checks: [check("passing")] },
        ],
      };
    case "/v1/health/service/none":
      return { body: [] };
    default:
      return undefined;
  }
}

function node(name: string, address: string) {
  const meta = { Meta: { rack: "r1" }, TaggedAddresses: { lan: address } };
  return { ID: `id-${name}`, Node: name, Address: address, Datacenter: "dc1", ...meta, CreateIndex: 1, ModifyIndex: 1 };
}

function service(id: string, address: string, port: number) {
  return {
    ID: id,
    Service: "web",
    Tags: ["v2", "blue"],
    Address: address,
    Port: port,
    Meta: { version: "2" },
    Weights: { Passing: 10, Warning: 1 },
    EnableTagOverride: false,
    CreateIndex: 1,
    ModifyIndex: 1,
  };
}

function check(status: string) {
  const about = { ServiceID: "web", ServiceName: "web", ServiceTags: [], Type: "http", Notes: "", Output: "ok" };
  return { Node: "node-a", CheckID: "c1", Name: "alive", Status: status, ...about, CreateIndex: 1, ModifyIndex: 1 };
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request) pieces.push(piece as Uint8Array);
  const text = Buffer.concat(pieces).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
