/** A JSON value as Go prints it in a table: `map[a:1 b:[x y]]`, `<nil>`; keys of a map are sorted. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goValue).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${fields.map(([name, field]) => `${name}:${goValue(field)}`).join(" ")}]`;
}

/** Seconds as Go prints a duration: `1h0m0s`, `45s`, `0s`. */
export function goDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = `${whole % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
