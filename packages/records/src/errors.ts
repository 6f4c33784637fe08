import type { ErrorKind } from "@millwright/core/errors";

/** What reads and commits of records are refused with; the message is the answer's body. */
export const recordsErrors = {
  /** A read's options make no sense. */
  badRequest: { code: "RECORDS_BAD_REQUEST", status: 400, retryable: false },
  /** More than one commit takes. */
  tooLarge: { code: "RECORDS_TOO_LARGE", status: 413, retryable: false },
  /** The store cannot be reached, or does not catch up. */
  noLeader: { code: "RECORDS_NO_LEADER", status: 500, retryable: true },
  /** Others kept changing what this commit needs unchanged. */
  contended: { code: "RECORDS_CONTENDED", status: 500, retryable: true },
  restoreUnderWay: { code: "RECORDS_RESTORE_UNDER_WAY", status: 503, retryable: true },
} as const satisfies Record<string, ErrorKind>;
