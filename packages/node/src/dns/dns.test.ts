import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { systemChance, systemClock, silentLog } from "@millwright/core/ports";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { dig } from "../../test/support/dig.ts";
import { answerText, questionBytes } from "../../test/support/dns-text.ts";
import { FixedCatalog } from "../../test/support/fixed-catalog.ts";
import { type Dns, type DnsAddress, type DnsOptions, openDns } from "./dns.ts";
import { framed } from "./recursors.ts";

const catalog = new FixedCatalog();
catalog.set(
  "web",
  Array.from({ length: 5 }, (_, i) => ({ node: `n${i}`, nodeAddress: `10.0.0.${i + 1}`, port: 8000 + i })),
);
catalog.set("db", [{ node: "n1", nodeAddress: "10.0.0.2", port: 5432, tags: ["primary"] }]);
catalog.set("six", [{ node: "n6", nodeAddress: "fd00::6", port: 6 }]);

function open(changes: Partial<DnsOptions> = {}): Promise<Dns> {
  return openDns({
    addresses: [{ host: "127.0.0.1", port: 0 }],
    source: catalog,
    nodeName: "me",
    datacenter: "dc1",
    clock: systemClock,
    chance: systemChance,
    log: silentLog,
    ...changes,
  });
}

let dns: Dns;
let at: DnsAddress;
beforeAll(async () => {
  dns = await open();
  at = dns.addresses[0]!;
});
afterAll(() => dns.close());

const extra: Dns[] = [];
afterEach(async () => {
  for (const one of extra.splice(0)) await one.close();
});

describe("dig", () => {
  const linesOf = (text: string) => text.trim().split("\n").toSorted();
  const addresses = [1, 2, 3, 4, 5].map((i) => `10.0.0.${i}`);

  test("gets addresses in short", async () => {
    expect(linesOf(await dig(at, "+short", "web.service.consul"))).toEqual(addresses);
    expect(await dig(at, "+short", "AAAA", "six.service.consul")).toBe("fd00::6\n");
    expect(await dig(at, "+short", "primary.db.service.consul")).toBe("10.0.0.2\n");
    expect(await dig(at, "+short", "-x", "10.0.0.2")).toBe("n1.node.dc1.consul.\n");
  });

  test("gets ports", async () => {
    expect(await dig(at, "+short", "SRV", "db.service.consul")).toBe("1 1 5432 n1.node.dc1.consul.\n");
    const whole = await dig(at, "SRV", "_db._primary.service.consul");
    expect(whole).toMatch(/ADDITIONAL SECTION:\nn1\.node\.dc1\.consul\.\s+0\s+IN\s+A\s+10\.0\.0\.2\n/);
    expect(whole).toMatch(/flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 2/);
    expect(whole).not.toMatch(/malformed|Warning: /);
  });

  test("asks again over TCP where an answer was cut", async () => {
    const cut = await dig(at, "+noedns", "+ignore", "web.service.consul");
    expect(cut).toMatch(/flags: qr aa tc rd; QUERY: 1, ANSWER: 3/);
    const whole = await dig(at, "+noedns", "web.service.consul");
    expect(whole).toMatch(/Truncated, retrying in TCP mode/);
    expect(whole).toMatch(/flags: qr aa rd; QUERY: 1, ANSWER: 5/);
    expect(linesOf(await dig(at, "+tcp", "+short", "web.service.consul"))).toEqual(addresses);
  });

  test("is told what does not exist, what is not ours, and what we do not do", async () => {
    expect(await dig(at, "nope.service.consul")).toMatch(
      /status: NXDOMAIN[\s\S]*AUTHORITY SECTION:\nconsul\..*SOA\s+ns\.consul\./,
    );
    expect(await dig(at, "db.service.consul", "MX")).toMatch(/status: NOERROR[\s\S]*ANSWER: 0, AUTHORITY: 1/);
    expect(await dig(at, "www.example.com")).toMatch(/status: REFUSED/);
    expect(await dig(at, "+opcode=notify", "consul")).toMatch(/status: NOTIMP/);
    expect(await dig(at, "consul", "AXFR")).toMatch(/Transfer failed/);
    expect(await dig(at, "+edns=3", "+noednsnegotiation", "db.service.consul")).toMatch(/status: BADVERS/);
  });

  test("may send what we do not know: cookies, subnets, flags", async () => {
    const said = await dig(
      at,
      "+cookie=0102030405060708",
      "+subnet=10.1.0.0/16",
      "+dnssec",
      "+nsid",
      "db.service.consul",
    );
    expect(said).toMatch(/status: NOERROR/);
    expect(said).toMatch(/EDNS: version: 0, flags: do; udp: 4096\n; CLIENT-SUBNET: 10\.1\.0\.0\/16\/0/);
    expect(said).toMatch(/db\.service\.consul\.\s+0\s+IN\s+A\s+10\.0\.0\.2/);
  });
});

test("Node's own resolver gets addresses and ports", async () => {
  const resolver = new Resolver();
  resolver.setServers([`${at.host}:${at.port}`]);
  expect((await resolver.resolve4("web.service.consul")).toSorted()).toHaveLength(5);
  expect(await resolver.resolve6("six.service.consul")).toEqual(["fd00::6"]);
  expect(await resolver.resolveSrv("_db._tcp.service.consul")).toEqual([
    expect.objectContaining({ name: "n1.node.dc1.consul", port: 5432, priority: 1, weight: 1 }),
  ]);
  expect(await resolver.reverse("10.0.0.5")).toEqual(["n4.node.dc1.consul"]);
  await expect(resolver.resolve4("nope.service.consul")).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(resolver.resolve6("db.service.consul")).rejects.toMatchObject({ code: "ENODATA" });
});

describe("over TCP", () => {
  const question = questionBytes({ name: "db.service.consul", type: "A" });

  async function collect(socket: Socket, count: number): Promise<readonly Buffer[]> {
    let got = Buffer.alloc(0);
    const messages: Buffer[] = [];
    for await (const piece of socket) {
      got = Buffer.concat([got, piece as Buffer]);
      while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
        messages.push(got.subarray(2, 2 + got.readUInt16BE(0)));
        got = got.subarray(2 + got.readUInt16BE(0));
      }
      if (messages.length >= count) break;
    }
    return messages;
  }

  test("many questions go over one connection, in pieces of any size", async () => {
    const socket = connect(at.port, at.host);
    const ids = Array.from({ length: 500 }, (_, i) => i + 1);
    const all = Buffer.concat(ids.map((id) => framed(questionBytes({ name: "web.service.consul", type: "SRV" }, id))));
    const answers = collect(socket, ids.length);
    for (let from = 0; from < all.length; from += 777) socket.write(all.subarray(from, from + 777));
    expect((await answers).map((answer) => answer.readUInt16BE(0)).toSorted((a, b) => a - b)).toEqual(ids);
  });

  test("a client that does not read its answers is not read from any more", async () => {
    const socket = connect(at.port, at.host);
    socket.pause();
    const piece = Buffer.concat(
      Array.from({ length: 100 }, () => framed(questionBytes({ name: "web.service.consul", type: "SRV" }))),
    );
    let written = 0;
    // The kernel's own buffers take some megabytes.
    const most = 32 * 1024 * 1024;
    while (written < most && (socket.write(piece) || (await drained(socket)))) written += piece.length;
    expect(written).toBeLessThan(most);
    socket.destroy();
  });

  function drained(socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), 1_500);
      socket.once("drain", () => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }

  test("a connection that says nothing ends", async () => {
    const short = await open({ tcpIdleMilliseconds: 100 });
    extra.push(short);
    const socket = connect(short.addresses[0]!.port, "127.0.0.1");
    const ended = new Promise((resolve) => socket.on("close", resolve));
    socket.write(framed(question).subarray(0, 5));
    await ended;
  });

  test("a broken message is answered, and the connection goes on", async () => {
    const socket = connect(at.port, at.host);
    const answers = collect(socket, 2);
    socket.write(Buffer.concat([framed(question.subarray(0, 15)), framed(Buffer.alloc(0)), framed(question)]));
    const [broken, whole] = await answers;
    expect(broken!.readUInt16BE(2) & 0xf).toBe(1);
    expect(answerText(whole!)).toEqual(["NOERROR aa", "answer db.service.consul 0 A 10.0.0.2"]);
  });
});

test("whatever comes over UDP and TCP, the next question is answered", async () => {
  const question = questionBytes({ name: "db.service.consul", type: "A", edns: 1232 });
  const spoiled = fc.array(fc.tuple(fc.nat(question.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
    const copy = Buffer.from(question);
    for (const [place, value] of changes) copy[place] = value;
    return copy;
  });
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    spoiled,
  );
  const messages = fc.sample(anything, { seed: 20261121, numRuns: 3_000 });
  const udp = createSocket("udp4");
  const tcp = connect(at.port, at.host).on("error", () => undefined);
  tcp.resume();
  for (const [i, message] of messages.entries()) {
    udp.send(message, at.port, at.host);
    tcp.write(i % 50 === 49 ? message : framed(message));
    if (i % 100 === 99) await systemClock.sleep(1);
  }
  expect(await dig(at, "+short", "db.service.consul")).toBe("10.0.0.2\n");
  expect(await dig(at, "+tcp", "+short", "db.service.consul")).toBe("10.0.0.2\n");
  udp.close();
  tcp.destroy();
});

describe("where it listens", () => {
  const blockers: Server[] = [];
  afterEach(async () => {
    for (const server of blockers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  async function takenPort(): Promise<number> {
    const server = createServer();
    blockers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    return typeof bound === "object" && bound ? bound.port : 0;
  }

  test("a taken port is said, with what to do, and nothing stays open", async () => {
    const port = await takenPort();
    const free = await open();
    const first = free.addresses[0]!;
    await free.close();
    const addresses = [first, { host: "127.0.0.1", port }];
    await expect(open({ addresses })).rejects.toMatchObject({
      code: "SERVER_ADDRESS_TAKEN",
      message: `Cannot listen for DNS on 127.0.0.1:${port} (TCP): another process has it. Stop that process, or choose another port (-dns-port).`,
    });
    const again = await open({ addresses: [first] });
    extra.push(again);
    expect(again.addresses).toEqual([first]);
    await expect(open({ addresses: [first] })).rejects.toThrow(/another process has it/);
  });

  test("a port whose UDP half is taken is taken, and its TCP half is free again", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const { port } = socket.address();
    const wanted = { addresses: [{ host: "127.0.0.1", port }] };
    await expect(open(wanted)).rejects.toThrow(/\(UDP\): another process has it/);
    await new Promise<void>((resolve) => socket.close(resolve));
    const now = await open(wanted);
    extra.push(now);
    expect(now.addresses).toEqual(wanted.addresses);
  });

  test("another port may be taken instead, the same for UDP and TCP", async () => {
    const port = await takenPort();
    const other = await open({ addresses: [{ host: "127.0.0.1", port }], freePortIfTaken: true });
    extra.push(other);
    const [address] = other.addresses;
    expect(address?.port).not.toBe(port);
    expect(await dig(address!, "+short", "db.service.consul")).toBe("10.0.0.2\n");
    expect(await dig(address!, "+tcp", "+short", "db.service.consul")).toBe("10.0.0.2\n");
  });

  test("an address that the machine does not have is said", async () => {
    await expect(open({ addresses: [{ host: "192.0.2.1", port: 0 }] })).rejects.toThrow(
      /Cannot listen for DNS on 192.0.2.1:0 \(TCP\): this machine has no such address. Check -client./,
    );
  });

  test("IPv6 is an address too", async () => {
    const six = await open({ addresses: [{ host: "::1", port: 0 }] });
    extra.push(six);
    expect(await dig(six.addresses[0]!, "+short", "db.service.consul")).toBe("10.0.0.2\n");
  });
});

describe("names elsewhere", () => {
  const upstream = new FixedCatalog();
  upstream.set("db", [{ node: "x", nodeAddress: "192.0.2.7" }]);
  upstream.set(
    "many",
    Array.from({ length: 20 }, (_, i) => ({ node: `x${i}`, nodeAddress: `192.0.2.${i + 1}` })),
  );

  async function openWithRecursor(changes: Partial<DnsOptions> = {}): Promise<DnsAddress> {
    const other = await open({ source: upstream, domain: "example.com" });
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    const recursors = [{ host: "127.0.0.1", port: silent.address().port }, other.addresses[0]!];
    const own = await open({ recursors, recursorTimeoutMilliseconds: 200, ...changes });
    extra.push(own, other, { addresses: [], close: () => new Promise((resolve) => silent.close(resolve)) });
    return own.addresses[0]!;
  }

  test("go to a recursor, and to the next where one is silent", async () => {
    const own = await openWithRecursor();
    expect(await dig(own, "+short", "db.service.example.com")).toBe("192.0.2.7\n");
    expect(await dig(own, "db.service.consul")).toMatch(/flags: qr aa rd ra;/);
  });

  test("come whole over TCP, or cut over UDP, as the recursor gives them", async () => {
    const own = await openWithRecursor();
    expect(await dig(own, "+noedns", "+ignore", "many.service.example.com")).toMatch(
      /flags: qr aa tc rd; .* ANSWER: 3/,
    );
    // The silent one refuses connections, which is known at once.
    expect(await dig(own, "+noedns", "many.service.example.com")).toMatch(/ANSWER: 20/);
  });

  test("that a service's address names are found too", async () => {
    const source = new FixedCatalog();
    source.set("outside", [{ node: "n1", nodeAddress: "10.0.0.1", address: "db.service.example.com" }]);
    const own = await openWithRecursor({ source });
    expect(await dig(own, "+short", "outside.service.consul")).toBe("db.service.example.com.\n192.0.2.7\n");
  });

  test("are asked for under an id of chance, and the client gets its own", async () => {
    const ids: number[] = [];
    const recursor = createSocket("udp4").on("message", (message, from) => {
      ids.push(message.readUInt16BE(0));
      // Somebody else's answer comes first: it has another id.
      const forged = Buffer.from(message);
      forged.writeUInt16BE((message.readUInt16BE(0) + 1) & 0xffff, 0);
      forged.writeUInt16BE(0x8183, 2);
      recursor.send(forged, from.port, from.address);
      message.writeUInt16BE(0x8180, 2);
      recursor.send(message, from.port, from.address);
    });
    await new Promise<void>((resolve) => recursor.bind(0, "127.0.0.1", resolve));
    const own = await open({ recursors: [{ host: "127.0.0.1", port: recursor.address().port }] });
    extra.push(own, { addresses: [], close: () => new Promise((resolve) => recursor.close(resolve)) });
    const client = createSocket("udp4");
    const question = questionBytes({ name: "www.example.com", type: "A" }, 4711);
    for (let i = 0; i < 8; i++) {
      const answer = new Promise<Buffer>((resolve) => client.once("message", resolve));
      client.send(question, own.addresses[0]!.port, "127.0.0.1");
      expect((await answer).subarray(0, 4).toString("hex")).toBe("12678180");
    }
    client.close();
    expect(new Set(ids).size).toBeGreaterThan(4);
  });

  test("get SERVFAIL where no recursor answers", async () => {
    const own = await open({ recursors: [{ host: "127.0.0.1", port: 9 }], recursorTimeoutMilliseconds: 100 });
    extra.push(own);
    expect(await dig(own.addresses[0]!, "www.example.com")).toMatch(/status: SERVFAIL/);
    expect(await dig(own.addresses[0]!, "+short", "db.service.consul")).toBe("10.0.0.2\n");
  });
});
