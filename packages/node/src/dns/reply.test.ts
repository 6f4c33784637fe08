import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerText, questionBytes } from "../../test/support/dns-text.ts";
import { readQuery } from "./query.ts";
import { type DnsRecord, rcodes } from "./records.ts";
import { type Reply, writeReply } from "./reply.ts";

const whole = { bytes: 65_535, answers: 4096 };

function replyTo(name: string, parts: Partial<Reply>, type: "A" | "SRV" = "A"): Reply {
  const received = readQuery(questionBytes({ name, type }, 1));
  if (received.kind !== "query") throw new Error("the question is broken");
  const { question } = received.query;
  const flags = { rcode: rcodes.noError, authoritative: true, recursionAvailable: false } as const;
  return { head: received.query, question, ...flags, answers: [], authority: [], additional: [], ...parts };
}

const a = (name: string, last: number): DnsRecord => ({
  name,
  ttl: 0,
  data: { type: "A", bytes: Uint8Array.of(10, 0, 0, last) },
});
const srv = (name: string, target: string): DnsRecord => ({
  name,
  ttl: 5,
  data: { type: "SRV", priority: 1, weight: 2, port: 80, target },
});

test("an answer's bytes, with names that point to the question and to one another", () => {
  const name = "web.service.consul";
  const answers = [srv(name, "n1.node.dc1.consul"), srv(name, "n2.node.dc1.consul")];
  const additional = [a("n1.node.dc1.consul", 1), a("n2.node.dc1.consul", 2)];
  const bytes = writeReply(replyTo(name, { answers, additional }, "SRV"), whole).toString("hex");
  const want = [
    "0001 8500 0001 0002 0000 0002",
    "03 776562 07 73657276696365 06 636f6e73756c 00 0021 0001",
    // Owners point to the question's name; targets are whole, and the addresses' owners point to them.
    "c00c 0021 0001 00000005 001a 0001 0002 0050 02 6e31 04 6e6f6465 03 646331 06 636f6e73756c 00",
    "c00c 0021 0001 00000005 001a 0001 0002 0050 02 6e32 04 6e6f6465 03 646331 06 636f6e73756c 00",
    "c036 0001 0001 00000000 0004 0a000001",
    "c05c 0001 0001 00000000 0004 0a000002",
  ];
  expect(bytes).toBe(want.join("").replaceAll(" ", ""));
});

test("the case of the question stays, and names of another case do not point into it", () => {
  const bytes = writeReply(replyTo("WEB.service.Consul", { answers: [srv("WEB.service.Consul", "n1.consul")] }), whole);
  expect(answerText(bytes)[1]).toBe("answer WEB.service.Consul 5 SRV 1 2 80 n1.consul");
});

test("a label with a dot in it is not taken for two labels", () => {
  const ns = (target: string): DnsRecord => ({ name: "x.consul", ttl: 5, data: { type: "NS", target } });
  const question = Buffer.concat([
    Buffer.from("000101000001000000000000", "hex"),
    Buffer.from("\x07n1.node\x03dc1\x06consul\x00\x00\x01\x00\x01", "latin1"),
  ]);
  const received = readQuery(question);
  if (received.kind !== "query") throw new Error("the question is broken");
  const answers = [ns("n1.node.dc1.consul")];
  const bytes = writeReply({ ...replyTo("x.consul", { answers }), question: received.query.question }, whole);
  const target = bytes.subarray(-16).toString("hex");
  // 2 n1 4 node, then a pointer to dc1.consul at 12 + 8.
  expect(target).toMatch(/026e31046e6f6465c014$/);
});

test("an answer holds for every subnet: the scope that the client sent is put to 0", () => {
  const edns = { udpSize: 1232, version: 0, dnssecOk: false, clientSubnet: Buffer.from("000118180a0001", "hex") };
  const bytes = writeReply(replyTo("a.consul", { edns }), whole);
  expect(bytes.subarray(-13).toString("hex")).toBe("000b00080007000118000a0001");
});

test("texts that are longer than a message are left out, and it is said", () => {
  const text = (name: string): DnsRecord => ({ name, ttl: 0, data: { type: "TXT", text: "x".repeat(200_000) } });
  const written = writeReply(
    replyTo("a.consul", { answers: [text("a.consul"), text("b.consul"), text("c.consul")] }),
    whole,
  );
  expect(written.length).toBeLessThanOrEqual(65_535);
  const [flags, ...lines] = answerText(written);
  expect([flags, lines.length]).toEqual(["NOERROR aa tc", 1]);
});

describe("for any records", () => {
  const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join("."));
  const ttl = fc.nat(0xffffffff);
  const small = fc.nat(0xffff);
  const data = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ({ type: "A", bytes }) as const),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ({ type: "AAAA", bytes }) as const),
    fc.record({ type: fc.constantFrom("CNAME" as const, "NS" as const, "PTR" as const), target: name }),
    fc.record({ type: fc.constant("SRV" as const), priority: small, weight: small, port: small, target: name }),
    fc.stringMatching(/^[ -~]{0,600}$/).map((text) => ({ type: "TXT", text }) as const),
  );
  const records = fc.array(fc.record({ name, ttl, data }), { maxLength: 20 });

  test("what another implementation reads is what was written", () => {
    fc.assert(
      fc.property(name, records, records, (asked, answers, additional) => {
        const text = answerText(writeReply(replyTo(asked, { answers, additional }), whole));
        const lines = [...answers.map(lineOf("answer")), ...additional.map(lineOf("additional"))];
        expect(text).toEqual(["NOERROR aa", ...lines]);
      }),
      { seed: 42, numRuns: 400 },
    );
  });

  test("no limit is ever passed, and what is left is the beginning", () => {
    fc.assert(
      fc.property(name, records, fc.integer({ min: 290, max: 2000 }), (asked, answers, bytes) => {
        const written = writeReply(replyTo(asked, { answers }), { bytes, answers: 4096 });
        expect(written.length).toBeLessThanOrEqual(bytes);
        const [flags, ...lines] = answerText(written);
        expect(lines).toEqual(answers.slice(0, lines.length).map(lineOf("answer")));
        expect(flags).toBe(lines.length < answers.length ? "NOERROR aa tc" : "NOERROR aa");
      }),
      { seed: 43, numRuns: 400 },
    );
  });

  function lineOf(section: string) {
    return ({ name, ttl, data }: DnsRecord) => `${section} ${name} ${ttl} ${data.type} ${textOf(data)}`;
  }

  function textOf(data: DnsRecord["data"]): string {
    switch (data.type) {
      case "A":
        return data.bytes.join(".");
      case "AAAA":
        return new URL(
          `http://[${Buffer.from(data.bytes)
            .toString("hex")
            .replace(/.{4}(?!$)/g, "$&:")}]`,
        ).hostname.slice(1, -1);
      case "SRV":
        return `${data.priority} ${data.weight} ${data.port} ${data.target}`;
      case "TXT":
        return data.text.match(/.{1,255}/g)?.join("|") ?? "";
      case "SOA":
        return "";
      default:
        return data.target;
    }
  }
});
