import { OperationalError } from "@millwright/core/errors";
import { orchestratorErrors } from "../errors.ts";

/** A truth value as Go's servers read it; undefined for anything else. */
export function parseBool(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}

/** A truth value of the query; `otherwise` where it is absent or empty. Throws for another text. */
export function flagOf(query: URLSearchParams, name: string, otherwise: boolean): boolean {
  const text = query.get(name) ?? "";
  if (text === "") return otherwise;
  const value = parseBool(text);
  if (value === undefined)
    throw new OperationalError(
      orchestratorErrors.conflict,
      `Failed to parse value of "${name}" (${text}) as a bool: write true or false.`,
    );
  return value;
}
