import type { Edns, Question, QueryHead } from "./query.ts";
import { type DnsRecord, type DomainName, type Rcode, type RecordData, recordTypes } from "./records.ts";

/** An answer before it has bytes. */
export interface Reply {
  readonly head: QueryHead;
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  readonly question?: Question;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  /** What helps with the others: addresses of the names that they point to. Left out first where room is short. */
  readonly additional: readonly DnsRecord[];
  /** The client's OPT record, where it sent one. */
  readonly edns?: Edns;
}

/** How much may be sent. */
export interface ReplyLimits {
  readonly bytes: number;
  /** Records in the answer section. */
  readonly answers: number;
}

/** The most that UDP or TCP can carry in one message. */
export const largestMessage = 65_535;

const longestText = 60_000;

/** What we take over UDP, said in OPT. */
const ownUdpSize = 4096;

/**
 * Writes an answer with compressed names (RFC 1035, 4.1.4). Where it does not fit the limits, answers are left out from
 * the end, with the additional records that only they need, and the TC bit says so.
 */
export function writeReply(reply: Reply, limits: ReplyLimits): Buffer {
  const most = Math.min(reply.answers.length, limits.answers);
  if (tryWriting(reply, most, limits.bytes)) return writer.copy();
  // The largest number of answers that fits, between `fits` and `tooMany`. More than fitted by themselves are too many.
  let fits = 0;
  for (let tooMany = Math.min(most, writer.records); tooMany - fits > 1; ) {
    const middle = (fits + tooMany) >> 1;
    if (tryWriting(reply, middle, limits.bytes)) fits = middle;
    else tooMany = middle;
  }
  const bare = { ...reply, additional: [] };
  if (fits === 0 && most > 0 && tryWriting(bare, 1, limits.bytes)) return writer.copy();
  if (!tryWriting(reply, fits, limits.bytes)) tryWriting({ ...bare, authority: [] }, 0, largestMessage);
  return writer.copy();
}

function tryWriting(reply: Reply, count: number, bytes: number): boolean {
  const { head, question, edns, authority } = reply;
  const answers = count < reply.answers.length ? reply.answers.slice(0, count) : reply.answers;
  const cut = answers.length < reply.answers.length;
  const additional = cut ? neededBy([...answers, ...authority], reply.additional) : reply.additional;
  writer.begin(bytes, question);
  writer.header(head, {
    flags:
      0x8000 |
      (head.opcode << 11) |
      (reply.authoritative ? 0x0400 : 0) |
      (cut ? 0x0200 : 0) |
      (head.recursionDesired ? 0x0100 : 0) |
      (reply.recursionAvailable ? 0x0080 : 0) |
      (head.checkingDisabled ? 0x0010 : 0) |
      (reply.rcode & 0xf),
    counts: [question ? 1 : 0, answers.length, authority.length, additional.length + (edns ? 1 : 0)],
  });
  for (const section of [answers, authority, additional]) {
    for (const record of section) if (!writer.record(record)) return false;
  }
  return edns ? writer.opt(edns, reply.rcode >> 4) : writer.fits();
}

function neededBy(records: readonly DnsRecord[], additional: readonly DnsRecord[]): DnsRecord[] {
  const targets = new Set(records.map(({ data }) => ("target" in data ? data.target : undefined)));
  return additional.filter(({ name }) => targets.has(name));
}

/** Writes one message at a time into a buffer that all share. */
class Writer {
  /** A record begins within a message, and may be as long as one: whether it fits is asked behind it. */
  readonly #buffer = Buffer.alloc(2 * largestMessage + 1024);
  readonly #offsets = new Map<string, number>();
  #length = 0;
  #limit = 0;
  #question: Question | undefined;
  #isNoted = false;
  /** Begun so far. */
  records = 0;

  begin(limit: number, question: Question | undefined): void {
    this.#limit = Math.min(limit, largestMessage);
    this.#offsets.clear();
    this.#length = 12;
    this.#question = question;
    this.#isNoted = false;
    this.records = 0;
    if (!question) return;
    this.#buffer.set(question.wire, this.#length);
    this.#length += question.wire.length;
  }

  header(head: QueryHead, { flags, counts }: { flags: number; counts: readonly number[] }): void {
    this.#put16(0, head.id);
    this.#put16(2, flags);
    for (const [i, count] of counts.entries()) this.#put16(4 + 2 * i, count);
  }

  /** False where it does not fit any more. */
  record({ name, ttl, data }: DnsRecord): boolean {
    this.records++;
    if (name === this.#question?.name && name !== "") this.#u16(0xc000 | 12);
    else this.#name(name);
    this.#u16(recordTypes[data.type]);
    this.#u16(1);
    this.#u32(ttl);
    const lengthAt = this.#length;
    this.#length += 2;
    this.#data(data);
    this.#put16(lengthAt, this.#length - lengthAt - 2);
    return this.fits();
  }

  opt(edns: Edns, extendedRcode: number): boolean {
    const subnet = edns.clientSubnet;
    this.#buffer[this.#length++] = 0;
    this.#u16(recordTypes.OPT);
    this.#u16(ownUdpSize);
    this.#buffer[this.#length++] = extendedRcode;
    this.#buffer[this.#length++] = 0;
    this.#u16(edns.dnssecOk ? 0x8000 : 0);
    this.#u16(subnet ? subnet.length + 4 : 0);
    if (!subnet) return this.fits();
    this.#u16(8);
    this.#u16(subnet.length);
    this.#buffer.set(subnet, this.#length);
    // The answer holds for every subnet: its scope is 0.
    this.#buffer[this.#length + 3] = 0;
    this.#length += subnet.length;
    return this.fits();
  }

  fits(): boolean {
    return this.#length <= this.#limit;
  }

  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #data(data: RecordData): void {
    switch (data.type) {
      case "A":
      case "AAAA":
        this.#buffer.set(data.bytes, this.#length);
        this.#length += data.bytes.length;
        return;
      case "SRV":
        this.#u16(data.priority);
        this.#u16(data.weight);
        this.#u16(data.port);
        // Not by a pointer, but others may point here (RFC 2782, 3597): some clients refuse the whole answer otherwise.
        return this.#name(data.target, "whole");
      case "TXT":
        return this.#text(data.text);
      case "SOA":
        this.#name(data.primary);
        this.#name(data.mailbox);
        for (const number of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) this.#u32(number);
        return;
      default:
        return this.#name(data.target);
    }
  }

  // A name that stands already is pointed to, whole or from one of its dots on.
  #name(name: DomainName, form: "short" | "whole" = "short"): void {
    if (!this.#isNoted) this.#noteQuestion();
    let rest = name;
    while (rest !== "") {
      const known = this.#offsets.get(rest);
      if (known !== undefined && form === "short") return this.#u16(0xc000 | known);
      if (known === undefined && this.#length < 0x4000) this.#offsets.set(rest, this.#length);
      const dot = rest.indexOf(".");
      const written = this.#buffer.write(dot < 0 ? rest : rest.slice(0, dot), this.#length + 1);
      this.#buffer[this.#length] = written;
      this.#length += 1 + written;
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
    this.#buffer[this.#length++] = 0;
  }

  // Strings of 255 bytes at most, one after another (RFC 1035, 3.3.14). What no record can hold is left out.
  #text(text: string): void {
    const bytes = Buffer.from(text).subarray(0, longestText);
    let at = 0;
    do {
      const piece = bytes.subarray(at, at + 255);
      this.#buffer[this.#length++] = piece.length;
      this.#buffer.set(piece, this.#length);
      this.#length += piece.length;
      at += 255;
    } while (at < bytes.length);
  }

  // From the right, as far as a dot can only be one between labels. Most answers do without.
  #noteQuestion(): void {
    this.#isNoted = true;
    if (!this.#question) return;
    const { labels, wire } = this.#question;
    let at = 12 + wire.length - 5;
    let suffix = "";
    for (const label of labels.toReversed()) {
      if (label.includes(".")) return;
      at -= 1 + Buffer.byteLength(label);
      suffix = suffix === "" ? label : `${label}.${suffix}`;
      this.#offsets.set(suffix, at);
    }
  }

  #u16(value: number): void {
    this.#put16(this.#length, value);
    this.#length += 2;
  }

  #put16(at: number, value: number): void {
    this.#buffer[at] = value >> 8;
    this.#buffer[at + 1] = value;
  }

  #u32(value: number): void {
    this.#u16(value >>> 16);
    this.#u16(value & 0xffff);
  }
}

const writer = new Writer();
