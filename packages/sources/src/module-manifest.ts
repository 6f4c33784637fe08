import { OperationalError } from "@millwright/core/errors";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sourceErrors } from "./errors.ts";
import { objectIn, objectsIn } from "./json-fields.ts";

/** One module that is installed for a folder. */
export interface InstalledModule {
  /** The names of the calls that lead to it, with dots between; empty for the root. */
  readonly key: string;
  /** As `moduleSourceText` prints it. */
  readonly source: string;
  /** Of one from a registry. */
  readonly version?: string;
  /** Relative to the folder. */
  readonly folder: string;
}

export type ModuleManifest = ReadonlyMap<string, InstalledModule>;

/** Where a folder notes which modules are installed for it, as Terraform does. `data` is its `.terraform`. */
export function manifestPath(data: string): string {
  return join(data, "modules", "modules.json");
}

/** The modules that are installed; none where nothing was noted. Throws `refused` for a file that holds something else. */
export function readManifest(data: string): ModuleManifest {
  const path = manifestPath(data);
  return existsSync(path) ? parseManifest(path, readFileSync(path)) : new Map();
}

/** Reads what {@link writeManifest} writes; `name` is that of the file, for the error. */
export function parseManifest(name: string, bytes: Uint8Array): ModuleManifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    const message = `${name} holds no JSON, so it is not known which modules are installed. Remove it, and run init.`;
    throw new OperationalError(sourceErrors.refused, message, { cause: error });
  }
  const entries = objectsIn(objectIn(parsed)?.["Modules"]).map((entry) => {
    const { Key: key, Source: source, Version: version, Dir: folder } = entry;
    const one = { key: String(key ?? ""), source: String(source ?? ""), folder: String(folder ?? "") };
    return typeof version === "string" && version !== "" ? { ...one, version } : one;
  });
  return new Map(entries.map((entry) => [entry.key, entry]));
}

/** Writes the manifest as Terraform writes it, in the order of the keys. */
export function writeManifest(data: string, manifest: ModuleManifest): void {
  const path = manifestPath(data);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  // An address may hold a login.
  writeFileSync(temporary, manifestText(manifest), { mode: 0o600 });
  renameSync(temporary, path);
}

export function manifestText(manifest: ModuleManifest): string {
  const modules = [...manifest.values()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, source, version, folder }) => ({
      Key: key,
      Source: source,
      ...(version === undefined ? {} : { Version: version }),
      Dir: folder,
    }));
  return goJson({ Modules: modules });
}

/** JSON as Go's encoder writes it: `<`, `>` and `&` by their code points. */
export function goJson(value: unknown, indentation = 0): string {
  return JSON.stringify(value, undefined, indentation).replaceAll(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
