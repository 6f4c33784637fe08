import { OperationalError } from "@millwright/core/errors";
import { orchestratorErrors } from "../errors.ts";

/** The id of a path. Throws where it is none: `what` is looked up by its whole id alone. */
export function uuidOf(text: string | undefined, what: string): string {
  const id = (text ?? "").toLowerCase();
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id)) return id;
  const why = id.length === 36 ? "Invalid UUID" : "UUID must be 36 characters";
  throw new OperationalError(orchestratorErrors.conflict, `${what} lookup failed: index error: ${why}`);
}

/** The beginning of an id, of any length. Throws for what no id begins with. */
export function uuidPrefixOf(text: string, what: string): string {
  const prefix = text.toLowerCase();
  if (/^[0-9a-f-]{0,36}$/.test(prefix)) return prefix;
  const why =
    prefix.length > 36 ? `Invalid UUID length. UUID have 36 characters; got ${prefix.length}` : "Invalid UUID";
  throw new OperationalError(orchestratorErrors.conflict, `${what} lookup failed: index error: ${why}`);
}
