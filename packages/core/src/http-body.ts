import { type ErrorKind, OperationalError } from "./errors.ts";
import type { HttpRequest } from "./http.ts";

/** The whole body, of `limit` bytes at most. Throws `tooLarge`, before reading where the client names its length. */
export async function readBody(request: HttpRequest, limit: number, tooLarge: ErrorKind): Promise<Uint8Array> {
  const refuse = (length: number): never => {
    const text = `Request body(${length} bytes) too large, max size: ${limit} bytes. Keep large data elsewhere, and its address here.`;
    throw new OperationalError(tooLarge, text);
  };
  if (request.contentLength !== undefined && request.contentLength > limit) refuse(request.contentLength);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body()) {
    length += piece.byteLength;
    if (length > limit) refuse(length);
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
