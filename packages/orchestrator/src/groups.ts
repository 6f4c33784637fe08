/**
 * Groups of values, each read anew only after it has changed: a change costs nothing however large its group is, and who
 * reads a group twice without a change between gets the same array.
 */
export class Groups<K, T> {
  readonly #read: (key: K) => readonly T[];
  readonly #known = new Map<K, readonly T[]>();

  constructor(read: (key: K) => readonly T[]) {
    this.#read = read;
  }

  /** Undefined for a group without members. */
  get(key: K): readonly T[] | undefined {
    const known = this.#known.get(key);
    if (known) return known;
    const members = this.#read(key);
    if (members.length === 0) return undefined;
    this.#known.set(key, members);
    return members;
  }

  /** Says that the group is no longer as it was. */
  changed(key: K): void {
    this.#known.delete(key);
  }
}
