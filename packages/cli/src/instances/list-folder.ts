import { readdirSync } from "node:fs";

// The same names as the engine's isInstanceListName has; this is asked before any command, and loads nothing for it.
const listName = /^([^.].*\.)?instances\.(ts|hcl)$/;

/** Whether a folder lists instances of templates. */
export function listsInstances(folder: string): boolean {
  return readdirSync(folder).some((name) => listName.test(name));
}
