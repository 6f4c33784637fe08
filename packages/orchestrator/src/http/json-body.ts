import { messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { orchestratorErrors } from "../errors.ts";

/** A job of thousands of groups fits. */
const largest = 16 * 1024 * 1024;

/** The JSON of a body. Rejects with `tooLarge` and `badRequest`. */
export async function readJsonBody(request: HttpRequest): Promise<unknown> {
  const body = await readBody(request, largest, orchestratorErrors.tooLarge);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new OperationalError(orchestratorErrors.badRequest, `The body is no JSON: ${messageOf(error)}`);
  }
}
