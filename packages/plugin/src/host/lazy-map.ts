/** A map whose values are made of what is there when they are first asked for. */
export class LazyMap<K, R, V> implements ReadonlyMap<K, V> {
  readonly #raw: ReadonlyMap<K, R>;
  readonly #make: (raw: R, key: K) => V;
  readonly #made = new Map<K, V>();

  constructor(raw: ReadonlyMap<K, R>, make: (raw: R, key: K) => V) {
    this.#raw = raw;
    this.#make = make;
  }

  get size(): number {
    return this.#raw.size;
  }

  has(key: K): boolean {
    return this.#raw.has(key);
  }

  get(key: K): V | undefined {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const raw = this.#raw.get(key);
    if (raw === undefined) return undefined;
    const value = this.#make(raw, key);
    this.#made.set(key, value);
    return value;
  }

  keys(): MapIterator<K> {
    return this.#raw.keys();
  }

  *entries(): MapIterator<[K, V]> {
    for (const key of this.#raw.keys()) yield [key, this.get(key)!];
  }

  *values(): MapIterator<V> {
    for (const key of this.#raw.keys()) yield this.get(key)!;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(each: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) each(value, key, this);
  }
}
