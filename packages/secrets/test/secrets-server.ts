import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { openSecrets, type Secrets, type SecretsOptions } from "../src/secrets.ts";

/** A secrets server over a store, asked without a network. */
export interface TestServer {
  readonly secrets: Secrets;
  readonly store: Store;
  readonly unsealKeys: readonly string[];
  readonly rootToken: string;
  /** `ask("POST sys/mounts/kv", { type: "kv" })`, with the root token unless another is given; the path is below `/v1/`. */
  ask(line: string, body?: unknown, options?: AskOptions): Promise<TestReply>;
  /** As `ask`; throws where the status is 400 or more. */
  call(line: string, body?: unknown, options?: AskOptions): Promise<TestReply>;
  close(): Promise<void>;
}

export interface AskOptions {
  /** `""` for none. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: Answer;
}

export interface Answer {
  readonly [name: string]: unknown;
  readonly request_id?: string;
  readonly lease_id?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly auth?: { readonly client_token: string; readonly accessor: string; readonly policies: readonly string[] };
  readonly wrap_info?: { readonly token: string; readonly ttl: number } | null;
  readonly errors?: readonly string[];
}

/** A server that is initialized with one key and unsealed; with `secret/` as a development server has it. */
export async function openTestServer(options: Partial<SecretsOptions> = {}): Promise<TestServer> {
  const store = options.store ?? openMemoryStore();
  const secrets = await openSecrets({ store, version: "0.0.0", devMounts: true, ...options });
  const { keys, rootToken } = await secrets.init({ shares: 1, threshold: 1 });
  await secrets.unseal(keys[0]!);
  const close = async () => {
    await secrets.close();
    if (!options.store) await store.close();
  };
  return { secrets, store, unsealKeys: keys, rootToken, ...askerOf(secrets, rootToken), close };
}

/** Asks a server that is there already. */
export function askerOf(secrets: Secrets, rootToken: string): Pick<TestServer, "ask" | "call"> {
  const ask = async (line: string, body?: unknown, { token = rootToken, headers = {} }: AskOptions = {}) =>
    collect(await secrets.handle(requestOf(line, body, { "x-vault-token": token, ...headers })));
  return {
    ask,
    call: async (line, body, options) => {
      const reply = await ask(line, body, options);
      if (reply.status >= 400) throw new Error(`${line}: ${reply.status} ${reply.text}`);
      return reply;
    },
  };
}

/** A request as a listener would hand it on. */
export function requestOf(line: string, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpRequest {
  const space = line.indexOf(" ");
  const [path = "", query = ""] = line.slice(space + 1).split("?");
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return {
    method: line.slice(0, space),
    path: path.startsWith("/") ? path : `/v1/${path}`,
    query: new URLSearchParams(query),
    header: (name) => headers[name] || undefined,
    body: async function* once() {
      yield Buffer.from(text);
    },
    contentLength: Buffer.byteLength(text),
    remote: "127.0.0.1:4711",
    signal: new AbortController().signal,
  };
}

async function collect({ status, headers, body = "" }: HttpReply): Promise<TestReply> {
  if (typeof body !== "string") throw new Error("an answer of this server is one text");
  const json = body !== "" && headers["content-type"] === "application/json" ? (JSON.parse(body) as Answer) : {};
  return { status, headers, text: body, json };
}
