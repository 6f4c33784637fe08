/** What a run of calls came to; times in milliseconds. */
export interface CallTimes {
  readonly count: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Calls again and again, so many at once, for that many seconds. */
export async function measureCalls(
  callers: number,
  seconds: number,
  call: (number: number, caller: number) => Promise<unknown>,
): Promise<CallTimes> {
  const times: number[] = [];
  const begun = performance.now();
  const end = begun + seconds * 1_000;
  let number = 0;
  const run = async (caller: number) => {
    while (performance.now() < end) {
      const start = performance.now();
      await call(number++, caller);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => run(caller)));
  const spent = (performance.now() - begun) / 1_000;
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  return { count: times.length, perSecond: times.length / spent, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
