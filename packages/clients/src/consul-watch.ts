import { OperationalError } from "@millwright/core/errors";
import { type Chance, type Clock, systemChance, systemClock } from "@millwright/core/ports";
import type { Answer } from "./consul-api.ts";

/** One blocking read: `index` 0 answers at once, any other when the result's index has passed it or the wait is over. */
export type BlockingRead<T> = (position: {
  readonly index: number;
  readonly signal: AbortSignal;
}) => Promise<Answer<T>>;

export interface WatchSettings {
  readonly signal: AbortSignal;
  /** Told of each failed read; the watch goes on by itself where the failure may pass. */
  readonly onFailure?: (error: OperationalError) => void;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/**
 * The first result and then each newer one, until the signal aborts (which ends the loop quietly).
 *
 * Keeps the protocol's rules: an index that goes back starts again from 0, an index below 1 is taken as 1, an unchanged
 * index is a wait that ran out and gives nothing. Failures that may pass are waited out (1 s doubling to 60 s); others
 * are thrown.
 */
export async function* watchAnswers<T>(read: BlockingRead<T>, settings: WatchSettings): AsyncGenerator<Answer<T>> {
  const { signal, onFailure, clock = systemClock, chance = systemChance } = settings;
  let index = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const answer = await read({ index, signal });
      failures = 0;
      const next = Math.max(1, answer.index);
      if (next === index) continue;
      const wentBack = next < index;
      index = wentBack ? 0 : next;
      if (!wentBack) yield answer;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof OperationalError) || !error.kind.retryable) throw error;
      onFailure?.(error);
      const pause = Math.min(1000 * 2 ** failures++, 60_000) * (0.5 + chance.fraction() / 2);
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }
}
