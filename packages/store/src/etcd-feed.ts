import type { Clock } from "@millwright/core/ports";
import { OperationalError } from "@millwright/core/errors";
import type { Commit } from "./commit-log.ts";
import type { WatchEvent } from "./contract.ts";
import { storeErrors } from "./contract.ts";
import type { EtcdConnection, EtcdStream } from "./etcd-connection.ts";
import type { EtcdEvent, EtcdWatchResponse } from "./etcd-protocol.ts";
import type { EtcdPlace } from "./etcd-steps.ts";
import { compacted } from "./watches.ts";

/** What reading a feed needs. */
export interface FeedSource {
  readonly connection: EtcdConnection;
  readonly place: EtcdPlace;
  readonly clock: Clock;
}

/**
 * The store's revisions in an etcd, from `from` on, each whole, until the signal aborts. A revision that only moved the tick
 * comes without events. Fails with `compacted` where `from` is gone, with `unavailable` where the connection breaks.
 */
export async function* readFeed(source: FeedSource, from: number, signal: AbortSignal): AsyncGenerator<Commit> {
  const { connection, place, clock } = source;
  if (signal.aborted) return;
  const stream = await connection.stream("watch");
  const cancel = () => stream.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  // A compaction removes deletions at the very revision it names, so `from` itself must lie behind it: one less is asked for.
  const start = Math.max(1, from - 1);
  stream.write({ create_request: { ...place.everything, start_revision: start, prev_kv: true, fragment: true } });
  try {
    let events: EtcdEvent[] = [];
    for await (const response of responses(stream)) {
      if (response.canceled) throw canceled(response, from);
      events.push(...response.events);
      if (response.fragment) continue;
      for (const [revision, group] of byRevision(events)) {
        if (revision < from) continue;
        yield { revision, at: clock.monotonic(), events: group.flatMap((event) => watchEvent(place, event)) };
      }
      events = [];
    }
  } catch (error) {
    if (!signal.aborted) throw connection.explain(error);
  } finally {
    signal.removeEventListener("abort", cancel);
    stream.on("error", ignoreCancellation);
    stream.cancel();
  }
}

async function* responses(stream: EtcdStream<"watch">): AsyncGenerator<EtcdWatchResponse> {
  for await (const response of stream as AsyncIterable<EtcdWatchResponse>) yield response;
  throw new OperationalError(storeErrors.unavailable, "etcd ended the watch.");
}

// A stream that was cancelled says so as an error, to nobody.
function ignoreCancellation(): void {
  return;
}

function canceled(response: EtcdWatchResponse, from: number): OperationalError {
  const oldest = Number(response.compact_revision);
  if (oldest > 0) return compacted(from, oldest + 1);
  return new OperationalError(storeErrors.unavailable, `etcd ended the watch: ${response.cancel_reason}.`);
}

function byRevision(events: readonly EtcdEvent[]): Map<number, EtcdEvent[]> {
  return Map.groupBy(events, (event) => Number(event.kv.mod_revision));
}

function watchEvent(place: EtcdPlace, event: EtcdEvent): WatchEvent[] {
  const { kv, prev_kv } = event;
  if (place.isTick(kv.key)) return [];
  const previous = prev_kv ? { previous: place.entry(prev_kv) } : {};
  if (event.type === "PUT") return [{ type: "put", entry: place.entry(kv), ...previous }];
  return [{ type: "delete", key: place.name(kv.key), revision: Number(kv.mod_revision), ...previous }];
}
