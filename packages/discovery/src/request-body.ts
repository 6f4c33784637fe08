import { OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import { discoveryErrors } from "./errors.ts";

/** The whole body, of `limit` bytes at most. Throws `tooLarge`, before reading where the client names its length. */
export async function readBody(request: HttpRequest, limit: number): Promise<Uint8Array> {
  if (request.contentLength !== undefined && request.contentLength > limit)
    throw tooLarge(request.contentLength, limit);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body()) {
    length += piece.byteLength;
    if (length > limit) throw tooLarge(length, limit);
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function tooLarge(length: number, limit: number): OperationalError {
  return new OperationalError(
    discoveryErrors.tooLarge,
    `Request body(${length} bytes) too large, max size: ${limit} bytes. Keep large data elsewhere, and its address here.`,
  );
}
