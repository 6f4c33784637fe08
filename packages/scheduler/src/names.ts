/**
 * So many indexes for new allocations of a group: of `preferred` those that are not `taken`, then the lowest that neither
 * `taken` nor `shared` has. Names of a group stay within its count in that way.
 */
export function freeIndexes(
  taken: ReadonlySet<number>,
  count: number,
  preferred: readonly number[] = [],
  shared: ReadonlySet<number> = new Set(),
): readonly number[] {
  const chosen = preferred
    .filter((index) => !taken.has(index))
    .sort((a, b) => a - b)
    .slice(0, count);
  const used = new Set([...taken, ...shared, ...chosen]);
  for (let index = 0; chosen.length < count; index++) if (!used.has(index)) chosen.push(index);
  return chosen;
}
