import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { type Chance, type Clock, systemChance, systemClock } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import { type Discovery, openDiscovery } from "../src/discovery.ts";
import type { Authorizer } from "../src/permissions.ts";

export const identity = {
  datacenter: "dc1",
  nodeName: "n1",
  nodeId: "5f0c4f3e-0000-4000-8000-000000000001",
  address: "127.0.0.1",
  serverPort: 8300,
  version: "0.0.0",
};

/** A discovery server over a store, asked without a network. */
export interface TestServer {
  readonly discovery: Discovery;
  /** `ask("PUT /v1/kv/a?cas=0", "value")` */
  ask(line: string, body?: string | Uint8Array | AsyncIterable<Uint8Array>, options?: AskOptions): Promise<TestReply>;
  /** As `ask`, for a JSON answer. */
  json(line: string, body?: string): Promise<unknown>;
  /** The index header of an answer. */
  index(line: string): Promise<number>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface TestServerOptions {
  readonly authorizer?: Authorizer;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly pretty?: boolean;
  readonly joinToken?: string | undefined;
  readonly openJoin?: boolean;
  readonly livenessSeconds?: number;
}

export async function openTestServer(store: Store, options: TestServerOptions = {}): Promise<TestServer> {
  const { joinToken, ...rest } = options;
  const discovery = await openDiscovery({ store, identity, ...rest, ...(joinToken !== undefined && { joinToken }) });
  const ask = async (line: string, body?: string | Uint8Array | AsyncIterable<Uint8Array>, asked: AskOptions = {}) =>
    collect(await discovery.handle(requestOf(line, body, asked)));
  return {
    discovery,
    ask,
    json: async (line, body) => {
      const reply = await ask(line, body);
      return JSON.parse(reply.text);
    },
    index: async (line) => Number((await ask(line)).headers["x-consul-index"]),
    close: () => discovery.close(),
  };
}

/** A clock that stands until it is moved. */
export function standingClock(
  start = Date.parse("2016-11-21T10:00:00Z"),
): Clock & { advance(milliseconds: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: systemClock.sleep,
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}

export const noJitter: Chance = { ...systemChance, fraction: () => 0 };

export const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A request as a listener would hand it on. */
export function requestOf(
  line: string,
  body?: string | Uint8Array | AsyncIterable<Uint8Array>,
  asked: AskOptions = {},
): HttpRequest {
  const space = line.indexOf(" ");
  const url = line.slice(space + 1);
  const [path = "", query = ""] = url.split("?");
  const whole = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
  const { headers = {}, signal = new AbortController().signal } = asked;
  return {
    method: line.slice(0, space),
    path,
    query: new URLSearchParams(query),
    header: (name) => headers[name],
    body: () =>
      whole
        ? (async function* once() {
            yield whole;
          })()
        : ((body as AsyncIterable<Uint8Array> | undefined) ?? nothing()),
    ...(whole ? { contentLength: whole.byteLength } : {}),
    remote: "127.0.0.1:1",
    signal,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A body without bytes.
}

async function collect(reply: HttpReply): Promise<TestReply> {
  const { body = "" } = reply;
  const pieces: Uint8Array[] = [];
  if (typeof body === "string") pieces.push(Buffer.from(body));
  else if (body instanceof Uint8Array) pieces.push(body);
  else for await (const piece of body) pieces.push(typeof piece === "string" ? Buffer.from(piece) : piece);
  const bytes = Buffer.concat(pieces);
  return { status: reply.status, headers: reply.headers, text: bytes.toString(), bytes };
}
