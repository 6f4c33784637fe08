import { type ErrorKind, OperationalError } from "@millwright/core/errors";

export const allocationErrors = {
  /** There is no such allocation, or task in it, on this node. */
  unknown: { code: "ALLOCATION_UNKNOWN", status: 404, retryable: false },
  notRunning: { code: "ALLOCATION_NOT_RUNNING", status: 400, retryable: false },
  /** What the job says cannot be carried out here. */
  refused: { code: "ALLOCATION_REFUSED", status: 400, retryable: false },
  /** The secrets server does not give what the job asks for. */
  credential: { code: "ALLOCATION_CREDENTIAL", status: 403, retryable: false },
  /** A template's text could not be made of what was read. */
  template: { code: "ALLOCATION_TEMPLATE", status: 500, retryable: true },
  /** A folder, a mount or a file. */
  folder: { code: "ALLOCATION_FOLDER", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;

/** Whether it is the world's failing and no bug: an operational error, or one of the system's own (a full disk). */
export function isExpected(error: unknown): error is Error {
  return (
    error instanceof OperationalError || (error instanceof Error && typeof Reflect.get(error, "syscall") === "string")
  );
}
