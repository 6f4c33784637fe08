import type { ErrorKind } from "@millwright/core/errors";

export const logErrors = {
  /** The log process does not start, or does not answer. */
  unreachable: { code: "LOGS_UNREACHABLE", status: 500, retryable: true },
  /** A task's FIFOs cannot be made or opened. */
  unusable: { code: "LOGS_UNUSABLE", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;
