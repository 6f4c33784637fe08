import type { HttpRequest } from "@millwright/core/http";
import type { Chance, Clock } from "@millwright/core/ports";
import type { FollowedState, Projection } from "./projection.ts";
import type { ReadOptions } from "./read-options.ts";
import type { Subject } from "./subscriptions.ts";

export interface BlockingContext<S extends FollowedState> {
  readonly projection: Projection<S>;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** A result with the public index that belongs to it. */
export interface Indexed<T> {
  readonly index: number;
  readonly value: T;
}

/**
 * Reads, and where the options name an index reads again at each change of the subject until the result's index is above
 * it or the wait is over. Only a change of the subject itself wakes it. The value is built once, at the end.
 */
export async function blockingRead<S extends FollowedState, T>(
  context: BlockingContext<S>,
  options: ReadOptions,
  subject: Subject,
  request: Pick<HttpRequest, "signal">,
  read: { index(state: S): number; value(state: S): T },
): Promise<Indexed<T>> {
  const { projection } = context;
  if (options.consistency !== "stale") await projection.fresh();
  if (options.index > 0) await waitForChange(context, options, subject, request.signal, read.index);
  const { state } = projection;
  return { index: read.index(state), value: read.value(state) };
}

async function waitForChange<S extends FollowedState>(
  { projection, clock, chance }: BlockingContext<S>,
  { index, wait }: ReadOptions,
  subject: Subject,
  signal: AbortSignal,
  indexOf: (state: S) => number,
): Promise<void> {
  if (indexOf(projection.state) > index) return;
  const settled = new AbortController();
  const over = AbortSignal.any([signal, settled.signal]);
  // A sixteenth at most on top, so that many clients that began together do not come back together.
  const milliseconds = wait + chance.fraction() * (wait / 16);
  const timer = clock.sleep(milliseconds, over).then(
    () => settled.abort(),
    () => undefined,
  );
  while (!over.aborted && indexOf(projection.state) <= index) {
    await projection.changed(subject, over);
    if (projection.closed) break;
  }
  settled.abort();
  await timer;
}
