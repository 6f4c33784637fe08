import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { ConsulClient } from "@millwright/clients/consul";
import type { Registration } from "@millwright/clients/consul-catalog";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCatalogSource } from "../src/dns/catalog-source.ts";
import { type DnsAddress, openDns } from "../src/dns/dns.ts";
import { dig } from "../test/support/dig.ts";

/*
 * Our DNS front beside a real Consul's, over the catalog of that Consul: the same questions, asked with dig, the same answers.
 * `consul` is taken from CONSUL_BIN or the PATH; without one nothing is compared.
 */

const program = process.env.CONSUL_BIN ?? "consul";
const isThere = spawnSync(program, ["version"]).status === 0;

const ports = { clock: systemClock, chance: systemChance, log: silentLog };
const closers: (() => Promise<unknown>)[] = [];
let theirs: DnsAddress;
let ours: DnsAddress;

const health = (service: string, status: "passing" | "warning" | "critical") => ({
  checks: [{ checkId: `${service}-check`, name: service, status, serviceId: service }],
});
const service = (name: string, more: Partial<Registration["service"]> = {}) => ({ service: name, port: 80, ...more });

const registrations: readonly Registration[] = [
  { node: "n1", address: "10.0.0.1", service: service("web", { tags: ["v1", "Blue"] }) },
  {
    node: "n2",
    address: "10.0.0.2",
    service: service("web", { tags: ["v2"], port: 81, weights: { passing: 7, warning: 3 } }),
    ...health("web", "warning"),
  },
  { node: "n3", address: "10.0.0.3", service: service("web", { tags: ["v1"] }), ...health("web", "critical") },
  { node: "n4.rack", address: "fd00::4", service: service("six", { port: 6 }) },
  { node: "n1", address: "10.0.0.1", service: service("moved", { address: "10.1.0.1", port: 5 }) },
  { node: "n1", address: "10.0.0.1", service: service("named", { address: "db.example.com", port: 5432 }) },
  { node: "n1", address: "10.0.0.1", service: service("alias", { address: "moved.service.consul" }) },
  { node: "n3", address: "10.0.0.3", service: service("down"), ...health("down", "critical") },
  {
    node: "n5",
    address: "10.0.0.5",
    nodeMeta: { rack: "a", "rfc1035-note": "as it is" },
    service: service("meta", { port: 5 }),
  },
  ...Array.from({ length: 12 }, (_, i) => ({
    node: `m${i}`,
    address: `10.2.0.${i + 1}`,
    service: service("many", { port: 8000 + i }),
  })),
];

beforeAll(async () => {
  if (!isThere) return;
  const [http, dns, lan, rpc] = await Promise.all(Array.from({ length: 4 }, freePort));
  const flags = [`-http-port=${http}`, `-dns-port=${dns}`, `-server-port=${rpc}`, `-serf-lan-port=${lan}`];
  const off = ["-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-node=server", "-log-level=error"];
  const hcl = "performance { raft_multiplier = 1 }";
  const child = spawn(program, ["agent", "-dev", ...flags, ...off, `-hcl=${hcl}`], { stdio: "ignore" });
  closers.push(() => ended(child));
  const client = new ConsulClient({ address: `127.0.0.1:${http}` });
  closers.push(() => client.close());
  const until = performance.now() + 30_000;
  while ((await client.leader().catch(() => "")) === "" && performance.now() < until) await systemClock.sleep(100);
  for (const registration of registrations) await client.catalog.register(registration);
  const source = openCatalogSource({ call: (read) => read(client), ...ports });
  const addresses = [{ host: "127.0.0.1", port: 0 }];
  const front = await openDns({ addresses, source, nodeName: "server", datacenter: "dc1", ...ports });
  closers.push(source.close, () => front.close());
  theirs = { host: "127.0.0.1", port: dns! };
  ours = front.addresses[0]!;
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const bound = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof bound === "object" && bound ? bound.port : 0;
}

function ended(child: ChildProcess): Promise<unknown> {
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  return gone;
}

interface Said {
  readonly status: string | undefined;
  readonly flags: string | undefined;
  /** Section and record, without an order. */
  readonly records: readonly string[];
}

/** What dig got, without times, ids, the serial of the SOA and an order. */
async function said(at: DnsAddress, words: readonly string[]): Promise<Said> {
  const text = await dig(at, "+noall", "+comments", "+answer", "+authority", "+additional", ...words);
  const records: string[] = [];
  let section = "";
  for (const line of text.split("\n")) {
    section = /^;; (\w+) SECTION/.exec(line)?.[1] ?? section;
    if (line !== "" && !line.startsWith(";")) {
      const record = line.replace(/\s+/g, " ").replace(/(SOA \S+ \S+) \d+/, "$1 SERIAL");
      records.push(`${section} ${record}`);
    }
  }
  const header = /status: (\w+)[\s\S]*flags: ([a-z ]+);/.exec(text);
  return { status: header?.[1], flags: header?.[2], records: records.toSorted() };
}

describe.runIf(isThere)("the same answer as Consul's", () => {
  const questions = [
    "web.service.consul",
    "WEB.Service.CONSUL",
    "web.service.dc1.consul",
    "web.service.consul AAAA",
    "web.service.consul SRV",
    "v1.web.service.consul",
    "blue.web.service.consul",
    "v2.web.service.consul SRV",
    "_web._tcp.service.consul SRV",
    "_web._v2.service.consul SRV",
    "_web._tcp.consul SRV",
    "_web._v9.service.consul SRV",
    "web.service.consul MX",
    "six.service.consul",
    "six.service.consul AAAA",
    "six.service.consul SRV",
    "moved.service.consul",
    "moved.service.consul SRV",
    "named.service.consul",
    "named.service.consul SRV",
    "alias.service.consul",
    "down.service.consul",
    "nope.service.consul",
    "web.service.dc9.consul",
    "many.service.consul",
    "many.service.consul SRV",
    "many.service.consul SRV +tcp",
    "n1.node.consul",
    "n1.node.consul ANY",
    "n5.node.consul",
    "n5.node.consul TXT",
    "n5.node.consul ANY",
    "meta.service.consul SRV",
    "n4.rack.node.consul AAAA",
    "n9.node.consul",
    "0a000001.addr.consul",
    "fd000000000000000000000000000004.addr.consul AAAA",
    "consul NS",
    "q.query.consul",
    "web.connect.consul",
    "web.ingress.consul",
    "-x 10.0.0.1",
    "-x 10.1.0.1",
    "-x fd00::4",
    "www.example.com",
  ];
  for (const question of questions)
    test(question, async () => {
      const words = question.split(" ");
      expect(await said(ours, words)).toEqual(await said(theirs, words));
    });
});

describe.runIf(isThere)("another answer than Consul's, on purpose", () => {
  const soa = "AUTHORITY consul. 0 IN SOA ns.consul. hostmaster.consul. SERIAL 3600 600 86400 0";
  const cases = [
    { name: "an empty answer has the SOA", ask: "n1.node.dc1.consul AAAA", status: "NOERROR", records: [soa] },
    { name: "an empty answer has the SOA", ask: "0a000001.addr.dc1.consul AAAA", status: "NOERROR", records: [soa] },
    {
      name: "names below a kind exist only where something is",
      ask: "xyz.addr.consul",
      status: "NXDOMAIN",
      records: [soa],
    },
    { name: "without a mesh no virtual address exists", ask: "web.virtual.consul", status: "NXDOMAIN", records: [soa] },
    { name: "names with names below them exist", ask: "service.consul", status: "NOERROR", records: [soa] },
    { name: "the domain exists", ask: "consul", status: "NOERROR", records: [soa] },
    { name: "nobody's address is not ours", ask: "-x 10.99.0.1", status: "REFUSED", records: [] },
    {
      name: "the SOA comes alone",
      ask: "consul SOA",
      status: "NOERROR",
      records: [soa.replace("AUTHORITY", "ANSWER")],
    },
  ];
  for (const { name, ask, status, records } of cases)
    test(`${name}: ${ask}`, async () => {
      const [own, other] = await Promise.all([said(ours, ask.split(" ")), said(theirs, ask.split(" "))]);
      expect(own).toMatchObject({ status, records });
      expect(other).not.toEqual(own);
    });

  test("what was cut says so", async () => {
    const [own, other] = [
      await said(ours, ["+noedns", "+ignore", "many.service.consul"]),
      await said(theirs, ["+noedns", "+ignore", "many.service.consul"]),
    ];
    expect([own.flags, own.records.length]).toEqual(["qr aa tc rd", 3]);
    expect([other.flags, other.records.length]).toEqual(["qr aa rd", 3]);
  });
});
