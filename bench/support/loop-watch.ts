import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** How late the event loop was, 99.9th percentiles in milliseconds. */
export interface LoopFigures {
  /** By the wall clock: also where others had the processor. */
  readonly delay: number;
  /** By the processor time that this thread used meanwhile: what its own work held up, and nobody else's. */
  readonly held: number;
  readonly longestHeld: number;
}

/** Watches the event loop of this thread from now on; each call of what it gives tells of the time since the one before. */
export function watchLoop(): () => LoopFigures {
  const delays = createHistogram();
  const holds = createHistogram();
  let last = performance.now();
  let cpu = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage();
    const late = now - last - 1;
    record(delays, late);
    record(holds, Math.min(late, (used.user + used.system - cpu.user - cpu.system) / 1_000));
    last = now;
    cpu = used;
  }, 1).unref();
  return () => {
    const at = (histogram: RecordableHistogram) => histogram.percentile(99.9) / 1_000;
    const figures = { delay: at(delays), held: at(holds), longestHeld: holds.max / 1_000 };
    delays.reset();
    holds.reset();
    return figures;
  };
}

// A histogram holds whole numbers above 0: microseconds.
function record(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.max(1, Math.round(milliseconds * 1_000)));
}
