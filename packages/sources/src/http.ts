import { connectionFault, sendRequest } from "@millwright/artifact/http-request";
import { shownUrl } from "@millwright/artifact/shown-url";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { type Clock, type Log, silentLog, systemClock } from "@millwright/core/ports";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { join } from "node:path";
import { sourceErrors } from "./errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How the servers of providers and modules are asked. */
export interface HttpPorts {
  /** Holds proxies (HTTPS_PROXY, NO_PROXY), authorities (SSL_CERT_FILE) and Terraform's own settings. */
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** What is trusted, as PEM; what the machine trusts where not given. */
  readonly authorities?: readonly string[];
  readonly clock?: Clock;
  /** Told of every request, by its address without secrets. */
  readonly log?: Log;
  /** Told while something large is written to a file, every few seconds. */
  readonly progress?: (progress: DownloadProgress) => Promise<void>;
}

/** How far a download is; bytes. `total` where its server says it. */
export interface DownloadProgress {
  readonly received: number;
  readonly total?: number;
}

export interface HttpRequest {
  /** Sent to the first origin only: a redirect to another one goes without them. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from in the end. */
  readonly url: URL;
  readonly body: IncomingMessage;
}

export interface FormAnswer {
  readonly status: number;
  readonly value: unknown;
}

const mostRedirects = 10;
/** How often is told how far a download is, and the most that a server may have us wait; milliseconds. */
const progressPause = 5_000;
const longestPause = 60_000;
const mostSmallBytes = 50_000_000;
/** How long what is small may take; milliseconds. One that gives a byte now and then would have us wait for ever. */
const mostSmallTime = 60_000;
/** Of what is written to a file; an answer without an end is meant to fill a disk. */
const mostLargeBytes = 20_000_000_000;

/** Asks servers: follows redirects, tries again what may succeed later, and says what was wrong in words for users. */
export class SourceHttp {
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly #ports: HttpPorts;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What servers of providers and modules are told about who asks; some answer by it. */
  readonly #clientHeaders: Readonly<Record<string, string>>;
  readonly #retries: number;
  /** Of what is large: packages of providers and modules. */
  readonly #downloadRetries: number;
  readonly #milliseconds: number;
  #authorities: readonly string[] | undefined;

  constructor(ports: HttpPorts) {
    this.#ports = ports;
    this.env = ports.env;
    this.signal = ports.signal;
    this.#clock = ports.clock ?? systemClock;
    this.#log = ports.log ?? silentLog;
    this.#authorities = ports.authorities;
    const agent = `Millwright ${ports.env["TF_APPEND_USER_AGENT"] ?? ""}`.trim();
    this.#clientHeaders = { "user-agent": agent, "x-terraform-version": "1.11.4" };
    this.#retries = numberIn(ports.env, "TF_REGISTRY_DISCOVERY_RETRY", 1);
    this.#downloadRetries = numberIn(ports.env, "TF_PROVIDER_DOWNLOAD_RETRY", 2);
    this.#milliseconds = 1000 * Math.max(1, numberIn(ports.env, "TF_REGISTRY_CLIENT_TIMEOUT", 10));
  }

  /** The same, telling how far its downloads are. */
  telling(progress: (progress: DownloadProgress) => Promise<void>): SourceHttp {
    return new SourceHttp({ ...this.#ports, progress });
  }

  /** Any answer that a server gives. Throws `unreachable` where none comes, after as many tries as are set. */
  get(url: URL, request: HttpRequest = {}): Promise<HttpAnswer> {
    return this.#try(url, request, { retries: this.#retries, use: async (answer) => answer });
  }

  async #try<T>(
    url: URL,
    request: HttpRequest,
    { retries, use }: { readonly retries: number; readonly use: (answer: HttpAnswer) => Promise<T> },
  ): Promise<T> {
    for (let tried = 0; ; tried++) {
      let pause = 1000 * 2 ** tried;
      try {
        const answer = await this.#follow(url, request);
        if (tried >= retries || !mayPass(answer.status)) return await use(answer);
        pause = Math.max(pause, pauseAskedFor(answer));
        answer.body.destroy();
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof OperationalError) || !error.kind.retryable || tried >= retries) throw error;
      }
      await this.#clock.sleep(pause, this.signal);
    }
  }

  /** The JSON that a server answers with; throws for any status but 200. `what` names it in errors. */
  async json(
    url: URL,
    what: string,
    request: HttpRequest = {},
  ): Promise<{ readonly value: unknown; readonly url: URL }> {
    const answer = await this.get(url, request);
    if (answer.status !== 200) throw await refusal(answer, what);
    return { value: await jsonIn(answer, what), url: answer.url };
  }

  /** Sends a form, once: what it asks for may not be done twice. Any answer is given as JSON, with its status. */
  async form(url: URL, what: string, fields: Readonly<Record<string, string>>): Promise<FormAnswer> {
    const headers = {
      ...this.#clientHeaders,
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    };
    const body = await this.#once(url, headers, new URLSearchParams(fields).toString());
    const status = body.statusCode ?? 0;
    return { status, value: await jsonIn({ status, headers: body.headers, url, body }, what) };
  }

  /** A small file whole. Throws for any status but 200. */
  async bytes(url: URL, what: string, request: HttpRequest = {}): Promise<Uint8Array> {
    const answer = await this.get(url, request);
    if (answer.status !== 200) throw await refusal(answer, what);
    return wholeOf(this.pieces(answer), answer.url, what);
  }

  /** Writes a file, from the beginning again where the connection breaks; throws for any status but 200. */
  async download(url: URL, path: string, what: string, request: HttpRequest = {}): Promise<void> {
    const use = async (answer: HttpAnswer) => {
      if (answer.status !== 200) throw await refusal(answer, what);
      await this.save(answer, path);
    };
    await this.#try(url, request, { retries: this.#downloadRetries, use });
  }

  /** Writes what a server answers with. */
  async save(answer: HttpAnswer, path: string): Promise<void> {
    const length = Number(answer.headers["content-length"]);
    const total = Number.isSafeInteger(length) && length > 0 ? { total: length } : {};
    if (length > mostLargeBytes) {
      answer.body.destroy();
      throw tooLarge(answer.url);
    }
    let received = 0;
    let told = this.#clock.monotonic();
    const file = await open(path, "w", 0o600);
    try {
      for await (const piece of this.pieces(answer)) {
        await file.writeFile(piece);
        received += piece.length;
        if (received > mostLargeBytes) throw tooLarge(answer.url);
        if (this.#clock.monotonic() - told < progressPause) continue;
        told = this.#clock.monotonic();
        await this.#ports.progress?.({ received, ...total });
      }
    } finally {
      await file.close();
    }
  }

  /** An answer's body piece by piece; where its connection breaks, the error says so. */
  async *pieces({ body, url }: HttpAnswer): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of body) {
        this.signal.throwIfAborted();
        yield piece as Uint8Array;
      }
    } catch (error) {
      this.signal.throwIfAborted();
      const message = `The connection to ${url.host} broke while ${shownUrl(url)} was downloaded: ${messageOf(error)}.`;
      throw new OperationalError(sourceErrors.unreachable, message, { cause: error });
    }
  }

  async #follow(first: URL, request: HttpRequest): Promise<HttpAnswer> {
    let url = first;
    for (let followed = 0; followed <= mostRedirects; followed++) {
      // The scheme counts too: what was encrypted is not sent again in clear.
      const own = url.origin === first.origin ? (request.headers ?? {}) : {};
      const body = await this.#once(url, { ...this.#clientHeaders, ...own });
      const status = body.statusCode ?? 0;
      const to = body.headers.location;
      if (![301, 302, 303, 307, 308].includes(status) || to === undefined)
        return { status, headers: body.headers, url, body };
      body.destroy();
      if (!URL.canParse(to, url.href))
        throw badAnswer(`${shownUrl(url)} redirects to no address: ${JSON.stringify(to)}.`);
      url = new URL(to, url.href);
      if (!/^https?:$/.test(url.protocol))
        throw badAnswer(`${shownUrl(first)} redirects to ${url.protocol}, which is not followed.`);
    }
    throw badAnswer(`${shownUrl(first)} redirects more than ${mostRedirects} times.`);
  }

  async #once(url: URL, headers: Readonly<Record<string, string>>, form?: string): Promise<IncomingMessage> {
    const { env, signal } = this;
    const authorities = url.protocol === "https:" ? (this.#authorities ??= trusted(env)) : [];
    try {
      const answer = await sendRequest(url, {
        headers,
        env,
        signal,
        authorities,
        idleMilliseconds: this.#milliseconds,
        ...(form === undefined ? {} : { body: form }),
      });
      this.#log.write("debug", `asked ${shownUrl(url)}`, { status: answer.statusCode });
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      const { why, isTls } = connectionFault(error instanceof Error ? error : new Error(messageOf(error)));
      const advice = isTls
        ? "Let SSL_CERT_FILE name a file with its authority's certificate, or add that to those that the machine trusts."
        : "Look whether this machine may reach it; a proxy is set with HTTPS_PROXY.";
      const message = `${shownUrl(url)} could not be asked: ${isTls ? "its certificate is not trusted" : `no answer from ${url.host}`} (${why}). ${advice}`;
      throw new OperationalError(sourceErrors.unreachable, message, { cause: error });
    }
  }
}

function mayPass(status: number): boolean {
  return status >= 500 || status === 429;
}

/** How long a server that is busy asks to be left alone; milliseconds. */
function pauseAskedFor({ headers }: HttpAnswer): number {
  const text = headers["retry-after"] ?? "";
  const pause = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isFinite(pause) ? Math.min(longestPause, Math.max(0, pause)) : 0;
}

/** The error that a server's refusal is: by its status, with what it says where that is a line of text or JSON errors. */
export async function refusal(answer: HttpAnswer, what: string): Promise<OperationalError> {
  const { status } = answer;
  answer.body.destroy();
  const asked = `${what} (${shownUrl(answer.url)})`;
  if (status === 404 || status === 410)
    return new OperationalError(
      sourceErrors.notFound,
      `There is no ${asked}: ${answer.url.host} answered with ${status}.`,
    );
  if (status === 401 || status === 403) {
    const advice = `Look at the credentials for ${answer.url.host}: terraform login, a credentials block, or TF_TOKEN_${answer.url.hostname.replaceAll("-", "__").replaceAll(".", "_")}.`;
    return new OperationalError(sourceErrors.unauthorized, `The ${asked} was refused with ${status}. ${advice}`);
  }
  const kind = mayPass(status) ? sourceErrors.unreachable : sourceErrors.badAnswer;
  return new OperationalError(
    kind,
    `The ${asked} was answered with ${status}. Try again later, or ask who runs ${answer.url.host}.`,
  );
}

/** The JSON of a small answer. Throws `badAnswer`. */
export async function jsonIn(answer: HttpAnswer, what: string): Promise<unknown> {
  const bytes = await wholeOf(answer.body, answer.url, what);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw badAnswer(`The ${what} from ${shownUrl(answer.url)} is no JSON: ${messageOf(error)}.`);
  }
}

function tooLarge(url: URL): OperationalError {
  return badAnswer(`${shownUrl(url)} is more than ${mostLargeBytes} bytes, which cannot be.`);
}

/** What is small enough for memory; throws `badAnswer` where it is more, or takes too long, whatever its server says of its length. */
export async function wholeOf(
  pieces: AsyncIterable<Uint8Array>,
  url: URL,
  what: string,
  clock: Clock = systemClock,
): Promise<Buffer> {
  const all: Uint8Array[] = [];
  const until = clock.monotonic() + mostSmallTime;
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > mostSmallBytes)
      throw badAnswer(`The ${what} from ${url.host} is more than ${mostSmallBytes} bytes, which cannot be.`);
    if (clock.monotonic() > until)
      throw badAnswer(`The ${what} from ${url.host} takes more than ${mostSmallTime / 1000} s, which cannot be.`);
    all.push(piece);
  }
  return Buffer.concat(all);
}

// As Go programs find them: SSL_CERT_FILE in place of the machine's file, SSL_CERT_DIR in place of its folder.
function trusted(env: Environment): readonly string[] {
  const file = env["SSL_CERT_FILE"];
  const folder = env["SSL_CERT_DIR"];
  // Not imported, so that commands which ask no server do without TLS.
  const { getCACertificates } = process.getBuiltinModule("node:tls");
  if (!file && !folder) return [...new Set([...getCACertificates("system"), ...getCACertificates("default")])];
  const folders = folder ? folder.split(":").filter((path) => existsSync(path)) : [];
  const inFolders = folders.flatMap((path) => readdirSync(path).map((name) => join(path, name)));
  return [...(file ? [file] : []), ...inFolders].flatMap((path) => {
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
    const text = isFile ? readFileSync(path, "utf8") : "";
    return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  });
}

function numberIn(env: Environment, name: string, fallback: number): number {
  const given = env[name];
  return given !== undefined && /^\d+$/.test(given) ? Number(given) : fallback;
}

function badAnswer(message: string): OperationalError {
  return new OperationalError(sourceErrors.badAnswer, message);
}
