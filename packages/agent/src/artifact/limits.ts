import type { UnpackLimits } from "@millwright/artifact/limits";

/** How much an artifact may be. */
export interface ArtifactLimits extends UnpackLimits {
  readonly downloadedBytes: number;
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
  advice: {
    unpackedBytes: "Raise the agent's limit (decompression_size_limit).",
    files:
      "Raise the agent's limit (decompression_file_count_limit), or pack it twice: an archive within the archive stays packed.",
  },
};
