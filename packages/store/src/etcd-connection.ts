import type { ChannelCredentials, ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { Client, connectivityState, credentials, Metadata, status } from "@grpc/grpc-js";
import type { ErrorKind } from "@millwright/core/errors";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { storeErrors } from "./contract.ts";
import type { EtcdCallName, EtcdCalls } from "./etcd-protocol.ts";
import { etcdMethod } from "./etcd-protocol.ts";

export interface EtcdConnectionOptions {
  /** `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[];
  readonly credentials?: { readonly username: string; readonly password: string };
  /** PEM; for https endpoints. */
  readonly tls?: { readonly ca?: Uint8Array; readonly cert?: Uint8Array; readonly key?: Uint8Array };
  /** How long one call may take before it counts as unanswered; 10,000 by default. */
  readonly timeoutMilliseconds?: number;
}

type UnaryName = Exclude<EtcdCallName, "watch" | "leaseKeepAlive">;
type StreamName = "watch" | "leaseKeepAlive";

/** A running exchange of messages. */
export type EtcdStream<N extends StreamName> = ClientDuplexStream<EtcdCalls[N][0], EtcdCalls[N][1]>;

interface Member {
  readonly address: string;
  readonly client: Client;
}

const connectMilliseconds = 2_000;

/**
 * Calls to the members of one etcd, over the first that can be reached. Every error is one of the contract's: where a write
 * was sent and its answer is missing `undecided`, where it was not sent or etcd says that it did nothing `unavailable`.
 */
export class EtcdConnection {
  readonly #members: readonly Member[];
  readonly #options: EtcdConnectionOptions;
  #current = 0;
  #token: string | undefined;
  #closed = false;

  constructor(options: EtcdConnectionOptions) {
    this.#options = options;
    this.#members = options.endpoints.map((endpoint) => memberAt(endpoint, options));
  }

  /** A call that can be made again: where a member does not answer or has lost the others, the next is asked. */
  read<N extends UnaryName>(name: N, request: EtcdCalls[N][0]): Promise<EtcdCalls[N][1]> {
    return this.#call(name, request, storeErrors.unavailable, this.#members.length);
  }

  /** A call that must not be made twice. */
  write<N extends UnaryName>(name: N, request: EtcdCalls[N][0]): Promise<EtcdCalls[N][1]> {
    return this.#call(name, request, storeErrors.undecided, 1);
  }

  async stream<N extends StreamName>(name: N): Promise<EtcdStream<N>> {
    const member = await this.#connected();
    const { path, requestSerialize, responseDeserialize } = etcdMethod(name);
    const metadata = await this.#metadata(member);
    const stream: unknown = member.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    // The table of methods pairs each name with its two types.
    return stream as EtcdStream<N>;
  }

  /** The error of a stream that failed, in the contract's kinds. The next call goes to the next member. */
  explain(error: unknown): OperationalError {
    return this.#judge(error, storeErrors.unavailable).error;
  }

  close(): void {
    this.#closed = true;
    for (const { client } of this.#members) client.close();
  }

  async #call<N extends UnaryName>(
    name: N,
    request: EtcdCalls[N][0],
    unanswered: ErrorKind,
    most: number,
  ): Promise<EtcdCalls[N][1]> {
    let renewed = false;
    for (let asked = 1; ; asked++) {
      const member = await this.#connected();
      try {
        return await this.#unary(member, name, request, await this.#metadata(member));
      } catch (thrown) {
        const { error, ofMember } = this.#judge(thrown, unanswered);
        // etcd forgets its tokens at a restart, and refuses before it does anything.
        const renew: boolean = isOldToken(thrown) && !renewed;
        renewed ||= renew;
        if (!renew && !(ofMember && asked < most)) throw error;
      }
    }
  }

  // `ofMember`: another member may do what this one did not; the next call goes there.
  #judge(thrown: unknown, unanswered: ErrorKind): { readonly error: OperationalError; readonly ofMember: boolean } {
    if (thrown instanceof OperationalError) return { error: thrown, ofMember: false };
    if (this.#closed) return { error: closedError(), ofMember: false };
    if (isOldToken(thrown)) this.#token = undefined;
    const { code, details } = thrown as ServiceError;
    const said = details || messageOf(thrown);
    const told = answers.find(({ text }) => said.includes(text));
    const kind = told?.kind ?? (notSent(said) || isRefused(code) ? storeErrors.unavailable : unanswered);
    const address = this.#members[this.#current]?.address ?? "";
    const doubt = kind.code === storeErrors.undecided.code ? undecidedAdvice : unavailableAdvice;
    const advice = told?.kind ? told.advice : `${told?.advice ?? ""} ${doubt}`.trimStart();
    const error = new OperationalError(kind, `etcd at ${address}: ${said}. ${advice}`, { cause: thrown });
    const ofMember = told ? told.ofMember === true : true;
    if (ofMember) this.#current = (this.#current + 1) % this.#members.length;
    return { error, ofMember };
  }

  #unary<N extends UnaryName>(
    member: Member,
    name: N,
    request: EtcdCalls[N][0],
    metadata: Metadata,
  ): Promise<EtcdCalls[N][1]> {
    const { path, requestSerialize, responseDeserialize } = etcdMethod(name);
    const deadline = Date.now() + (this.#options.timeoutMilliseconds ?? 10_000);
    return new Promise((resolve, reject) => {
      member.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, response) => {
          if (error) reject(error);
          else resolve(response as EtcdCalls[N][1]);
        },
      );
    });
  }

  async #metadata(member: Member): Promise<Metadata> {
    const metadata = new Metadata();
    // A member that has lost the others then says so at once, and ends a stream instead of keeping quiet.
    metadata.set("hasleader", "true");
    const login = this.#options.credentials;
    if (!login) return metadata;
    try {
      this.#token ??= (
        await this.#unary(member, "authenticate", { name: login.username, password: login.password }, metadata)
      ).token;
    } catch (error) {
      throw this.explain(error);
    }
    metadata.set("token", this.#token);
    return metadata;
  }

  // The member used last if it is connected, else the first that can be.
  async #connected(): Promise<Member> {
    const failures: string[] = [];
    for (let i = 0; i < this.#members.length; i++) {
      if (this.#closed) break;
      const index = (this.#current + i) % this.#members.length;
      const member = this.#members[index]!;
      const failure = await connect(member);
      if (failure === undefined) {
        this.#current = index;
        return member;
      }
      failures.push(`${member.address} (${failure})`);
    }
    if (this.#closed) throw closedError();
    throw new OperationalError(
      storeErrors.unavailable,
      `etcd cannot be reached at ${failures.join(", ")}. Check that it runs, that the address is right, and that nothing is ` +
        "between here and there. Nothing was sent.",
    );
  }
}

function memberAt(endpoint: string, options: EtcdConnectionOptions): Member {
  const url = new URL(endpoint);
  const client = new Client(url.host, channelCredentials(url, options), {
    "grpc.max_receive_message_length": -1,
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    // So that a peer that vanished without a word is noticed by the watches.
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
  });
  return { address: url.host, client };
}

function channelCredentials(url: URL, { tls }: EtcdConnectionOptions): ChannelCredentials {
  if (url.protocol !== "https:") return credentials.createInsecure();
  const pem = (part: Uint8Array | undefined) => (part ? Buffer.from(part) : null);
  return credentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.cert));
}

// Resolves to why it failed, or to undefined. Only calls on a connection that stands are sent at all.
function connect(member: Member): Promise<string | undefined> {
  const channel = member.client.getChannel();
  const deadline = Date.now() + connectMilliseconds;
  return new Promise((resolve) => {
    const look = () => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return resolve(undefined);
      if (state === connectivityState.TRANSIENT_FAILURE) return resolve("connection refused or lost");
      if (state === connectivityState.SHUTDOWN) return resolve("closed");
      channel.watchConnectivityState(state, deadline, (error) => {
        if (error) resolve(`no answer within ${connectMilliseconds} ms`);
        else look();
      });
    };
    look();
  });
}

const unavailableAdvice = "Nothing is known to have been written.";
const undecidedAdvice =
  "The call was sent and no answer came: a write may or may not have been done. Read before you try again.";

// What etcd says, https://github.com/etcd-io/etcd api/v3rpc/rpctypes. With a kind: it comes before anything is written.
const answers: readonly EtcdAnswer[] = [
  {
    text: "required revision has been compacted",
    kind: storeErrors.compacted,
    advice: "Read everything anew and go on from there.",
  },
  { text: "required revision is a future revision", kind: storeErrors.futureRevision, advice: "It is not there yet." },
  {
    text: "requested lease not found",
    kind: storeErrors.leaseNotFound,
    advice: "The lease has ended: grant a new one and write the key again.",
  },
  // The write that met the limit is refused with these words although it was done.
  {
    text: "database space exceeded",
    advice:
      "Its disk quota is used up: compact, defragment, disarm the alarm (`etcdctl alarm disarm`), or raise --quota-backend-bytes.",
  },
  { text: "too many requests", kind: storeErrors.unavailable, advice: "It is overloaded. Nothing was written." },
  {
    text: "too many operations in txn request",
    kind: storeErrors.limitExceeded,
    advice: "Start etcd with --max-txn-ops of 128 at least.",
  },
  {
    text: "request is too large",
    kind: storeErrors.limitExceeded,
    advice: "Start etcd with --max-request-bytes of 1572864 at least.",
  },
  {
    text: "etcdserver: no leader",
    kind: storeErrors.unavailable,
    advice: "Most members must run and see each other. Nothing was written.",
    ofMember: true,
  },
  { text: "authentication failed", kind: storeErrors.unavailable, advice: "Check user name and password." },
  {
    text: "permission denied",
    kind: storeErrors.unavailable,
    advice: "Grant this user's role read and write access to the prefix of the store.",
  },
  {
    text: "user name is empty",
    kind: storeErrors.unavailable,
    advice: "This etcd asks for a user name and password.",
  },
];

interface EtcdAnswer {
  readonly text: string;
  readonly kind?: ErrorKind;
  readonly advice: string;
  readonly ofMember?: boolean;
}

function closedError(): OperationalError {
  return new OperationalError(storeErrors.closed, "The store is closed.");
}

function isRefused(code: number | undefined): boolean {
  return code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED || code === status.INVALID_ARGUMENT;
}

// What grpc-js says where no connection stood when the call was to be sent.
function notSent(said: string): boolean {
  return said.startsWith("No connection established") || said.startsWith("Name resolution failed");
}

function isOldToken(error: unknown): boolean {
  return messageOf(error).includes("invalid auth token");
}
