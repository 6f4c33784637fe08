import { OperationalError } from "@millwright/core/errors";
import type { RecordType } from "dns-packet";
import { describe, expect, test } from "vitest";
import { answerText, type QuestionText, questionBytes } from "../../test/support/dns-text.ts";
import { FixedCatalog, type InstanceText } from "../../test/support/fixed-catalog.ts";
import { makeResponder } from "../../test/support/responders.ts";
import type { CatalogSource } from "./catalog.ts";
import { dnsErrors } from "./errors.ts";
import type { Transport } from "./recursors.ts";
import type { Responder, ResponderOptions } from "./responder.ts";

const catalog = new FixedCatalog();
const n1 = { node: "n1", nodeAddress: "10.0.0.1" } as const;
const n2 = { node: "n2", nodeAddress: "10.0.0.2", meta: { rack: "b", "rfc1035-x": "plain" } } as const;
const n3 = { node: "n3", nodeAddress: "fd00::3" } as const;
catalog.set("web", [
  { ...n1, port: 8001, tags: ["v1"] },
  { ...n2, port: 8002, tags: ["v1", "v2"], health: "warning", weight: 3 },
  { ...n3, port: 8003, tags: ["v2"] },
  { ...n1, port: 8004, tags: ["v1"], health: "critical", address: "10.9.9.9" },
]);
catalog.set("down", [{ ...n1, health: "critical" }]);
catalog.set("twice", [
  { ...n1, port: 1 },
  { ...n1, port: 1 },
  { ...n1, port: 2 },
]);
catalog.set("moved", [{ ...n1, address: "10.1.0.1", port: 5 }]);
catalog.set("elsewhere", [{ ...n1, address: "db.example.com", port: 5432 }]);
catalog.set("alias", [{ ...n1, address: "moved.service.consul" }]);
catalog.set("loop", [{ ...n1, address: "loop.service.consul" }]);
catalog.set("consul", [
  { ...n1, port: 8300 },
  { ...n3, port: 8300, health: "critical" },
]);
catalog.set("odd", [{ node: "no..name", nodeAddress: "10.0.0.9", port: 9 }]);
catalog.set("text", [{ node: "n8", nodeAddress: "10.0.0.8", meta: { "a=b": "x`y", long: "z".repeat(300) } }]);

const soa = (domain = "consul") => `authority ${domain} 0 SOA ns.${domain} hostmaster.${domain} 0`;

async function ask(
  question: QuestionText,
  changes: Partial<ResponderOptions> & { readonly transport?: Transport } = {},
): Promise<readonly string[]> {
  const bytes = await makeResponder(catalog, changes).respond(questionBytes(question), changes.transport ?? "udp");
  return answerText(bytes!);
}

interface Case {
  readonly name: string;
  readonly ask: string;
  readonly want: readonly string[];
  readonly options?: Partial<ResponderOptions>;
}

function check(cases: readonly Case[]): void {
  for (const one of cases)
    test(`${one.name}: ${one.ask}`, async () => {
      const [name = "", type = "A"] = one.ask.split(" ");
      expect(await ask({ name, type: type as RecordType }, one.options)).toEqual(one.want);
    });
}

describe("services", () => {
  check([
    {
      name: "addresses of what is not critical",
      ask: "web.service.consul",
      want: ["NOERROR aa", "answer web.service.consul 0 A 10.0.0.1", "answer web.service.consul 0 A 10.0.0.2"],
    },
    {
      name: "IPv6 addresses",
      ask: "web.service.consul AAAA",
      want: ["NOERROR aa", "answer web.service.consul 0 AAAA fd00::3"],
    },
    {
      name: "addresses of both kinds",
      ask: "web.service.consul ANY",
      want: [
        "NOERROR aa",
        "answer web.service.consul 0 A 10.0.0.1",
        "answer web.service.consul 0 A 10.0.0.2",
        "answer web.service.consul 0 AAAA fd00::3",
      ],
    },
    {
      name: "a warning counts where only passing ones are wanted",
      ask: "web.service.consul",
      options: { onlyPassing: true },
      want: ["NOERROR aa", "answer web.service.consul 0 A 10.0.0.1"],
    },
    {
      name: "a tag, in any case",
      ask: "V2.WEB.service.consul",
      want: ["NOERROR aa", "answer V2.WEB.service.consul 0 A 10.0.0.2"],
    },
    {
      name: "ports, weights, and addresses beside them",
      ask: "web.service.consul SRV",
      want: [
        "NOERROR aa",
        "answer web.service.consul 0 SRV 1 1 8001 n1.node.dc1.consul",
        "answer web.service.consul 0 SRV 1 3 8002 n2.node.dc1.consul",
        "answer web.service.consul 0 SRV 1 1 8003 n3.node.dc1.consul",
        "additional n1.node.dc1.consul 0 A 10.0.0.1",
        "additional n2.node.dc1.consul 0 A 10.0.0.2",
        "additional n2.node.dc1.consul 0 TXT rack=b",
        "additional n2.node.dc1.consul 0 TXT plain",
        "additional n3.node.dc1.consul 0 AAAA fd00::3",
      ],
    },
    {
      name: "RFC 2782 with a tag",
      ask: "_web._v1.service.consul SRV",
      options: { nodeMeta: false },
      want: [
        "NOERROR aa",
        "answer _web._v1.service.consul 0 SRV 1 1 8001 n1.node.dc1.consul",
        "answer _web._v1.service.consul 0 SRV 1 3 8002 n2.node.dc1.consul",
        "additional n1.node.dc1.consul 0 A 10.0.0.1",
        "additional n2.node.dc1.consul 0 A 10.0.0.2",
      ],
    },
    {
      name: "RFC 2782 in short",
      ask: "_moved._tcp.consul SRV",
      want: [
        "NOERROR aa",
        "answer _moved._tcp.consul 0 SRV 1 1 5 0a010001.addr.dc1.consul",
        "additional 0a010001.addr.dc1.consul 0 A 10.1.0.1",
      ],
    },
    {
      name: "an address once, a port each",
      ask: "twice.service.consul",
      want: ["NOERROR aa", "answer twice.service.consul 0 A 10.0.0.1"],
    },
    {
      name: "an address once, a port each",
      ask: "twice.service.consul SRV",
      want: [
        "NOERROR aa",
        "answer twice.service.consul 0 SRV 1 1 1 n1.node.dc1.consul",
        "answer twice.service.consul 0 SRV 1 1 2 n1.node.dc1.consul",
        "additional n1.node.dc1.consul 0 A 10.0.0.1",
      ],
    },
    {
      name: "a node whose name is none for DNS",
      ask: "odd.service.consul SRV",
      want: [
        "NOERROR aa",
        "answer odd.service.consul 0 SRV 1 1 9 0a000009.addr.dc1.consul",
        "additional 0a000009.addr.dc1.consul 0 A 10.0.0.9",
      ],
    },
    {
      name: "a service of another name",
      ask: "elsewhere.service.consul",
      want: ["NOERROR aa", "answer elsewhere.service.consul 0 CNAME db.example.com"],
    },
    {
      name: "a service of another name",
      ask: "elsewhere.service.consul SRV",
      want: ["NOERROR aa", "answer elsewhere.service.consul 0 SRV 1 1 5432 db.example.com"],
    },
    {
      name: "a name of ours behind an alias",
      ask: "alias.service.consul",
      want: [
        "NOERROR aa",
        "answer alias.service.consul 0 CNAME moved.service.consul",
        "answer moved.service.consul 0 A 10.1.0.1",
      ],
    },
    {
      name: "an alias of itself ends",
      ask: "loop.service.consul",
      want: ["NOERROR aa", "answer loop.service.consul 0 CNAME loop.service.consul"],
    },
    {
      name: "how long to keep it",
      ask: "web.service.consul",
      options: { ttl: { node: 2, service: { "w*": 7 } }, onlyPassing: true },
      want: ["NOERROR aa", "answer web.service.consul 7 A 10.0.0.1"],
    },
    { name: "nothing usable", ask: "down.service.consul", want: ["NXDOMAIN aa", soa()] },
    { name: "an unknown service", ask: "nope.service.consul", want: ["NXDOMAIN aa", soa()] },
    { name: "an unknown tag", ask: "v9.web.service.consul", want: ["NXDOMAIN aa", soa()] },
    { name: "another type", ask: "web.service.consul MX", want: ["NOERROR aa", soa()] },
    { name: "another datacenter", ask: "web.service.dc2.consul", want: ["NXDOMAIN aa", soa()] },
    {
      name: "this datacenter",
      ask: "moved.service.DC1.consul",
      want: ["NOERROR aa", "answer moved.service.DC1.consul 0 A 10.1.0.1"],
    },
  ]);
});

describe("nodes and other names", () => {
  check([
    {
      name: "a node with its meta",
      ask: "n2.node.consul",
      want: [
        "NOERROR aa",
        "answer n2.node.consul 0 A 10.0.0.2",
        "additional n2.node.consul 0 TXT rack=b",
        "additional n2.node.consul 0 TXT plain",
      ],
    },
    {
      name: "its meta alone",
      ask: "n2.node.dc1.consul TXT",
      want: ["NOERROR aa", "answer n2.node.dc1.consul 0 TXT rack=b", "answer n2.node.dc1.consul 0 TXT plain"],
    },
    {
      name: "meta with marks, and longer than one text",
      ask: "n8.node.consul TXT",
      want: [
        "NOERROR aa",
        "answer n8.node.consul 0 TXT a`=b=x``y",
        `answer n8.node.consul 0 TXT long=${"z".repeat(250)}|${"z".repeat(50)}`,
      ],
    },
    { name: "a node, another type", ask: "n1.node.consul AAAA", want: ["NOERROR aa", soa()] },
    { name: "an unknown node", ask: "n9.node.consul", want: ["NXDOMAIN aa", soa()] },
    {
      name: "a spelled address",
      ask: "0a000001.addr.dc1.consul",
      want: ["NOERROR aa", "answer 0a000001.addr.dc1.consul 0 A 10.0.0.1"],
    },
    {
      name: "a spelled address",
      ask: "fd000000000000000000000000000003.addr.consul AAAA",
      want: ["NOERROR aa", "answer fd000000000000000000000000000003.addr.consul 0 AAAA fd00::3"],
    },
    { name: "a spelled address, another type", ask: "0a000001.addr.consul AAAA", want: ["NOERROR aa", soa()] },
    {
      name: "the start of authority",
      ask: "CONSUL SOA",
      want: ["NOERROR aa", "answer CONSUL 0 SOA ns.CONSUL hostmaster.CONSUL 0"],
    },
    {
      name: "name servers",
      ask: "consul NS",
      want: ["NOERROR aa", "answer consul 0 NS n1.node.dc1.consul", "additional n1.node.dc1.consul 0 A 10.0.0.1"],
    },
    { name: "the apex, another type", ask: "consul", want: ["NOERROR aa", soa()] },
    { name: "names with names below them exist", ask: "service.consul", want: ["NOERROR aa", soa()] },
    { name: "names with names below them exist", ask: "_tcp.consul", want: ["NOERROR aa", soa()] },
    { name: "names with names below them exist", ask: "node.dc1.consul", want: ["NOERROR aa", soa()] },
    { name: "another datacenter's do not", ask: "dc9.consul", want: ["NXDOMAIN aa", soa()] },
    { name: "prepared queries", ask: "q.query.consul", want: ["NXDOMAIN aa", soa()] },
    { name: "mesh names", ask: "web.virtual.consul", want: ["NXDOMAIN aa", soa()] },
    {
      name: "a negative answer's time",
      ask: "nope.service.consul",
      options: { ttl: { negative: 5 } },
      want: ["NXDOMAIN aa", "authority consul 5 SOA ns.consul hostmaster.consul 5"],
    },
    {
      name: "the other domain",
      ask: "n1.node.example.org",
      options: { domains: [["consul"], ["example", "org"]] },
      want: ["NOERROR aa", "answer n1.node.example.org 0 A 10.0.0.1"],
    },
    {
      name: "whose address it is: a node's",
      ask: "1.0.0.10.in-addr.arpa PTR",
      want: ["NOERROR aa", "answer 1.0.0.10.in-addr.arpa 0 PTR n1.node.dc1.consul"],
    },
    {
      name: "whose address it is: a service's",
      ask: "1.0.1.10.in-addr.arpa PTR",
      want: ["NOERROR aa", "answer 1.0.1.10.in-addr.arpa 0 PTR moved.service.dc1.consul"],
    },
    { name: "nobody's address", ask: "1.1.1.1.in-addr.arpa PTR", want: ["REFUSED"] },
    { name: "a name that is not ours", ask: "www.example.com", want: ["REFUSED"] },
  ]);

  test("without servers in the catalog the node names itself", async () => {
    const bytes = await makeResponder(new FixedCatalog()).respond(questionBytes({ name: "consul", type: "NS" }), "udp");
    expect(answerText(bytes!)).toEqual(["NOERROR aa", "answer consul 0 NS me.node.dc1.consul"]);
  });
});

describe("refusals", () => {
  test("zone transfers are not there", async () => {
    expect(await ask({ name: "consul", type: "AXFR" }, { transport: "tcp" })).toEqual(["NOTIMP"]);
    expect(await ask({ name: "consul", type: "IXFR" })).toEqual(["NOTIMP"]);
  });

  test("another class is refused, any class is ours", async () => {
    expect(await ask({ name: "web.service.consul", type: "A", class: "CH" })).toEqual(["REFUSED"]);
    expect((await ask({ name: "web.service.consul", type: "A", class: "ANY" }))[0]).toEqual("NOERROR aa");
  });

  test("a version of EDNS above 0 is answered with ours", async () => {
    const message = questionBytes({ name: "web.service.consul", type: "A", edns: 1232 });
    message[message.length - 5] = 1;
    const bytes = (await makeResponder(catalog).respond(message, "udp"))!;
    // The code's low bits are 0, the high ones in OPT's ttl are 1: 16, BADVERS.
    expect(bytes.subarray(-11).toString("hex")).toBe("0000291000010000000000");
    expect(bytes.readUInt16BE(2) & 0xf).toBe(0);
  });

  test("what is broken gets FORMERR with its id, other operations NOTIMP", async () => {
    const responder = makeResponder(catalog);
    const question = questionBytes({ name: "web.service.consul", type: "A" });
    const short = await responder.respond(question.subarray(0, 20), "udp");
    expect(short?.toString("hex")).toBe("126781010000000000000000");
    question.writeUInt16BE(5 << 11, 2);
    expect((await responder.respond(question, "udp"))?.readUInt16BE(2)).toBe(0x8000 | (5 << 11) | 4);
  });

  test("SERVFAIL where the servers do not answer", async () => {
    const fail = () => Promise.reject(new OperationalError(dnsErrors.noAnswer, "no server"));
    const source: CatalogSource = { service: fail, node: fail, owners: fail, close: async () => undefined };
    const responder = makeResponder(source);
    for (const [name, type] of [
      ["web.service.consul", "A"],
      ["n1.node.consul", "A"],
      ["consul", "NS"],
      ["1.0.0.10.in-addr.arpa", "PTR"],
    ] as const)
      expect(answerText((await responder.respond(questionBytes({ name, type }), "udp"))!)).toEqual(["SERVFAIL"]);
  });
});

test("a fault of our own is SERVFAIL for the one question, and said in the log", async () => {
  const lines: unknown[] = [];
  const log = { write: (level: string, message: string) => void lines.push([level, message]) };
  const broken = () => {
    throw new TypeError("x is not a function");
  };
  const source: CatalogSource = {
    service: broken,
    node: async () => broken(),
    owners: broken,
    close: async () => undefined,
  };
  const responder = makeResponder(source, { log });
  for (const name of ["web.service.consul", "n1.node.consul"])
    expect(answerText((await responder.respond(questionBytes({ name, type: "A" }), "udp"))!)).toEqual(["SERVFAIL"]);
  expect(lines).toEqual(Array(2).fill(["error", "dns: a question could not be answered"]));
});

describe("how much is sent", () => {
  const many: readonly InstanceText[] = Array.from({ length: 60 }, (_, i) => ({
    node: `node-${i}`,
    nodeAddress: `10.2.0.${i + 1}`,
    port: 1000 + i,
    meta: { rack: `r${i}` },
  }));
  const large = new FixedCatalog();
  large.set("web", many);
  const responder: Responder = makeResponder(large);
  const bytesFor = async (type: "A" | "SRV", edns?: number, transport: Transport = "udp") => {
    const question = { name: "web.service.consul", type, ...(edns === undefined ? {} : { edns }) };
    return (await responder.respond(questionBytes(question), transport))!;
  };
  const count = (text: readonly string[], section: string) =>
    text.filter((line) => line.startsWith(section) && !line.includes(" OPT ")).length;

  test("over UDP without EDNS three answers, and the mark that there are more", async () => {
    const text = answerText(await bytesFor("A"));
    expect(text).toEqual(["NOERROR aa tc", ...[1, 2, 3].map((i) => `answer web.service.consul 0 A 10.2.0.${i}`)]);
    const srv = answerText(await bytesFor("SRV"));
    expect([count(srv, "answer"), count(srv, "additional")]).toEqual([3, 6]);
  });

  test("a client that takes 512 bytes with EDNS is treated alike", async () => {
    expect(count(answerText(await bytesFor("A", 512)), "answer")).toBe(3);
  });

  test.each([600, 1232, 2000])("over UDP with EDNS as much as fits into %i bytes", async (size) => {
    const bytes = await bytesFor("SRV", size);
    const text = answerText(bytes);
    const answers = count(text, "answer");
    expect(bytes.length).toBeLessThanOrEqual(size);
    expect(text[0]).toBe("NOERROR aa tc");
    expect(text.at(-1)).toBe("additional OPT 4096");
    // Each with its address and its meta, and one more would not fit: each takes 73 bytes at most.
    expect(count(text, "additional")).toBe(2 * answers);
    expect(bytes.length).toBeGreaterThan(size - 90);
  });

  test("everything where there is room", async () => {
    expect(count(answerText(await bytesFor("A", 4096)), "answer")).toBe(60);
    const text = answerText(await bytesFor("SRV", undefined, "tcp"));
    expect([text[0], count(text, "answer"), count(text, "additional")]).toEqual(["NOERROR aa", 60, 120]);
  });

  test("over TCP no more than a frame holds", async () => {
    const huge = new FixedCatalog();
    huge.set(
      "web",
      Array.from({ length: 3000 }, (_, i) => ({
        node: `a-node-with-quite-a-long-name-${i}`,
        nodeAddress: `10.3.${i >> 8}.${i & 255}`,
      })),
    );
    const question = questionBytes({ name: "web.service.consul", type: "SRV" });
    const bytes = (await makeResponder(huge).respond(question, "tcp"))!;
    expect(bytes.length).toBeGreaterThan(65_000);
    expect(bytes.length).toBeLessThanOrEqual(65_535);
    const text = answerText(bytes);
    expect(text[0]).toBe("NOERROR aa tc");
    expect(count(text, "additional")).toBe(count(text, "answer"));
  });

  test("addresses come in all orders", async () => {
    const three = new FixedCatalog();
    three.set("web", many.slice(0, 3));
    let seed = 1;
    const fraction = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const shuffling = makeResponder(three, { chance: { bytes: () => new Uint8Array(2), uuid: () => "", fraction } });
    const seen = new Map<string, number>();
    for (let i = 0; i < 600; i++) {
      const bytes = await shuffling.respond(questionBytes({ name: "web.service.consul", type: "A" }), "udp");
      const order = answerText(bytes!).join();
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const times of seen.values()) expect(times).toBeGreaterThan(60);
  });
});
