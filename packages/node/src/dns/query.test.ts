import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { questionBytes } from "../../test/support/dns-text.ts";
import { readQuery } from "./query.ts";
import { rcodes } from "./records.ts";

const plain = questionBytes({ name: "Web.service.consul", type: "SRV" });
const withEdns = questionBytes({ name: "web.service.consul", type: "A", edns: 1232 });

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

test("a question is read as it was asked", () => {
  expect(readQuery(plain)).toEqual({
    kind: "query",
    query: {
      id: 4711,
      opcode: 0,
      recursionDesired: true,
      checkingDisabled: false,
      question: {
        labels: ["Web", "service", "consul"],
        name: "Web.service.consul",
        type: 33,
        class: 1,
        wire: plain.subarray(12),
      },
    },
  });
});

test("what a client says in OPT is read; options that we do not know are passed over", () => {
  const cookie = Buffer.from("000a0008 0102030405060708".replaceAll(" ", ""), "hex");
  const subnet = Buffer.from("00080007 0001 18 00 0a0001".replaceAll(" ", ""), "hex");
  const opt = Buffer.concat([
    Buffer.from([0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, cookie.length + subnet.length]),
    cookie,
    subnet,
  ]);
  const message = changed(Buffer.concat([plain, opt]), (copy) => copy.writeUInt16BE(1, 10));
  expect(readQuery(message)).toMatchObject({
    kind: "query",
    query: { edns: { udpSize: 1232, version: 0, dnssecOk: true, clientSubnet: Buffer.from("000118000a0001", "hex") } },
  });
});

describe("what is broken is named", () => {
  const { formatError, notImplemented } = rcodes;
  const cases: readonly { name: string; input: Buffer; want: object }[] = [
    { name: "nothing", input: Buffer.alloc(0), want: { kind: "ignored" } },
    { name: "half a header", input: plain.subarray(0, 11), want: { kind: "ignored" } },
    { name: "an answer", input: changed(plain, (b) => b.writeUInt16BE(0x8000, 2)), want: { kind: "ignored" } },
    { name: "an update", input: changed(plain, (b) => b.writeUInt16BE(5 << 11, 2)), want: { rcode: notImplemented } },
    { name: "no question", input: changed(plain, (b) => b.writeUInt16BE(0, 4)), want: { rcode: formatError } },
    { name: "two questions", input: changed(plain, (b) => b.writeUInt16BE(2, 4)), want: { rcode: formatError } },
    { name: "a header alone", input: plain.subarray(0, 12), want: { rcode: formatError } },
    { name: "a name that ends early", input: plain.subarray(0, 20), want: { rcode: formatError } },
    { name: "a question without a class", input: plain.subarray(0, -2), want: { rcode: formatError } },
    {
      name: "a pointer to itself",
      input: changed(plain, (b) => b.writeUInt16BE(0xc00c, 12)),
      want: { rcode: formatError },
    },
    { name: "a label of 64", input: changed(plain, (b) => b.writeUInt8(64, 12)), want: { rcode: formatError } },
    {
      name: "a name of 256",
      input: changed(questionBytes({ name: `${"a".repeat(63)}.`.repeat(4).slice(0, -1), type: "A" }), () => undefined),
      want: { rcode: formatError },
    },
    { name: "an OPT that ends early", input: withEdns.subarray(0, -1), want: { rcode: formatError } },
    {
      name: "two OPTs",
      input: changed(Buffer.concat([withEdns, withEdns.subarray(-11)]), (b) => b.writeUInt16BE(2, 10)),
      want: { rcode: formatError, question: { type: 1 } },
    },
    {
      name: "an option that goes on behind its OPT",
      input: changed(Buffer.concat([withEdns, Buffer.from("000a00ff", "hex")]), (b) =>
        b.writeUInt16BE(4, b.length - 6),
      ),
      want: { rcode: formatError },
    },
  ];
  for (const { name, input, want } of cases)
    test(name, () => {
      expect(readQuery(input)).toMatchObject("kind" in want ? want : { kind: "faulty", head: { id: 4711 }, ...want });
    });
});

test("any bytes are read without a fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(["query", "faulty", "ignored"]).toContain(readQuery(Buffer.from(bytes)).kind);
    }),
    { seed: 20261121, numRuns: 5_000 },
  );
});

test("a question with any bytes changed is read without a fault", () => {
  const change = fc.array(fc.tuple(fc.nat(withEdns.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(change, (changes) => {
      const message = changed(withEdns, (copy) => changes.forEach(([at, value]) => copy.writeUInt8(value, at)));
      expect(["query", "faulty", "ignored"]).toContain(readQuery(message).kind);
    }),
    { seed: 7, numRuns: 5_000 },
  );
});
