import type { VaultMount } from "./servers.ts";

/** The path to read for what people write: in a `kv` engine of version 2, `data/` stands behind the engine's path. */
export function readPath(path: string, mount: VaultMount | undefined): string {
  if (mount?.type !== "kv" || mount.version !== "2") return path;
  return within(path, mount.path, "data", ["data/", "metadata/", "subkeys/"]);
}

/** The path to list for what people write: in a `kv` engine of version 2 it is `metadata/`. */
export function listPath(path: string, mount: VaultMount | undefined): string {
  if (mount?.type !== "kv" || mount.version !== "2") return path;
  return within(path, mount.path, "metadata", ["metadata/", "metadata"]);
}

function within(path: string, mountPath: string, folder: string, kept: readonly string[]): string {
  const mount = mountPath.endsWith("/") ? mountPath : `${mountPath}/`;
  if (`${path}/` === mount) return `${mount}${folder}`;
  // The engine's path may name a namespace that the request already stands in.
  const rest = path.startsWith(mount) ? path.slice(mount.length) : undefined;
  if (rest === undefined) return path;
  return kept.some((one) => rest === one || (one.endsWith("/") && rest.startsWith(one)))
    ? path
    : `${mount}${folder}/${rest}`;
}
