/** Names padded with spaces to the width of the longest, so that what follows them lines up. */
export function align(names: readonly string[]): string[] {
  const width = Math.max(0, ...names.map((name) => [...name].length));
  return names.map((name) => name + " ".repeat(width - [...name].length));
}
