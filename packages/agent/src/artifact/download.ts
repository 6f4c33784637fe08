import { messageOf, OperationalError } from "@millwright/core/errors";
import type { IncomingMessage } from "node:http";
import { artifactErrors } from "@millwright/artifact/errors";
import { connectionFault, sendRequest } from "@millwright/artifact/http-request";
import { shownUrl } from "@millwright/artifact/shown-url";

export interface DownloadOptions {
  /** The job's; left out where a redirect leads to another server. */
  readonly headers: Readonly<Record<string, string>>;
  /** Accepts any certificate. */
  readonly insecure: boolean;
  /** Prefixes of addresses, and what is asked instead. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly idleMilliseconds: number;
  readonly signal: AbortSignal;
}

export interface Download {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** As the server says it; undefined where it does not. */
  readonly total: number | undefined;
}

const mostRedirects = 10;

/** Asks for a file and follows redirects. Throws `notServed` or `unreachable`, also from within the bytes. */
export async function download(url: URL, options: DownloadOptions): Promise<Download> {
  let asked = mirrored(url, options.mirrors);
  const seen = [asked.href];
  for (;;) {
    const isOwn = asked.origin === mirrored(url, options.mirrors).origin;
    const answer = await get(asked, isOwn ? options.headers : {}, options);
    const status = answer.statusCode ?? 0;
    const to = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(status) || to === undefined) return received(asked, url, answer);
    answer.destroy();
    if (!URL.canParse(to, asked.href))
      throw notServed(`${shownUrl(asked)} redirects to no address: ${JSON.stringify(to)}.`);
    asked = mirrored(new URL(to, asked.href), options.mirrors);
    if (asked.protocol !== "http:" && asked.protocol !== "https:")
      throw notServed(`${shownUrl(url)} redirects to ${asked.protocol}, which is not followed.`);
    if (seen.includes(asked.href))
      throw notServed(`${shownUrl(url)} redirects in a circle, back to ${shownUrl(asked)}.`);
    seen.push(asked.href);
    if (seen.length > mostRedirects + 1)
      throw notServed(`${shownUrl(url)} redirects more than ${mostRedirects} times.`);
  }
}

/** The address that is asked in place of another: the longest of the prefixes that fit is replaced. */
function mirrored(url: URL, mirrors: Readonly<Record<string, string>>): URL {
  const prefix = Object.keys(mirrors)
    .filter((candidate) => url.href.startsWith(candidate))
    .reduce((longest, candidate) => (candidate.length > longest.length ? candidate : longest), "");
  return prefix === "" ? url : new URL(mirrors[prefix] + url.href.slice(prefix.length));
}

async function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: DownloadOptions,
): Promise<IncomingMessage> {
  try {
    return await sendRequest(url, { ...options, headers });
  } catch (error) {
    options.signal.throwIfAborted();
    throw error instanceof Error ? unreachable(url, error) : error;
  }
}

function received(asked: URL, url: URL, answer: IncomingMessage): Download {
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    answer.destroy();
    throw notServed(refusalOf(status, asked, url));
  }
  const length = answer.headers["content-length"];
  return { bytes: piecesOf(answer, asked), total: length === undefined ? undefined : Number(length) };
}

async function* piecesOf(answer: IncomingMessage, url: URL): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of answer) yield piece as Uint8Array;
  } catch (error) {
    throw new OperationalError(
      artifactErrors.unreachable,
      `The connection to ${url.host} broke while ${shownUrl(url)} was downloaded: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

function refusalOf(status: number, asked: URL, url: URL): string {
  const place = asked.href === url.href ? shownUrl(url) : `${shownUrl(url)} (asked for at ${shownUrl(asked)})`;
  if (status === 404 || status === 410) return `${place} is not there (HTTP ${status}). Look at the artifact's source.`;
  if (status === 401 || status === 403)
    return `${place} is not for us (HTTP ${status}). Give what it asks for in the artifact's headers.`;
  return `${place} was answered with HTTP ${status}. Look at that server.`;
}

function unreachable(url: URL, error: Error): OperationalError {
  const { why, isTls } = connectionFault(error);
  const place = `${url.hostname}${url.port === "" ? "" : `:${url.port}`}`;
  const advice = isTls
    ? "Trust its authority on this node, or set insecure = true beside a checksum."
    : "Look whether it runs, and whether this node may reach it (a proxy is set with HTTPS_PROXY).";
  return new OperationalError(
    artifactErrors.unreachable,
    `${shownUrl(url)} cannot be downloaded: ${isTls ? "its certificate is not trusted" : `no answer from ${place}`} (${why}). ${advice}`,
    { cause: error },
  );
}

function notServed(message: string): OperationalError {
  return new OperationalError(artifactErrors.notServed, message);
}
