/** How much an artifact may be. */
export interface ArtifactLimits {
  readonly downloadedBytes: number;
  readonly unpackedBytes: number;
  /** Files, folders and links in an archive. */
  readonly files: number;
  /** From the first byte asked for to the last one in its place. */
  readonly milliseconds: number;
  /** How long a server may send nothing. */
  readonly idleMilliseconds: number;
}

/** Source: Nomad's documentation of the client's `artifact` block. */
export const artifactLimits: ArtifactLimits = {
  downloadedBytes: 100_000_000_000,
  unpackedBytes: 100_000_000_000,
  files: 4_096,
  milliseconds: 30 * 60_000,
  idleMilliseconds: 60_000,
};

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
