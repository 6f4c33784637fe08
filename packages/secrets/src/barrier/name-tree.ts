import { compareKeys } from "@millwright/store/keys";

/** The names of all paths as a tree of folders, in memory. */
export class NameTree {
  readonly #root: Folder = newFolder();

  add(path: string): void {
    const { folder, name } = this.#folderOf(path);
    folder.names.add(name);
  }

  /** Takes a path out, with the folders that are empty then. */
  remove(path: string): void {
    const segments = path.split("/");
    const name = segments.pop() ?? "";
    const way = [this.#root];
    for (const segment of segments) {
      const next = way.at(-1)?.folders.get(segment);
      if (!next) return;
      way.push(next);
    }
    way.at(-1)?.names.delete(name);
    for (let i = way.length - 1; i > 0; i--) {
      const folder = way[i]!;
      if (folder.names.size > 0 || folder.folders.size > 0) return;
      way[i - 1]!.folders.delete(segments[i - 1]!);
    }
  }

  /** Names directly under a folder (`""` or with a slash at its end), sorted by bytes; folders with a slash. */
  list(folder: string): readonly string[] {
    const found = folder === "" ? this.#root : this.#find(folder.slice(0, -1).split("/"));
    if (!found) return [];
    const names = [...found.names, ...[...found.folders.keys()].map((name) => `${name}/`)];
    return names.length < 2 ? names : sortByBytes(names);
  }

  #find(segments: readonly string[]): Folder | undefined {
    let folder: Folder | undefined = this.#root;
    for (const segment of segments) folder = folder?.folders.get(segment);
    return folder;
  }

  #folderOf(path: string): { readonly folder: Folder; readonly name: string } {
    const segments = path.split("/");
    const name = segments.pop() ?? "";
    let folder = this.#root;
    for (const segment of segments) {
      const next = folder.folders.get(segment) ?? newFolder();
      folder.folders.set(segment, next);
      folder = next;
    }
    return { folder, name };
  }
}

interface Folder {
  readonly names: Set<string>;
  readonly folders: Map<string, Folder>;
}

function newFolder(): Folder {
  return { names: new Set(), folders: new Map() };
}

function sortByBytes(names: readonly string[]): readonly string[] {
  return names.toSorted(compareKeys);
}
