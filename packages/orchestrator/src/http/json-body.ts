import { messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";
import { orchestratorErrors } from "../errors.ts";

/** The most that a body may have: 16 MiB. */
const mostBytes = 16 * 1024 * 1024;

/** A request's body as JSON. Rejects with `badRequest` where it is empty or no JSON, `tooLarge` where it is too long. */
export async function readJsonBody(request: HttpRequest): Promise<unknown> {
  const text = new TextDecoder().decode(await readBody(request, mostBytes, orchestratorErrors.tooLarge)).trim();
  if (text === "") throw badRequest("Request body is empty");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(messageOf(error));
  }
}

/** As {@link readJsonBody}, for a body that may be left out: an object without fields then. */
export async function readOptionalBody(request: HttpRequest): Promise<unknown> {
  return request.contentLength === 0 ? {} : readJsonBody(request);
}

/** Reads an object of a body; what `read` finds wrong is the client's mistake. */
export function readFields<T>(body: unknown, what: string, read: (fields: WireFields) => T): T {
  try {
    return read(new WireFields(body, what));
  } catch (error) {
    if (!(error instanceof WireMistake)) throw error;
    throw badRequest(error.message);
  }
}

export function badRequest(message: string): OperationalError {
  return new OperationalError(orchestratorErrors.badRequest, message);
}

export function notFound(message: string): OperationalError {
  return new OperationalError(orchestratorErrors.notFound, message);
}
