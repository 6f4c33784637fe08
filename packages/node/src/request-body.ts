import { messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { nodeErrors } from "./errors.ts";

const largest = 1024 * 1024;

/** The JSON of a body. Rejects with `tooLarge` and `badRequest`. */
export async function readJson(request: HttpRequest): Promise<unknown> {
  const body = await readBody(request, largest, nodeErrors.tooLarge);
  try {
    return JSON.parse(new TextDecoder().decode(body));
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
