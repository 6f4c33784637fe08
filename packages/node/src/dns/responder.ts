import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import {
  addressContent,
  type Asking,
  type Content,
  nameServerContent,
  nodeContent,
  noRecords,
  ownerRecords,
  serviceContent,
  unknownName,
} from "./answer.ts";
import { type OwnName, parseAsked } from "./asked.ts";
import type { CatalogSource, Lookup } from "./catalog.ts";
import { type Edns, type Query, type Received, readQuery } from "./query.ts";
import {
  type DnsRecord,
  type DomainName,
  isWritable,
  type Rcode,
  rcodes,
  recordClasses,
  recordTypes,
} from "./records.ts";
import type { Recursors, Transport } from "./recursors.ts";
import { largestMessage, type Reply, type ReplyLimits, writeReply } from "./reply.ts";
import { serviceTtls, type TtlSettings } from "./ttl.ts";

export interface ResponderOptions {
  /** Labels in lower case of each domain that is ours; the first is the one that reverse names lead to. */
  readonly domains: readonly (readonly string[])[];
  readonly source: CatalogSource;
  readonly nodeName: string;
  readonly datacenter: string;
  readonly ttl: TtlSettings;
  readonly onlyPassing: boolean;
  readonly nodeMeta: boolean;
  /** Answers at most over UDP to a client without EDNS. */
  readonly udpAnswerLimit: number;
  readonly recursors: Recursors;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * Turns messages into answers. What is known already is answered at once, without a promise; undefined is for what gets
 * no answer.
 */
export class Responder {
  readonly #options: ResponderOptions;
  readonly #serviceTtl: (name: string) => number;
  readonly #domain: DomainName;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#serviceTtl = serviceTtls(options.ttl);
    this.#domain = options.domains[0]?.join(".") ?? "";
  }

  respond(message: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer | undefined> {
    const received = readQuery(message);
    if (received.kind === "ignored") return undefined;
    if (received.kind === "faulty") return this.#write(this.#faultyReply(received), transport);
    const { query } = received;
    const failed = (error: unknown) => this.#write(this.#failedReply(query, error), transport);
    try {
      const answer = this.#respond(query, message, transport);
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
    }
  }

  #respond(query: Query, message: Buffer, transport: Transport): Buffer | Promise<Buffer> {
    const refusal = refusalOf(query);
    if (refusal !== undefined) return this.#write(this.#reply(query, refusal), transport);
    const asked = parseAsked(query.question.labels, query.question.type, this.#options.domains);
    if (asked.kind === "outside") return this.#elsewhere(query, message, transport);
    if (asked.kind === "reverse") return this.#reverse(query, asked.address, message, transport);
    const content = this.#content(asked, this.#asking(query, asked, transport));
    if (!(content instanceof Promise)) return this.#answer(query, asked.domain, content, transport);
    return content.then((found) => this.#answer(query, asked.domain, found, transport));
  }

  #content(asked: OwnName, asking: Asking): Content | Promise<Content> {
    const { source, nodeMeta, datacenter } = this.#options;
    switch (asked.kind) {
      case "apex":
        return this.#apex(asking);
      case "branch":
        return asked.datacenter === undefined || asked.datacenter === datacenter ? noRecords : unknownName;
      case "node":
        return mapped(source.node(asked.node, this.#elsewhereOnly(asked.datacenter)), (node) =>
          nodeContent(node, asking, nodeMeta),
        );
      case "service": {
        const rules = { ...this.#options, tag: asked.tag };
        return mapped(source.service(asked.service, this.#elsewhereOnly(asked.datacenter)), (instances) =>
          serviceContent(instances, asking, rules),
        );
      }
      case "address":
        return addressContent(asked.address, asking);
      case "nothing":
        return unknownName;
    }
  }

  #apex(asking: Asking): Content | Promise<Content> {
    const { source, nodeName, datacenter } = this.#options;
    if (asking.type === recordTypes.SOA)
      return { kind: "records", answers: [this.#startOfAuthority(asking.domain)], additional: [] };
    if (asking.type !== recordTypes.NS) return noRecords;
    const ownNode = `${nodeName}.node.${datacenter}.${asking.domain}`;
    return mapped(source.service("consul", undefined), (servers) => nameServerContent(servers, ownNode, asking));
  }

  #answer(query: Query, domain: DomainName, content: Content, transport: Transport): Buffer | Promise<Buffer> {
    const { answers, additional } = content.kind === "records" ? content : noRecords;
    const authority = answers.length === 0 ? [this.#startOfAuthority(domain)] : [];
    const rcode = content.kind === "records" ? rcodes.noError : rcodes.nameError;
    const reply = { ...this.#reply(query, rcode), authoritative: true, answers, additional, authority };
    const alias = answers.length === 1 ? answers[0]?.data : undefined;
    if (alias?.type !== "CNAME") return this.#write(reply, transport);
    return this.#followed(alias.target, query.question.type, [query.question.name]).then((more) =>
      this.#write({ ...reply, answers: [...answers, ...more] }, transport),
    );
  }

  // What an alias leads to, where that is ours or may be asked for; a client without it asks by itself.
  async #followed(target: DomainName, type: number, seen: readonly DomainName[]): Promise<readonly DnsRecord[]> {
    const wanted = type === recordTypes.A ? "A" : type === recordTypes.AAAA ? "AAAA" : undefined;
    if (!wanted || seen.length > mostAliases || seen.includes(target)) return [];
    const asked = parseAsked(target.split("."), type, this.#options.domains);
    if (asked.kind === "outside") return this.#options.recursors.configured ? this.#resolved(target, wanted) : [];
    if (asked.kind === "reverse") return [];
    const asking = { name: target, type, domain: asked.domain, ttl: this.#ttlOf(asked), most: mostTcpAnswers };
    const content = await Promise.resolve(this.#content(asked, asking)).catch((): Content => noRecords);
    const answers = content.kind === "records" ? content.answers : [];
    const alias = answers.length === 1 ? answers[0]?.data : undefined;
    if (alias?.type !== "CNAME") return answers;
    return [...answers, ...(await this.#followed(alias.target, type, [...seen, target]))];
  }

  #resolved(target: DomainName, type: "A" | "AAAA"): Promise<readonly DnsRecord[]> {
    const writable = ({ name, data }: DnsRecord) =>
      isWritable(name) && (!("target" in data) || isWritable(data.target));
    return this.#options.recursors.resolve(target, type).then((records) => records.filter(writable));
  }

  async #reverse(query: Query, address: string, message: Buffer, transport: Transport): Promise<Buffer> {
    const { source, datacenter, ttl } = this.#options;
    const { value } = await source.owners(address);
    const place = { ttl: ttl.node ?? 0, datacenter, domain: this.#domain };
    const answers = ownerRecords(value, query.question.name, place);
    if (answers.length === 0) return this.#elsewhere(query, message, transport);
    return this.#write({ ...this.#reply(query, rcodes.noError), authoritative: true, answers }, transport);
  }

  #elsewhere(query: Query, message: Buffer, transport: Transport): Buffer | Promise<Buffer> {
    const { recursors } = this.#options;
    if (!recursors.configured) return this.#write(this.#reply(query, rcodes.refused), transport);
    return recursors
      .forward(message, transport)
      .then((answer) => answer ?? this.#write(this.#reply(query, rcodes.serverFailure), transport));
  }

  #asking(query: Query, asked: OwnName, transport: Transport): Asking {
    const { name, type } = query.question;
    const { bytes, answers } = this.#limits(query.edns, transport);
    // One more than can be sent, so that it is seen that there are more.
    const most = Math.min(answers, Math.floor(bytes / smallestRecord)) + 1;
    return { name, type, domain: asked.domain, ttl: this.#ttlOf(asked), most };
  }

  #ttlOf(asked: OwnName): number {
    return asked.kind === "service" ? this.#serviceTtl(asked.service) : (this.#options.ttl.node ?? 0);
  }

  #elsewhereOnly(datacenter: string | undefined): string | undefined {
    return datacenter === this.#options.datacenter ? undefined : datacenter;
  }

  #startOfAuthority(domain: DomainName): DnsRecord {
    const { clock, ttl } = this.#options;
    const minimum = ttl.negative ?? 0;
    const serial = Math.floor(clock.now() / 1000) >>> 0;
    const times = { refresh: 3600, retry: 600, expire: 86_400, minimum };
    const data = { type: "SOA", primary: `ns.${domain}`, mailbox: `hostmaster.${domain}`, serial, ...times } as const;
    return { name: domain, ttl: minimum, data };
  }

  #reply(query: Query, rcode: Rcode): Reply {
    const { question, edns } = query;
    const recursionAvailable = this.#options.recursors.configured;
    const empty = { answers: [], authority: [], additional: [] };
    return {
      head: query,
      rcode,
      authoritative: false,
      recursionAvailable,
      question,
      ...empty,
      ...(edns ? { edns } : {}),
    };
  }

  #faultyReply({ head, rcode, question }: Received & { readonly kind: "faulty" }): Reply {
    const empty = { answers: [], authority: [], additional: [] };
    const flags = { authoritative: false, recursionAvailable: this.#options.recursors.configured };
    return { head, rcode, ...flags, ...empty, ...(question ? { question } : {}) };
  }

  #failedReply(query: Query, error: unknown): Reply {
    const isBug = !(error instanceof OperationalError);
    const { name } = query.question;
    const fields = {
      name,
      error: messageOf(error),
      ...(isBug && error instanceof Error ? { stack: error.stack } : {}),
    };
    this.#options.log.write(isBug ? "error" : "debug", "dns: a question could not be answered", fields);
    return this.#reply(query, rcodes.serverFailure);
  }

  #write(reply: Reply, transport: Transport): Buffer {
    return writeReply(reply, this.#limits(reply.edns, transport));
  }

  #limits(edns: Edns | undefined, transport: Transport): ReplyLimits {
    if (transport === "tcp") return { bytes: largestMessage, answers: mostTcpAnswers };
    const size = edns?.udpSize ?? plainUdpBytes;
    if (size <= plainUdpBytes) return { bytes: plainUdpBytes, answers: this.#options.udpAnswerLimit };
    return { bytes: Math.min(size, mostUdpBytes), answers: mostTcpAnswers };
  }
}

/** An A record whose name is a pointer, in bytes. */
const smallestRecord = 16;
/** Aliases that are followed one after another. */
const mostAliases = 3;
const plainUdpBytes = 512;
/** What an IPv4 datagram holds beside its headers. */
const mostUdpBytes = 65_507;
const mostTcpAnswers = 4096;

function refusalOf({ question, edns }: Query): Rcode | undefined {
  if (edns && edns.version > 0) return rcodes.badVersion;
  if (question.type === recordTypes.AXFR || question.type === recordTypes.IXFR) return rcodes.notImplemented;
  if (question.class !== recordClasses.IN && question.class !== recordClasses.ANY) return rcodes.refused;
  return undefined;
}

function mapped<T, R>(lookup: Lookup<T>, map: (value: T) => R): R | Promise<R> {
  return lookup instanceof Promise ? lookup.then(({ value }) => map(value)) : map(lookup.value);
}
