import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { clientErrors } from "./errors.ts";
import type { HttpCall } from "./http.ts";

export interface RetrySettings {
  /** Times a request is sent at most, the first included. */
  readonly attempts: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly signal: AbortSignal | undefined;
  /** Whether carrying it out twice does no harm; only then is it sent again after a broken connection. */
  readonly repeatable: boolean;
  readonly body: HttpCall["body"];
}

/** Sends, and sends again after a pause where that may help and does no harm. Rejects with the last attempt's error. */
export async function sendWithRetries<T>(settings: RetrySettings, send: () => Promise<T>): Promise<T> {
  const { attempts, clock, chance, signal } = settings;
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof OperationalError) || !mayRepeat(settings, error)) throw undecidedUnless(settings, error);
      if (attempt >= attempts) throw error;
    }
    // Doubling from 100 ms, each between half and whole, so that many clients do not return together.
    const pause = Math.min(100 * 2 ** (attempt - 1), 5000) * (0.5 + chance.fraction() / 2);
    await clock.sleep(pause, signal);
  }
}

function mayRepeat({ repeatable, body }: RetrySettings, error: OperationalError): boolean {
  if (!error.kind.retryable || isStream(body)) return false;
  return error.kind === clientErrors.unreachable || error.kind === clientErrors.rateLimited || repeatable;
}

function isStream(body: HttpCall["body"]): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

function undecidedUnless({ repeatable }: RetrySettings, error: unknown): unknown {
  if (repeatable || !(error instanceof OperationalError) || error.kind !== clientErrors.broken) return error;
  const text = `${error.message} It may or may not have been carried out: read before you repeat it.`;
  return new OperationalError(clientErrors.undecided, text, { cause: error });
}
