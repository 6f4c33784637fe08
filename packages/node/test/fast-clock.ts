import { type Clock, systemClock } from "@millwright/core/ports";

/** Time that goes by `factor` times as fast. */
export function fastClock(factor: number): Clock {
  const began = systemClock.now();
  return {
    now: () => began + (systemClock.now() - began) * factor,
    monotonic: () => systemClock.monotonic() * factor,
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / factor, signal),
  };
}
