import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";
import type { HttpReply } from "@millwright/core/http";

const compress = promisify(gzip);

/** A body below this is sent as it is: it would hardly become smaller. */
const leastToCompress = 1_400;

/**
 * Sends a reply, compressed where the client takes it and it is worth it, and the reply does not name an encoding of its own
 * (`identity` for one whose pieces are to go out as they come). Rejects where the body fails.
 */
export async function sendReply(
  message: IncomingMessage,
  response: ServerResponse,
  reply: HttpReply,
  lastOfConnection: boolean,
): Promise<void> {
  const headers: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(reply.headers)) headers[canonicalName(name)] = value;
  if (lastOfConnection) headers.Connection = "close";
  const { body = "" } = reply;
  const isEncoded = headers["Content-Encoding"] !== undefined || headers["Content-Type"] === "application/x-gzip";
  const mayCompress = takesGzip(message) && !isEncoded;
  if (typeof body === "string" || body instanceof Uint8Array) {
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
    const compressed = mayCompress && length >= leastToCompress ? await compress(body) : undefined;
    if (compressed) Object.assign(headers, compressedHeaders);
    // An answer without a body still says so, but for those that never have one.
    if (reply.status !== 204 && reply.status !== 304) headers["Content-Length"] = compressed?.byteLength ?? length;
    response.writeHead(reply.status, headers);
    response.end(message.method === "HEAD" ? undefined : (compressed ?? body));
    return;
  }
  if (mayCompress) Object.assign(headers, compressedHeaders);
  response.writeHead(reply.status, headers);
  await sendPieces(response, mayCompress ? compressPieces(body) : body);
}

const knownNames = new Map<string, string>();

// As Go's servers write them, for scripts that look for a header by its letters: X-Consul-Index.
function canonicalName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const canonical = name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  knownNames.set(name, canonical);
  return canonical;
}

const compressedHeaders = { "Content-Encoding": "gzip", Vary: "Accept-Encoding" };

async function sendPieces(response: ServerResponse, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    // The client has gone: the rest need not be made.
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    await roomIn(response);
  }
  response.end();
}

async function* compressPieces(pieces: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  const zip = createGzip({ level: 1 });
  const feeding = (async () => {
    for await (const piece of pieces) {
      if (!zip.write(piece)) await roomIn(zip);
    }
    zip.end();
  })();
  feeding.catch((error: Error) => zip.destroy(error));
  yield* zip;
  await feeding;
}

// Resolves when more may be written, or nothing more will be.
function roomIn(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.removeListener("drain", settle).removeListener("close", settle);
      resolve();
    };
    stream.once("drain", settle).once("close", settle);
  });
}

function takesGzip(message: IncomingMessage): boolean {
  const accepted = message.headers["accept-encoding"];
  if (accepted === undefined) return false;
  return String(accepted)
    .split(",")
    .some((coding) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}
