import { invariant, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { type Comparison, keyRange, type Operation, type Store } from "@millwright/store/contract";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage, StorageChange, StorageCondition, StoredPath, StoredValue } from "../storage.ts";
import {
  type Bucket,
  type BucketEntry,
  bucketBytes,
  decodeBucket,
  decodeLargeValue,
  encodeBucket,
  encodeLargeValue,
  largeValueBytes,
  sizeOf,
} from "./bucket.ts";
import { leadingBits } from "./bucket-index.ts";
import { checkCommit, checkPath } from "./check.ts";
import type { Keys } from "./keys.ts";
import { type Keyring, keyedHash } from "./keyring.ts";
import { layout } from "./layout.ts";
import { BarrierProjection } from "./projection.ts";
import { readBuckets } from "./read-buckets.ts";
import { Stripes } from "./stripes.ts";

export interface BarrierOptions {
  readonly store: Store;
  readonly generation: string;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** How many bits every bucket has at least: 1024 buckets from the beginning, so that writes seldom wait for each other. */
const leastBits = 10;
const cachedBuckets = 4_096;
const cachedHashes = 20_000;
/** How often a read or a write begins anew because another server was first. */
const mostAttempts = 200;

/** The encrypted storage of an unsealed server, over a store that may serve several. */
export class Barrier implements SecretStorage {
  readonly #options: BarrierOptions;
  readonly #stripes = new Stripes();
  /** Decrypted buckets, by store key, the last used at the end. */
  readonly #cache = new Map<string, LoadedBucket>();
  /** What this server itself wrote last to a bucket, by store key, until its projection has seen it. */
  readonly #written = new Map<string, WrittenBucket>();
  /** Hashes of paths that were asked for lately. */
  readonly #hashes = new Map<string, Buffer>();
  readonly #listeners = new Set<(paths: readonly string[]) => void>();
  #projection: BarrierProjection | undefined;
  #closed = false;

  private constructor(options: BarrierOptions) {
    this.#options = options;
  }

  /** Opens the barrier of a generation that {@link prepareBarrier} made. */
  static async open(options: BarrierOptions): Promise<Barrier> {
    const barrier = new Barrier(options);
    barrier.#projection = await BarrierProjection.open({
      ...options,
      changed: (paths) => barrier.#tell(paths),
      known: (key, record) => barrier.#takeWritten(key, record),
    });
    return barrier;
  }

  /** From now on every call rejects with `sealed`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    await this.#projection?.close();
    this.#cache.clear();
    this.#written.clear();
    this.#hashes.clear();
  }

  follow(folder: string, changed: (paths: readonly string[]) => void): () => void {
    const tell = (paths: readonly string[]) => {
      const below = paths.filter((path) => path.startsWith(folder));
      if (below.length > 0) changed(below);
    };
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  }

  async get(path: string): Promise<StoredValue | undefined> {
    checkPath(path);
    const { bucket, revision } = await this.#read(path);
    const entry = bucket.entries.get(path);
    if (!entry) return undefined;
    const value = entry.value ?? (await this.#readLarge(path, revision));
    return { value, revision: entry.revision };
  }

  async list(folder: string): Promise<readonly string[]> {
    const projection = this.#open();
    await projection.fresh();
    this.#open();
    return projection.index.list(folder);
  }

  async *scan(folder: string): AsyncGenerator<readonly StoredPath[]> {
    const { store, generation, keys } = this.#options;
    for await (const { buckets, revision } of readBuckets({ store, generation, keys })) {
      const piece: StoredPath[] = [];
      for (const { bucket } of buckets) {
        for (const [path, entry] of bucket.entries) {
          if (!path.startsWith(folder)) continue;
          const value = entry.value ?? (await this.#readLarge(path, revision));
          piece.push({ path, value, revision: entry.revision });
        }
      }
      this.#open();
      if (piece.length > 0) yield piece;
    }
  }

  async commit(changes: readonly StorageChange[], conditions: readonly StorageCondition[] = []): Promise<boolean> {
    checkCommit(changes, conditions);
    this.#open();
    if (changes.length === 0 && conditions.length === 0) return true;
    const paths = [...changes, ...conditions].map(({ path }) => path);
    const stripes = paths.map((path) => leadingBits(this.#hash("path", path), leastBits));
    // Within this process writes to one bucket wait for each other; between servers the comparisons decide.
    return this.#stripes.run(stripes, async () => {
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const outcome = await this.#attempt(changes, conditions);
        if (outcome !== "moved") return outcome === "written";
        if (attempt > 2) await this.#options.clock.sleep(20 * this.#options.chance.fraction());
      }
      throw new OperationalError(secretsErrors.contended, "Other servers kept writing to the same records. Try again.");
    });
  }

  async #attempt(
    changes: readonly StorageChange[],
    conditions: readonly StorageCondition[],
  ): Promise<"written" | "refused" | "moved"> {
    const places = await this.#loadPlaces([...changes, ...conditions].map(({ path }) => path));
    if (!places) {
      // Another server has split a bucket: where the halves are, its commit tells.
      await this.#open().fresh();
      return "moved";
    }
    const isHeld = ({ path, revision }: StorageCondition) =>
      (places.get(path)?.bucket.entries.get(path)?.revision ?? 0) === revision;
    const holds = conditions.every(isHeld);
    const plan = holds ? this.#planWrites(changes, places) : { operations: [], buckets: [] };
    const used = new Map([...places.values()].map((place) => [place.key, place]));
    this.#open();
    for (const written of plan.buckets) this.#written.set(written.key, written);
    const result = await this.#options.store.txn({
      when: [...used.values()].map(({ key, modified }) => unchanged(key, modified)),
      then: plan.operations,
    });
    if (!result.succeeded) {
      for (const key of used.keys()) {
        this.#cache.delete(key);
        this.#written.delete(key);
      }
      return "moved";
    }
    if (!holds) return "refused";
    for (const { key, bucket } of plan.buckets) this.#keep({ key, bucket, modified: result.revision });
    for (const { key, bucket } of plan.buckets) if (sizeOf(bucket) > bucketBytes) await this.#split(key);
    return "written";
  }

  // The bucket of each path; nothing where one is no longer there.
  async #loadPlaces(paths: readonly string[]): Promise<ReadonlyMap<string, LoadedBucket> | undefined> {
    const places = new Map<string, LoadedBucket>();
    for (const path of paths) {
      const key = this.#locate(path);
      const bucket = key === undefined ? undefined : (this.#cache.get(key) ?? (await this.#load(key)));
      if (!bucket) return undefined;
      places.set(path, bucket);
    }
    return places;
  }

  #planWrites(changes: readonly StorageChange[], places: ReadonlyMap<string, LoadedBucket>): WritePlan {
    const { keys, generation, chance } = this.#options;
    const written = new Map<string, { readonly bits: string; readonly entries: Map<string, BucketEntry> }>();
    const operations: Operation[] = [];
    for (const change of changes) {
      const { path } = change;
      const place = places.get(path);
      invariant(place, "the bucket of every path was loaded");
      const { bits, entries } = place.bucket;
      const bucket = written.get(place.key) ?? { bits, entries: new Map(entries) };
      const after = bucket.entries;
      written.set(place.key, bucket);
      const wasLarge = after.has(path) && after.get(path)?.value === undefined;
      const large = change.op === "put" && change.value.byteLength > largeValueBytes;
      if (change.op === "delete") after.delete(path);
      else after.set(path, { revision: newRevision(chance), value: large ? undefined : Buffer.from(change.value) });
      const apart = layout.value(generation, this.#hash("value", path).toString("hex", 0, 16));
      if (change.op === "put" && large)
        operations.push({ op: "put", key: apart, value: keys.encrypt(apart, encodeLargeValue(change.value)) });
      else if (wasLarge) operations.push({ op: "delete", key: apart });
    }
    const buckets = [...written].map(([key, bucket]) => {
      return { key, bucket, record: keys.encrypt(key, encodeBucket(bucket)) };
    });
    for (const { key, record } of buckets) operations.push({ op: "put", key, value: record });
    return { operations, buckets };
  }

  // Halves a bucket that has become large. Where that fails, the bucket stays as it is and the next write tries again.
  async #split(key: string): Promise<void> {
    const { store, keys, generation, log } = this.#options;
    const parent = this.#cache.get(key);
    if (!parent || parent.bucket.entries.size < 2 || parent.bucket.bits.length >= 64) return;
    const { bits } = parent.bucket;
    const halves = ["0", "1"].map((bit) => {
      const belongs = (path: string) => leadingBits(this.#hash("path", path), bits.length + 1) === bits + bit;
      const entries = new Map([...parent.bucket.entries].filter(([path]) => belongs(path)));
      const bucket = { bits: bits + bit, entries };
      return { key: bucketKey(keys.keyring, generation, bucket.bits), bucket };
    });
    try {
      await store.txn({
        when: [unchanged(key, parent.modified)],
        then: [
          { op: "delete", key },
          ...halves.map((half): Operation => {
            return { op: "put", key: half.key, value: keys.encrypt(half.key, encodeBucket(half.bucket)) };
          }),
        ],
      });
    } catch (error) {
      log.write("warn", "secrets: a large record could not be split", { error: messageOf(error) });
    }
    this.#cache.delete(key);
  }

  // The bucket of a path as the store has it now, and the revision at which it was read.
  async #read(path: string): Promise<{ readonly bucket: Bucket; readonly revision: number }> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const key = this.#locate(path);
      const { entries, revision } = key === undefined ? nothing : await this.#options.store.range(keyRange(key));
      this.#open();
      const entry = entries[0];
      const cached = key === undefined ? undefined : this.#cache.get(key);
      if (entry && cached?.modified === entry.modified) return { bucket: cached.bucket, revision };
      if (entry) {
        const bucket = decodeBucket(await this.#options.keys.decrypt(entry.key, entry.value));
        this.#keep({ key: entry.key, bucket, modified: entry.modified });
        return { bucket, revision };
      }
      await this.#open().fresh();
    }
    const text = "Records of the store are missing: somebody else deleted them. Put the store back from a copy.";
    throw new OperationalError(secretsErrors.damaged, text);
  }

  async #load(key: string): Promise<LoadedBucket | undefined> {
    const { entries } = await this.#options.store.range(keyRange(key));
    const entry = entries[0];
    if (!entry) return undefined;
    const loaded = { key, bucket: decodeBucket(await this.#options.keys.decrypt(key, entry.value)) };
    return this.#keep({ ...loaded, modified: entry.modified });
  }

  async #readLarge(path: string, revision: number): Promise<Uint8Array> {
    const { store, generation, keys } = this.#options;
    const place = layout.value(generation, this.#hash("value", path).toString("hex", 0, 16));
    const { entries } = await store.range(keyRange(place), { revision });
    if (!entries[0]) throw new OperationalError(secretsErrors.damaged, `The record ${place} of the store is missing.`);
    return decodeLargeValue(await keys.decrypt(place, entries[0].value));
  }

  #keep(loaded: LoadedBucket): LoadedBucket {
    const known = this.#cache.get(loaded.key);
    if (known && known.modified > loaded.modified) return loaded;
    this.#cache.delete(loaded.key);
    this.#cache.set(loaded.key, loaded);
    if (this.#cache.size > cachedBuckets) this.#cache.delete(this.#cache.keys().next().value ?? "");
    return loaded;
  }

  #locate(path: string): string | undefined {
    return this.#open().index.locate(this.#hash("path", path))?.key;
  }

  // What this server has encrypted itself need not be decrypted again. The nonce in a record makes it one of a kind.
  #takeWritten(key: string, record: Uint8Array): Bucket | undefined {
    const written = this.#written.get(key);
    if (!written || Buffer.compare(written.record, record) !== 0) return undefined;
    this.#written.delete(key);
    return written.bucket;
  }

  #hash(purpose: "path" | "value", path: string): Buffer {
    if (purpose === "value") return keyedHash(this.#options.keys.keyring, purpose, path);
    const known = this.#hashes.get(path);
    if (known) return known;
    const hash = keyedHash(this.#options.keys.keyring, purpose, path);
    if (this.#hashes.size >= cachedHashes) this.#hashes.clear();
    this.#hashes.set(path, hash);
    return hash;
  }

  #open(): BarrierProjection {
    if (this.#closed || !this.#projection) throw new OperationalError(secretsErrors.sealed, "Vault is sealed");
    return this.#projection;
  }

  #tell(paths: readonly string[]): void {
    for (const listener of this.#listeners) listener(paths);
  }
}

/** Writes the empty buckets of a new generation. */
export async function prepareBarrier(options: Pick<BarrierOptions, "store" | "generation" | "keys">): Promise<void> {
  const { store, generation, keys } = options;
  const operations = Array.from({ length: 2 ** leastBits }, (_, i): Operation => {
    const bits = i.toString(2).padStart(leastBits, "0");
    const key = bucketKey(keys.keyring, generation, bits);
    return { op: "put", key, value: keys.encrypt(key, encodeBucket({ bits, entries: new Map() })) };
  });
  for (let at = 0; at < operations.length; at += 128) await store.txn({ then: operations.slice(at, at + 128) });
}

interface LoadedBucket {
  readonly key: string;
  readonly bucket: Bucket;
  /** The store's revision that wrote it. */
  readonly modified: number;
}

interface WritePlan {
  readonly operations: readonly Operation[];
  readonly buckets: readonly WrittenBucket[];
}

interface WrittenBucket {
  readonly key: string;
  readonly bucket: Bucket;
  /** The bucket encrypted. */
  readonly record: Uint8Array;
}

const nothing = { entries: [], revision: 0 };

function bucketKey(keyring: Keyring, generation: string, bits: string): string {
  return layout.bucket(generation, keyedHash(keyring, "bucket", bits).toString("hex", 0, 16));
}

function unchanged(key: string, modified: number): Comparison {
  return { range: keyRange(key), is: "modified", op: "=", revision: modified };
}

function newRevision(chance: Chance): number {
  return Math.max(1, Buffer.from(chance.bytes(6)).readUIntBE(0, 6));
}
