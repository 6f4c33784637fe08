/**
 * Milliseconds that `run` takes at the least: where it takes longer than `limit`, it is run again, up to four times. A hang
 * takes long each time; a busy machine or a collection of garbage does not.
 */
export function leastTime(limit: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5 && least > limit; attempt++) {
    const started = performance.now();
    run();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}
