import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { messageOf } from "@millwright/core/errors";
import type { Chance, Log } from "@millwright/core/ports";
import { type Answer, decode, encode } from "dns-packet";
import { parseHostAddress } from "./host-address.ts";
import type { DnsRecord, DomainName } from "./records.ts";

export interface RecursorSettings {
  /** Asked one after another, in this order. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** How long each may take; 2 s by default. */
  readonly timeoutMilliseconds?: number;
  readonly chance: Chance;
  readonly log: Log;
}

export type Transport = "udp" | "tcp";

/** Asks other DNS servers for what is not ours. */
export class Recursors {
  readonly #settings: RecursorSettings;
  #underWay = 0;

  constructor(settings: RecursorSettings) {
    this.#settings = settings;
  }

  get configured(): boolean {
    return this.#settings.servers.length > 0;
  }

  /** The answer to a whole message, with the message's own id; undefined where none of the servers gave one. */
  async forward(message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    if (this.#underWay >= mostUnderWay) return undefined;
    this.#underWay++;
    try {
      for (const server of this.#settings.servers) {
        const answer = await this.#ask(server, message, transport);
        if (answer) return answer;
      }
      return undefined;
    } finally {
      this.#underWay--;
    }
  }

  /** Addresses, and aliases on the way, of a name elsewhere; none where they cannot be found. */
  async resolve(name: DomainName, type: "A" | "AAAA"): Promise<readonly DnsRecord[]> {
    const question = { type, name, class: "IN" } as const;
    const message = encode({ type: "query", id: 0, flags: recursionDesired, questions: [question] });
    const answer = await this.forward(message, "udp");
    if (!answer) return [];
    try {
      return (decode(answer).answers ?? []).flatMap(toRecord);
    } catch (error) {
      this.#note(`an answer for ${name} cannot be read`, error);
      return [];
    }
  }

  async #ask(server: Server, message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const { chance, timeoutMilliseconds = 2_000 } = this.#settings;
    // An id and a port of chance for each question: answers of others are harder to forge.
    const sent = Buffer.from(message);
    sent.set(chance.bytes(2), 0);
    const exchange = transport === "udp" ? exchangeUdp : exchangeTcp;
    try {
      const answer = await exchange(server, sent, timeoutMilliseconds);
      message.copy(answer, 0, 0, 2);
      return answer;
    } catch (error) {
      this.#note(`${server.host}:${server.port} gives no answer`, error);
      return undefined;
    }
  }

  #note(what: string, error: unknown): void {
    this.#settings.log.write("debug", `dns: recursor: ${what}`, { error: messageOf(error) });
  }
}

const mostUnderWay = 1_000;
const recursionDesired = 0x0100;

type Server = RecursorSettings["servers"][number];

function exchangeUdp({ host, port }: Server, message: Buffer, milliseconds: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const end = (settle: () => void) => {
      clearTimeout(late);
      socket.close();
      settle();
    };
    const late = setTimeout(() => end(() => reject(new Error("no answer in time"))), milliseconds);
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("message", (answer) => {
      if (answers(answer, message)) end(() => resolve(answer));
    });
    // Told as an event where the host cannot be found; a callback would be called then too.
    socket.on("connect", () => socket.send(message));
    socket.connect(port, host);
  });
}

function exchangeTcp({ host, port }: Server, message: Buffer, milliseconds: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const late = setTimeout(() => socket.destroy(new Error("no answer in time")), milliseconds);
    let got = Buffer.alloc(0);
    socket.on("connect", () => socket.write(framed(message)));
    socket.on("data", (piece) => {
      got = Buffer.concat([got, piece]);
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const answer = got.subarray(2, 2 + got.readUInt16BE(0));
      if (answers(answer, message)) resolve(answer);
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(late);
      reject(new Error("the connection ended without an answer"));
    });
  });
}

/** A message as TCP carries it: its length in front (RFC 1035, 4.2.2). */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length);
  frame.writeUInt16BE(message.length);
  message.copy(frame, 2);
  return frame;
}

function answers(answer: Buffer, message: Buffer): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0) && (answer[2]! & 0x80) !== 0;
}

function toRecord(answer: Answer): DnsRecord[] {
  if (answer.type !== "CNAME" && answer.type !== "A" && answer.type !== "AAAA") return [];
  const { type, name, ttl = 0, data } = answer;
  if (type === "CNAME") return [{ name, ttl, data: { type, target: data } }];
  const address = parseHostAddress(data);
  return "bytes" in address ? [{ name, ttl, data: { type, bytes: address.bytes } }] : [];
}
