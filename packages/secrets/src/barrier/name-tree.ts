import { SortedKeys } from "@millwright/store/sorted-keys";

/** The names of all paths as a tree of folders, in memory; sorted as they come, so that no list has to sort many at once. */
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
      if (!way[i]!.names.isEmpty) return;
      const segment = segments[i - 1]!;
      way[i - 1]!.folders.delete(segment);
      way[i - 1]!.names.delete(`${segment}/`);
    }
  }

  /** Names directly under a folder (`""` or with a slash at its end), sorted by bytes; folders with a slash. */
  list(folder: string): readonly string[] {
    const found = folder === "" ? this.#root : this.#find(folder.slice(0, -1).split("/"));
    return found ? [...found.names.from("")] : [];
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
      let next = folder.folders.get(segment);
      if (!next) {
        next = newFolder();
        folder.folders.set(segment, next);
        folder.names.add(`${segment}/`);
      }
      folder = next;
    }
    return { folder, name };
  }
}

interface Folder {
  /** Of values; of folders with a slash behind. */
  readonly names: SortedKeys;
  readonly folders: Map<string, Folder>;
}

function newFolder(): Folder {
  return { names: new SortedKeys(), folders: new Map() };
}
