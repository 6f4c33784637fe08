/** How much an archive may hold. */
export interface UnpackLimits {
  readonly unpackedBytes: number;
  /** Files, folders and links. */
  readonly files: number;
  /** Sentences that say where each limit is set; none where nobody can raise it. */
  readonly advice?: { readonly unpackedBytes: string; readonly files: string };
}

/** Bytes for people: `12.3 MB`. */
export function shownBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let value = bytes;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}
