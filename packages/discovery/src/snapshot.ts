import { messageOf } from "@millwright/core/errors";
import { isAt } from "@millwright/records/comparisons";
import { lostLock, removeOtherGenerations, withGenerationLock } from "@millwright/records/generations";
import { encodeMeta } from "@millwright/records/meta";
import { isTableOf } from "@millwright/records/schema";
import type { Comparison, Operation, Store } from "@millwright/store/contract";
import { after, prefixRange } from "@millwright/store/contract";
import { type ArchiveEntry, type ArchiveHeader, damaged, readArchive, writeArchive } from "./archive.ts";
import { layout } from "./layout.ts";
import { schema } from "./schema.ts";
import type { DiscoveryGenerations } from "./state.ts";
import { type Records, tables } from "./tables.ts";

/** More than any store commits in a second: how far another server's indexes may have gone on since an archive. */
const commitsPerSecond = 100_000;
/** Between the highest index that can have been given out and the first after a restore. */
const indexMargin = 1_000_000;

const operationsPerStep = 100;
const bytesPerStep = 900 * 1024;

/** An archive of everything at one revision, with the public index of that revision. */
export async function takeSnapshot({
  store,
  projection,
  clock,
}: DiscoveryGenerations): Promise<{ readonly index: number; readonly archive: AsyncIterable<Uint8Array> }> {
  await projection.fresh();
  const { state, applied: revision } = projection;
  const index = state.indexOf(revision);
  const entries = entriesOf(store, state.meta.generation, revision);
  return { index, archive: writeArchive({ index, takenAt: clock.now() }, entries) };
}

/**
 * Puts the archive's state in place of what there is, in one commit at the end: a damaged archive, or a server that dies
 * half-way, changes nothing. Indexes go on above every one given out before, here or where the archive was taken.
 *
 * Rejects with `damagedArchive`, and with `restoreUnderWay` where another restore runs.
 */
export function restoreSnapshot(context: DiscoveryGenerations, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const { store, projection, clock, log } = context;
  return withGenerationLock(context, async (lock) => {
    await removeOtherGenerations(context, lock);
    const { meta, fence } = projection.state;
    const begun = await store.revision();
    const generation = meta.generation + 1;
    const header = await stage(store, generation, archive, lock.held);
    const since = Math.max(0, Math.ceil((clock.now() - header.takenAt) / 1000));
    const highest = Math.max(meta.base + (await store.revision()), header.index + since * commitsPerSecond);
    const base = highest + indexMargin - begun;
    const switched = await store.txn({
      when: [lock.held, isAt(layout.meta, fence)],
      then: [{ op: "put", key: layout.meta, value: encodeMeta({ generation, base }) }],
    });
    if (!switched.succeeded) throw lostLock();
    await projection.reached(switched.revision);
    // The restore has been done: what is left over now is removed later if it cannot be at once.
    await removeOtherGenerations(context, lock).catch((error: unknown) => {
      log.write("warn", "discovery: the replaced generation could not be removed yet", { error: messageOf(error) });
    });
  });
}

async function* entriesOf(store: Store, generation: number, revision: number): AsyncGenerator<ArchiveEntry> {
  const prefix = layout.generation(generation);
  let range = prefixRange(prefix);
  for (let limit = 50; ; ) {
    const page = await store.range(range, { revision, limit });
    let bytes = 0;
    for (const { key, value } of page.entries) {
      bytes += value.byteLength;
      // Tombstones say what clients here have seen; after a restore every index is new.
      if (layout.placeOf(key).kind === "record") yield { name: key.slice(prefix.length), value };
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    limit = bytes < 256 * 1024 ? Math.min(limit * 2, 2_000) : Math.max(10, limit >> 1);
    range = { ...range, from: after(last.key) };
  }
}

// Writes the archive's entries under a generation that does not hold yet.
async function stage(
  store: Store,
  generation: number,
  archive: AsyncIterable<Uint8Array>,
  held: Comparison,
): Promise<ArchiveHeader> {
  let header: ArchiveHeader | undefined;
  let step: Operation[] = [];
  let bytes = 0;
  const flush = async () => {
    if (step.length === 0) return;
    const result = await store.txn({ when: [held], then: step });
    if (!result.succeeded) throw lostLock();
    step = [];
    bytes = 0;
  };
  const names = new Set<string>();
  for await (const item of readArchive(archive)) {
    if ("index" in item) {
      header = item;
      continue;
    }
    const size = checkEntry(item, names);
    if (step.length === operationsPerStep || bytes + size > bytesPerStep) await flush();
    step.push({ op: "put", key: layout.generation(generation) + item.name, value: item.value });
    bytes += size;
  }
  await flush();
  if (!header) throw damaged("it is empty");
  return header;
}

function checkEntry({ name, value }: ArchiveEntry, names: Set<string>): number {
  const table = name.slice(0, name.indexOf("/"));
  if (!isTableOf<Records>(schema, table) || tables[table].leased)
    throw damaged(`this version does not know what the entry ${JSON.stringify(name)} is`);
  if (names.has(name)) throw damaged(`the entry ${JSON.stringify(name)} is there twice`);
  names.add(name);
  try {
    tables[table].decode(value);
  } catch (error) {
    throw damaged(messageOf(error));
  }
  const size = Buffer.byteLength(name) + value.byteLength + 64;
  if (size > bytesPerStep) throw damaged(`the entry ${JSON.stringify(name)} is larger than any can be`);
  return size;
}
