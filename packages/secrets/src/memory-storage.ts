import type { SecretStorage, StorageChange, StorageCondition, StoredValue } from "./storage.ts";

/** A storage in memory, for tests of what is built on one. */
export function memoryStorage(): SecretStorage {
  const values = new Map<string, StoredValue>();
  const followers = new Set<(paths: readonly string[]) => void>();
  let revision = 0;
  return {
    get: async (path) => values.get(path),
    list: async (folder) => {
      const below = [...values.keys()]
        .filter((path) => path.startsWith(folder))
        .map((path) => path.slice(folder.length));
      const names = new Set(below.map((path) => (path.includes("/") ? path.slice(0, path.indexOf("/") + 1) : path)));
      return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },
    scan: async function* (folder) {
      const below = [...values].filter(([path]) => path.startsWith(folder));
      if (below.length > 0) yield below.map(([path, stored]) => ({ path, ...stored }));
    },
    commit: async (changes: readonly StorageChange[], conditions: readonly StorageCondition[] = []) => {
      if (!conditions.every(({ path, revision: wanted }) => (values.get(path)?.revision ?? 0) === wanted)) return false;
      revision += 1;
      for (const change of changes) {
        if (change.op === "put") values.set(change.path, { value: change.value, revision });
        else values.delete(change.path);
      }
      for (const tell of [...followers]) tell(changes.map(({ path }) => path));
      return true;
    },
    follow: (folder, changed) => {
      const tell = (paths: readonly string[]) => {
        const below = paths.filter((path) => path.startsWith(folder));
        if (below.length > 0) changed(below);
      };
      followers.add(tell);
      return () => followers.delete(tell);
    },
  };
}
