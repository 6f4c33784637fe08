/** Time as an argument. `now` is milliseconds since 1970 (wall clock), `monotonic` milliseconds that never step back. */
export interface Clock {
  now(): number;
  monotonic(): number;
  /** Resolves after `milliseconds`, or rejects with the signal's reason. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Chance as an argument. */
export interface Chance {
  bytes(length: number): Uint8Array;
  /** A random version 4 UUID in lower case. */
  uuid(): string;
  /** Uniform in [0, 1). */
  fraction(): number;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** Structured log lines; `fields` hold no secrets. */
export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    let left = milliseconds;
    for (; left > longestTimer; left -= longestTimer) await shortSleep(longestTimer, signal);
    await shortSleep(left, signal);
  },
};

/** The longest that a timer of Node's takes, in milliseconds, nearly 25 days: one that is set for longer rings at once. */
export const longestTimer = 2 ** 31 - 1;

function shortSleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

export const systemChance: Chance = {
  bytes: (length) => (length <= mostPooled ? pooledBytes(length) : crypto.getRandomValues(new Uint8Array(length))),
  uuid: () => crypto.randomUUID(),
  fraction: () => Math.random(),
};

export const silentLog: Log = { write: () => undefined };

/** Nonces and ids, not keys. */
const mostPooled = 16;
const pool = new Uint8Array(4_096);
let pooled = 0;

// A call of the system's source takes some 10 µs, however few bytes it gives. What was given out is wiped.
function pooledBytes(length: number): Uint8Array {
  if (pooled < length) {
    crypto.getRandomValues(pool);
    pooled = pool.byteLength;
  }
  const bytes = pool.slice(pooled - length, pooled);
  pool.fill(0, pooled - length, pooled);
  pooled -= length;
  return bytes;
}
