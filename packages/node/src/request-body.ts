import { messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import { nodeErrors } from "./errors.ts";

const largest = 1024 * 1024;

/** The JSON of a body. Rejects with `tooLarge` and `badRequest`. */
export async function readJson(request: HttpRequest): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body()) {
    length += piece.byteLength;
    if (length > largest)
      throw new OperationalError(nodeErrors.tooLarge, `Request body too large, max size: ${largest} bytes`);
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch (error) {
    throw badRequest(`Request decode failed: ${messageOf(error)}`);
  }
}

export function badRequest(message: string): OperationalError {
  return new OperationalError(nodeErrors.badRequest, message);
}

export function notFound(message: string): OperationalError {
  return new OperationalError(nodeErrors.notFound, message);
}
