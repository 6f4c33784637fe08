/**
 * What the secrets server keeps, path by path: above it everything is plain, below it everything is encrypted. Paths are
 * segments with single slashes between, neither leading nor trailing: `core/mounts`, `logical/UUID/metadata/app`.
 *
 * One contract suite (`storage-contract.ts`) runs over the barrier and over the memory that tests use. Every call may
 * reject with the store's operational errors, and with `sealed` once the server has been sealed.
 */
export interface SecretStorage {
  get(path: string): Promise<StoredValue | undefined>;
  /**
   * The names directly under a folder, sorted by bytes: `a` for a value, `a/` for what has values below it (a name may be both).
   * The folder is `""` or ends with a slash. Empty where there is nothing.
   */
  list(folder: string): Promise<readonly string[]>;
  /**
   * Every path below a folder (`""` or with a slash at its end) with its value, in no order, in pieces that do not hold the
   * event loop. What is written meanwhile may be missing or old: {@link follow}, begun before, tells of it.
   */
  scan(folder: string): AsyncIterable<readonly StoredPath[]>;
  /**
   * Writes all changes in one commit where every condition holds, else none: resolves to whether it wrote. What was
   * acknowledged is on disk. At most 60 changes and conditions each, and 512 KiB; a path is changed once.
   */
  commit(changes: readonly StorageChange[], conditions?: readonly StorageCondition[]): Promise<boolean>;
  /**
   * Tells the paths below a folder (`""` or with a slash at its end) that were written or deleted, by this server or another,
   * once `get` gives what they hold now; until the function it gives is called. Changes close together may be told as one.
   * `changed` does not throw and does not wait.
   */
  follow(folder: string, changed: (paths: readonly string[]) => void): () => void;
}

export interface StoredValue {
  readonly value: Uint8Array;
  /** Changes with every write of this path. */
  readonly revision: number;
}

export interface StoredPath extends StoredValue {
  readonly path: string;
}

export type StorageChange =
  | { readonly op: "put"; readonly path: string; readonly value: Uint8Array }
  | { readonly op: "delete"; readonly path: string };

/** `revision` 0 says that the path holds nothing. */
export interface StorageCondition {
  readonly path: string;
  readonly revision: number;
}

/** What lies under `folder` (ends with a slash) of another storage, as a storage of its own. */
export function storageUnder(storage: SecretStorage, folder: string): SecretStorage {
  return {
    get: (path) => storage.get(folder + path),
    list: (below) => storage.list(folder + below),
    scan: (below) => scanUnder(storage, folder, below),
    commit: (changes, conditions = []) =>
      storage.commit(
        changes.map((change) => ({ ...change, path: folder + change.path })),
        conditions.map((condition) => ({ ...condition, path: folder + condition.path })),
      ),
    follow: (below, changed) =>
      storage.follow(folder + below, (paths) => changed(paths.map((path) => path.slice(folder.length)))),
  };
}

async function* scanUnder(storage: SecretStorage, folder: string, below: string) {
  for await (const piece of storage.scan(folder + below)) {
    yield piece.map((stored) => ({ ...stored, path: stored.path.slice(folder.length) }));
  }
}

/** All paths under a folder (`""` or with a slash at its end), with the values that lie deeper, sorted. */
export async function allPaths(storage: SecretStorage, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await storage.list(folder)) {
    if (!name.endsWith("/")) found.push(folder + name);
    // One by one: a call takes no more than some hundred thousand arguments.
    else for (const path of await allPaths(storage, folder + name)) found.push(path);
  }
  return found;
}
