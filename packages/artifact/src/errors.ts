import type { ErrorKind } from "@millwright/core/errors";

/** Why an artifact did not come. */
export const artifactErrors = {
  /** The job has to change: a source that nothing here fetches, an archive that reaches outside its folder, a limit. */
  refused: { code: "ARTIFACT_REFUSED", status: 400, retryable: false },
  wrongChecksum: { code: "ARTIFACT_WRONG_CHECKSUM", status: 400, retryable: false },
  /** The archive is no archive, or is cut off. */
  damaged: { code: "ARTIFACT_DAMAGED", status: 400, retryable: false },
  /** The server refuses it or does not have it. */
  notServed: { code: "ARTIFACT_NOT_SERVED", status: 404, retryable: true },
  unreachable: { code: "ARTIFACT_UNREACHABLE", status: 502, retryable: true },
  /** It took longer than it may. */
  late: { code: "ARTIFACT_LATE", status: 504, retryable: true },
  /** The machine lacks something: a program, room on its disk. */
  machine: { code: "ARTIFACT_MACHINE", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;
