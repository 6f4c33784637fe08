import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";

export interface PatiencePorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told why it has to be asked again. */
  readonly waits: (message: string) => void;
}

export const firstPause = 1_000;
export const longestPause = 30_000;

/**
 * The call's result, as soon as there is one: a server that cannot be asked now is asked again, after ever longer pauses. Rejects with
 * the error of one that refuses, and with the signal's reason.
 */
export async function patiently<T>({ clock, signal, waits }: PatiencePorts, call: () => Promise<T>): Promise<T> {
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError) || !error.kind.retryable) throw error;
      waits(error.message);
      await clock.sleep(pause, signal);
    }
  }
}

/** The promise's result; rejects with the signal's reason where that comes first, and leaves the work to itself. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  // Whoever came second is not waited for any more.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
