/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The median time of `runs` runs, in milliseconds, after one that is not counted. */
export async function medianTime(runs: number, run: () => unknown): Promise<number> {
  await run();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** Prints rows under a header, columns lined up, numbers to the right. */
export function printTable(title: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  console.log(
    [title, "", line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line), ""].join("\n"),
  );
}

/** `12.3 ms`, or seconds from one second on. */
export function timeText(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** How many times faster ours is; a dash where there is no peer. */
export function ratioText(ours: number, peer: number | undefined): string {
  return peer === undefined ? "-" : `${(peer / ours).toFixed(1)} x`;
}
