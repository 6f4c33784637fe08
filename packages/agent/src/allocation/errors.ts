import type { ErrorKind } from "@millwright/core/errors";

export const allocationErrors = {
  /** There is no such allocation, or task in it, on this node. */
  unknown: { code: "ALLOCATION_UNKNOWN", status: 404, retryable: false },
  notRunning: { code: "ALLOCATION_NOT_RUNNING", status: 400, retryable: false },
  /** What the job says cannot be carried out here. */
  refused: { code: "ALLOCATION_REFUSED", status: 400, retryable: false },
  /** A folder, a mount or a file. */
  folder: { code: "ALLOCATION_FOLDER", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;
