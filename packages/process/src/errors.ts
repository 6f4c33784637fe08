import type { ErrorKind } from "@millwright/core/errors";

/** Why a process cannot be started, or be found. */
export const processErrors = {
  notFound: { code: "PROCESS_NOT_FOUND", status: 400, retryable: false },
  notAllowed: { code: "PROCESS_NOT_ALLOWED", status: 403, retryable: false },
  /** Another process works on the folder. */
  folderInUse: { code: "PROCESS_FOLDER_IN_USE", status: 409, retryable: false },
  notStarted: { code: "PROCESS_NOT_STARTED", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;
