import { setImmediate } from "node:timers/promises";
import { after, prefixRange, type Store } from "@millwright/store/contract";
import { type Bucket, decodeBucket } from "./bucket.ts";
import type { Keys } from "./keys.ts";
import { layout } from "./layout.ts";

export interface BucketSource {
  readonly store: Store;
  readonly generation: string;
  readonly keys: Keys;
}

export interface BucketPage {
  /** By their keys in the store. */
  readonly buckets: readonly { readonly key: string; readonly bucket: Bucket }[];
  /** The one at which all pages are read. */
  readonly revision: number;
}

/** Records decrypted in one go: few enough not to hold the event loop. */
const pageSize = 50;

/** Reads all buckets of a generation, at one revision, page by page; others have a turn between two. Rejects with `damaged`. */
export async function* readBuckets({ store, generation, keys }: BucketSource): AsyncGenerator<BucketPage> {
  const whole = prefixRange(layout.buckets(generation));
  let page = await store.range(whole, { limit: pageSize });
  const { revision } = page;
  for (;;) {
    const buckets: { key: string; bucket: Bucket }[] = [];
    for (const { key, value } of page.entries)
      buckets.push({ key, bucket: decodeBucket(await keys.decrypt(key, value)) });
    yield { buckets, revision };
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    await setImmediate();
    page = await store.range({ ...whole, from: after(last.key) }, { limit: pageSize, revision });
  }
}
