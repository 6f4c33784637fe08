import type { Mount } from "../engine.ts";
import type { SystemTtl } from "../lease/leases.ts";
import type { SecretStorage } from "../storage.ts";

/** What is mounted where, as it is stored; immutable. */
export interface MountTable {
  readonly entries: readonly MountEntry[];
  /** Of the stored value; 0 where nothing is stored yet. */
  readonly revision: number;
}

export interface MountEntry {
  readonly uuid: string;
  /** `kv_5d2f1c0a`: names the mount where its path must not stand for it. */
  readonly accessor: string;
  readonly class: "secret" | "auth";
  /** The whole path, with a slash at its end: `secret/`, `auth/jwt/`. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly options: Readonly<Record<string, string>>;
  readonly config: MountConfig;
  /** Its leases are being taken back, and then it is no more: requests are refused. */
  readonly isEnding: boolean;
}

export interface MountConfig {
  /** Seconds; 0 for the server's. */
  readonly defaultLeaseTtl: number;
  /** Seconds; 0 for the server's. */
  readonly maxLeaseTtl: number;
  /** `unauth` shows the mount to everybody in `sys/internal/ui/mounts`. */
  readonly listingVisibility: "" | "hidden" | "unauth";
  /** Fields of a request that the audit writes as they are. */
  readonly plainRequestKeys: readonly string[];
  readonly plainResponseKeys: readonly string[];
}

export const plainConfig: MountConfig = {
  defaultLeaseTtl: 0,
  maxLeaseTtl: 0,
  listingVisibility: "",
  plainRequestKeys: [],
  plainResponseKeys: [],
};

const tablePath = "core/mounts";

export async function readMountTable(storage: SecretStorage): Promise<MountTable> {
  const held = await storage.get(tablePath);
  if (!held) return { entries: [], revision: 0 };
  const { entries } = JSON.parse(Buffer.from(held.value).toString()) as { readonly entries: readonly MountEntry[] };
  return { entries, revision: held.revision };
}

/**
 * Writes what `change` makes of the table, against what others write at the same time. `change` may throw, and is asked
 * again where another was first.
 */
export async function changeMountTable(
  storage: SecretStorage,
  change: (entries: readonly MountEntry[]) => readonly MountEntry[],
): Promise<void> {
  for (;;) {
    const table = await readMountTable(storage);
    const entries = change(table.entries).toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const value = Buffer.from(JSON.stringify({ format: 1, entries }));
    const conditions = [{ path: tablePath, revision: table.revision }];
    if (await storage.commit([{ op: "put", path: tablePath, value }], conditions)) return;
  }
}

/** Whether paths that were written say that the table may be another. */
export function concernsMounts(paths: readonly string[]): boolean {
  return paths.includes(tablePath);
}

/** What an engine gets to see of its mount. */
export function mountOf(entry: MountEntry, system: SystemTtl): Mount {
  const { uuid, accessor, path, type, description, options, config } = entry;
  const maxLeaseTtl = config.maxLeaseTtl || system.maxTtl;
  const defaultLeaseTtl = Math.min(config.defaultLeaseTtl || system.defaultTtl, maxLeaseTtl);
  return { uuid, accessor, path, type, description, options, defaultLeaseTtl, maxLeaseTtl };
}

/** The entry that a path lies under: of several the one with the longest path. */
export function entryAt(entries: readonly MountEntry[], path: string): MountEntry | undefined {
  let best: MountEntry | undefined;
  for (const entry of entries) {
    if (!path.startsWith(entry.path) && `${path}/` !== entry.path) continue;
    if (!best || entry.path.length > best.path.length) best = entry;
  }
  return best;
}

/** What forbids a new mount at a path; nothing where it may be. `path` is whole, with a slash at its end. */
export function faultOfPath(entries: readonly MountEntry[], path: string): string | undefined {
  const segments = path.slice(0, -1).split("/");
  const odd = (segment: string) =>
    segment === "" || segment === "." || segment === ".." || /[\s\p{C}*+]/u.test(segment);
  if (segments.some(odd))
    return `${JSON.stringify(path)} cannot be mounted: a segment of a path is printable text without spaces`;
  const reserved = ["sys/", "cubbyhole/", "identity/", "auth/token/"].find((name) => path.startsWith(name));
  if (reserved || path === "auth/") return `cannot mount ${JSON.stringify(reserved ?? path)}`;
  const same = entries.find((entry) => entry.path === path);
  if (same) return `path is already in use at ${path}`;
  const conflict = entries.find((entry) => entry.path.startsWith(path) || path.startsWith(entry.path));
  return conflict && `path is already in use at ${conflict.path}`;
}
