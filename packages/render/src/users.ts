import { OperationalError } from "@millwright/core/errors";
import { readFile } from "node:fs/promises";
import { renderErrors } from "./errors.ts";

/** The number of a user, by name or number. Rejects with `unwritable` where there is none. */
export function findUser(name: string): Promise<number> {
  return find(name, "/etc/passwd", "user");
}

/** The number of a group, by name or number. */
export function findGroup(name: string): Promise<number> {
  return find(name, "/etc/group", "group");
}

async function find(name: string, file: string, what: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const line = (await readFile(file, "utf8")).split("\n").find((one) => one.startsWith(`${name}:`));
  const id = line?.split(":")[2];
  if (id !== undefined) return Number(id);
  const text = `There is no ${what} ${JSON.stringify(name)} in ${file}. Correct the name, or give its number.`;
  throw new OperationalError(renderErrors.unwritable, text);
}
