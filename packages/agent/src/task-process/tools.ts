import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Programs of this machine that the shim and the start of a task need, by their paths. */
export interface Tools {
  readonly sh: string;
  readonly mv: string;
  readonly sleep: string;
  readonly mkfifo: string;
  readonly setsid: string;
  /** To run a task as another user. */
  readonly setpriv: string | undefined;
  /** Passes on any name in an environment, as `sh` may not. */
  readonly bash: string | undefined;
}

/** Finds them where systems have them, whatever the agent's PATH says; else names those that are missing. */
export function findTools(): Tools | { readonly missing: readonly string[] } {
  const found = new Map([...Object.keys(packages), "setpriv", "bash"].map((name) => [name, pathOf(name)]));
  const missing = Object.keys(packages).filter((name) => found.get(name) === undefined);
  if (missing.length > 0) return { missing: missing.map((name) => `${name} (package ${packages[name]})`) };
  const { sh = "", mv = "", sleep = "", mkfifo = "", setsid = "", setpriv, bash } = Object.fromEntries(found);
  return { sh, mv, sleep, mkfifo, setsid, setpriv, bash };
}

const packages: Readonly<Record<string, string>> = {
  sh: "dash",
  mv: "coreutils",
  sleep: "coreutils",
  mkfifo: "coreutils",
  setsid: "util-linux",
};

function pathOf(name: string): string | undefined {
  return [...new Set(["/bin", "/usr/bin", "/sbin", "/usr/sbin", ...(process.env.PATH ?? "").split(":")])]
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
