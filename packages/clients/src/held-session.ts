import { OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import type { CallOptions } from "./consul-api.ts";
import type { ConsulClient } from "./consul.ts";
import type { SessionRequest } from "./consul-session.ts";

/** A session that is renewed until {@link end}. */
export interface HeldSession {
  readonly id: string;
  /** Aborts, with an Error that says why, when the server has ended it, or may have. */
  readonly ended: AbortSignal;
  /** Stops renewing and ends it; where the server cannot be told, it ends by itself. */
  end(): Promise<void>;
}

export interface HeldSessionRequest extends Omit<SessionRequest, "ttl"> {
  /** From 10 to 86,400; 15 by default. */
  readonly ttlSeconds?: number;
  readonly call?: CallOptions;
  readonly clock?: Clock;
}

/** Creates a session and keeps it alive. Rejects where it cannot be created. */
export async function holdSession(client: ConsulClient, request: HeldSessionRequest = {}): Promise<HeldSession> {
  const { ttlSeconds = 15, call = {}, clock = systemClock, ...rest } = request;
  const id = await client.sessions.create({ ...rest, ttl: `${ttlSeconds}s` }, call);
  const { signal: _, ...renewal } = call;
  const kept = keep(client, { id, ttl: ttlSeconds * 1000, call: renewal, clock });
  return {
    ...kept,
    end: async () => {
      await kept.end();
      await client.sessions.destroy(id, renewal).catch(ignoreOperational);
    },
  };
}

/** Keeps a session alive that another has made, beside that one; its end is the end of that, and ends nothing. */
export function keepSession(
  client: ConsulClient,
  id: string,
  { ttlSeconds = 15, clock = systemClock }: Pick<HeldSessionRequest, "ttlSeconds" | "clock"> = {},
): HeldSession {
  return keep(client, { id, ttl: ttlSeconds * 1000, call: {}, clock });
}

function keep(client: ConsulClient, kept: Omit<Renewal, "stop">): HeldSession {
  const ended = new AbortController();
  const stop = new AbortController();
  const renewing = keepRenewing(client, { ...kept, stop: stop.signal }).then((why) => {
    if (why) ended.abort(new Error(why));
  });
  return {
    id: kept.id,
    ended: ended.signal,
    end: async () => {
      stop.abort();
      await renewing;
    },
  };
}

interface Renewal {
  readonly id: string;
  readonly ttl: number;
  readonly call: CallOptions;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

// Resolves to why it has ended, or to nothing at the stop.
async function keepRenewing(
  client: ConsulClient,
  { id, ttl, call, clock, stop }: Renewal,
): Promise<string | undefined> {
  let renewed = clock.monotonic();
  let pause = ttl / 2;
  for (;;) {
    await clock.sleep(pause, stop).catch(() => undefined);
    if (stop.aborted) return undefined;
    try {
      const sent = clock.monotonic();
      if (!(await client.sessions.renew(id, { ...call, signal: stop }))) return `the session ${id} has ended`;
      renewed = sent;
      pause = ttl / 2;
    } catch (error) {
      if (stop.aborted) return undefined;
      ignoreOperational(error);
      if (clock.monotonic() - renewed > ttl) return `the session ${id} could not be renewed for ${ttl / 1000} s`;
      pause = Math.min(1000, ttl / 10);
    }
  }
}

export function ignoreOperational(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}
