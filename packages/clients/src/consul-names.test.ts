import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { systemClock } from "@millwright/core/ports";
import { type Answer, decode, encode, type Packet } from "dns-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConsulNames, type NameSource } from "./consul-names.ts";
import { clientErrors } from "./errors.ts";
import { HttpConnections } from "./http.ts";
import { targetOf } from "./target.ts";

/** A DNS server that knows these names; `asked` is what it was asked for, as `SRV name`. */
class SmallDns {
  readonly asked: string[] = [];
  readonly #socket: Socket = createSocket("udp4");

  async start(records: Readonly<Record<string, readonly Answer[]>>): Promise<void> {
    this.#socket.on("message", (message, from) => {
      const { id, questions = [] } = decode(message);
      const { name = "", type = "A" } = questions[0] ?? {};
      this.asked.push(`${type} ${name}`);
      const known = records[name];
      const answers = (known ?? []).filter((answer) => answer.type === type);
      const reply: Packet = { id: id ?? 0, type: "response", flags: known ? 0 : 3, questions, answers: [...answers] };
      this.#socket.send(encode(reply), from.port, from.address);
    });
    this.#socket.bind(0, "127.0.0.1");
    await once(this.#socket, "listening");
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }
}

const a = (name: string, data: string): Answer => ({ name, type: "A", data });
const srv = (name: string, target: string, port: number, priority = 1): Answer => ({
  name,
  type: "SRV",
  data: { target, port, priority, weight: 1 },
});

const ignorant: NameSource = {
  addresses: () => Promise.reject(new Error("ENOTFOUND")),
  services: () => Promise.reject(new Error("ENOTFOUND")),
};

let dns: SmallDns;
beforeEach(() => {
  dns = new SmallDns();
});
afterEach(() => dns.close());

describe("a name of the datacenter", () => {
  const records = {
    "vault.service.consul": [
      a("vault.service.consul", "127.0.0.1"),
      srv("vault.service.consul", "n2.node.dc1.consul", 8201, 2),
      srv("vault.service.consul", "7f000001.addr.dc1.consul", 8200),
    ],
    "7f000001.addr.dc1.consul": [a("7f000001.addr.dc1.consul", "127.0.0.1")],
    "n2.node.dc1.consul": [
      a("n2.node.dc1.consul", "10.0.0.2"),
      { name: "n2.node.dc1.consul", type: "AAAA", data: "::2" },
    ],
    "plain.service.consul": [a("plain.service.consul", "10.0.0.1"), a("plain.service.consul", "10.0.0.2")],
  } as const;
  const system: NameSource = {
    addresses: async (name) => (name === "vault.service.consul" ? ["10.9.9.9"] : []),
    services: async () => [],
  };
  const cases: {
    readonly name: string;
    readonly host: string;
    readonly port?: number;
    readonly system: NameSource;
    readonly want: readonly string[];
  }[] = [
    {
      name: "brings the ports of its SRV records where the address has none, the preferred first",
      host: "vault.service.consul",
      system: ignorant,
      want: ["127.0.0.1:8200", "10.0.0.2:8201", "::2:8201"],
    },
    {
      name: "keeps the address's port",
      host: "vault.service.consul",
      port: 9,
      system: ignorant,
      want: ["127.0.0.1:9"],
    },
    { name: "may end with a dot", host: "vault.service.consul.", port: 9, system: ignorant, want: ["127.0.0.1:9"] },
    {
      name: "has the scheme's port where there is no SRV record",
      host: "plain.service.consul",
      system: ignorant,
      want: ["10.0.0.1:80", "10.0.0.2:80"],
    },
    { name: "is first asked of the system", host: "vault.service.consul", port: 9, system, want: ["10.9.9.9:9"] },
    {
      name: "is asked of the node where the system does not know it",
      host: "plain.service.consul",
      port: 9,
      system,
      want: ["10.0.0.1:9", "10.0.0.2:9"],
    },
    {
      name: "is asked of the node where the system is slow",
      host: "plain.service.consul",
      port: 9,
      system: { addresses: () => new Promise(() => undefined), services: () => new Promise(() => undefined) },
      want: ["10.0.0.1:9", "10.0.0.2:9"],
    },
  ];
  test.each(cases)("$name", async ({ host, port, system: asked, want }) => {
    await dns.start(records);
    const clock = { ...systemClock, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(50, signal) };
    const names = new ConsulNames({ dnsAddress: dns.address, system: asked, clock });
    const found = await names.resolve({ host, port, defaultPort: 80 });
    expect(found.map((endpoint) => `${endpoint.host}:${endpoint.port}`)).toEqual(want);
  });

  test("that nobody knows is refused with what to check", async () => {
    await dns.start(records);
    const names = new ConsulNames({ dnsAddress: dns.address, system: ignorant });
    await expect(names.resolve({ host: "vualt.service.consul", port: 1, defaultPort: 80 })).rejects.toMatchObject({
      kind: clientErrors.unreachable,
      message: expect.stringContaining(`the node's own at ${dns.address} (MILLWRIGHT_DNS_ADDR) knows the name`),
    });
  });

  test("is asked for again only after a while", async () => {
    await dns.start(records);
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const names = new ConsulNames({ dnsAddress: dns.address, system: ignorant, clock });
    const resolve = () => names.resolve({ host: "plain.service.consul", port: 9, defaultPort: 80 });
    await resolve();
    const asked = dns.asked.length;
    await resolve();
    expect(dns.asked).toHaveLength(asked);
    now = 2_001;
    await resolve();
    expect(dns.asked).toHaveLength(2 * asked);
  });
});

describe("a request to a service", () => {
  let server: Server;
  let port = 0;
  beforeEach(async () => {
    server = createServer((request, response) => void response.end(`hello ${request.headers.host}`));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    port = typeof bound === "object" ? (bound?.port ?? 0) : 0;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test("goes to the next instance when one refuses, under the service's name", async () => {
    await dns.start({
      "web.service.consul": [srv("web.service.consul", "a.consul", 1), srv("web.service.consul", "b.consul", port, 2)],
      "a.consul": [a("a.consul", "127.0.0.1")],
      "b.consul": [a("b.consul", "127.0.0.1")],
    });
    const names = new ConsulNames({ dnsAddress: dns.address, system: ignorant });
    const connections = new HttpConnections(targetOf({ address: "http://web.service.consul" }, "test"), names);
    const call = { method: "GET", path: "/", headers: {}, timeoutMilliseconds: 5_000 };
    const answer = await connections.send(call);
    expect(Buffer.from(await answer.bytes()).toString()).toBe(`hello web.service.consul:${port}`);
    await connections.close();
  });

  test("says of the last instance why it could not be reached", async () => {
    await dns.start({ "web.service.consul": [a("web.service.consul", "127.0.0.1")] });
    const names = new ConsulNames({ dnsAddress: dns.address, system: ignorant });
    const connections = new HttpConnections(targetOf({ address: "web.service.consul:1" }, "test"), names);
    const call = { method: "GET", path: "/", headers: {}, timeoutMilliseconds: 5_000 };
    await expect(connections.send(call)).rejects.toThrow(
      "Cannot reach web.service.consul (127.0.0.1:1): connection refused. Check that a server runs there",
    );
    await connections.close();
  });
});
