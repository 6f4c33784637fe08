/** What an apply in waves has told as JSON of each of its decisions, in order. */
export function decisionsIn(out: string): readonly (object | undefined)[] {
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly type: string; readonly wave?: object });
  return lines.filter(({ type }) => type === "wave").map(({ wave }) => wave);
}
