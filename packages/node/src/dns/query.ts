import { type DomainName, type Rcode, rcodes, recordTypes } from "./records.ts";

/** One question of a client, with what of its message shapes the answer. */
export interface Query extends QueryHead {
  readonly question: Question;
  readonly edns?: Edns;
}

export interface QueryHead {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
}

export interface Question {
  /** Labels as they were asked, from the left. */
  readonly labels: readonly string[];
  /** The same with dots between. */
  readonly name: DomainName;
  readonly type: number;
  readonly class: number;
  /** Name, type and class as they were sent: the answer repeats them. */
  readonly wire: Uint8Array;
}

/** What a client says of itself in its OPT record (RFC 6891). */
export interface Edns {
  /** The largest answer over UDP that it takes, in bytes. */
  readonly udpSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  /** The data of its client subnet option (RFC 7871). */
  readonly clientSubnet?: Uint8Array;
}

/** What came over the wire. */
export type Received =
  | { readonly kind: "query"; readonly query: Query }
  /** To be answered with `rcode` and nothing else than what is known of the question. */
  | { readonly kind: "faulty"; readonly head: QueryHead; readonly rcode: Rcode; readonly question?: Question }
  /** An answer, or too short for a header: nobody waits for a word on it. */
  | { readonly kind: "ignored" };

const headerLength = 12;
const queryOpcode = 0;

/** Reads one message. Takes any bytes: what is broken is `faulty` or `ignored`, never thrown. */
export function readQuery(message: Buffer): Received {
  if (message.length < headerLength) return { kind: "ignored" };
  const flags = message.readUInt16BE(2);
  if (flags & 0x8000) return { kind: "ignored" };
  const head = {
    id: message.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
  };
  if (head.opcode !== queryOpcode) return { kind: "faulty", head, rcode: rcodes.notImplemented };
  const faulty: Received = { kind: "faulty", head, rcode: rcodes.formatError };
  if (message.readUInt16BE(4) !== 1) return faulty;
  const question = readQuestion(message);
  if (!question) return faulty;
  const others = message.readUInt16BE(6) + message.readUInt16BE(8);
  const edns = readEdns(message, headerLength + question.wire.length, others, message.readUInt16BE(10));
  if (edns === "broken") return { ...faulty, question };
  return { kind: "query", query: { ...head, question, ...(edns ? { edns } : {}) } };
}

function readQuestion(message: Buffer): Question | undefined {
  const labels: string[] = [];
  let at = headerLength;
  for (;;) {
    const length = message[at];
    // There is nothing before the first name that a pointer in it could mean.
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) break;
    if (at + length > message.length) return undefined;
    labels.push(message.toString("utf8", at, at + length));
    at += length;
    if (at - headerLength > 254) return undefined;
  }
  if (at + 4 > message.length) return undefined;
  return {
    labels,
    name: labels.join("."),
    type: message.readUInt16BE(at),
    class: message.readUInt16BE(at + 2),
    wire: message.subarray(headerLength, at + 4),
  };
}

/** Finds the OPT record; none is undefined. Other records are passed over. */
function readEdns(message: Buffer, start: number, others: number, additional: number): Edns | undefined | "broken" {
  let at = start;
  let found: Edns | undefined;
  for (let i = 0; i < others + additional; i++) {
    const isRoot = message[at] === 0;
    const fixed = endOfName(message, at);
    if (fixed === undefined || fixed + 10 > message.length) return "broken";
    const data = fixed + 10;
    const end = data + message.readUInt16BE(fixed + 8);
    if (end > message.length) return "broken";
    if (message.readUInt16BE(fixed) === recordTypes.OPT && i >= others) {
      const clientSubnet = findClientSubnet(message.subarray(data, end));
      if (found || !isRoot || clientSubnet === "broken") return "broken";
      found = {
        udpSize: message.readUInt16BE(fixed + 2),
        version: message[fixed + 5]!,
        dnssecOk: (message[fixed + 6]! & 0x80) !== 0,
        ...(clientSubnet ? { clientSubnet } : {}),
      };
    }
    at = end;
  }
  return found;
}

const clientSubnetOption = 8;

function findClientSubnet(options: Buffer): Uint8Array | undefined | "broken" {
  let found: Uint8Array | undefined;
  for (let at = 0; at < options.length; ) {
    if (at + 4 > options.length) return "broken";
    const end = at + 4 + options.readUInt16BE(at + 2);
    if (end > options.length) return "broken";
    // Family, source and scope lengths are four bytes in front of an address of 16 at most.
    const isSubnet = options.readUInt16BE(at) === clientSubnetOption && end - at >= 8 && end - at <= 24;
    if (isSubnet) found = options.subarray(at + 4, end);
    at = end;
  }
  return found;
}

function endOfName(message: Buffer, start: number): number | undefined {
  for (let at = start; ; ) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
    if (length === 0) return at;
  }
}
