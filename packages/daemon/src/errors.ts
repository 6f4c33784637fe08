import type { ErrorKind } from "@millwright/core/errors";

/** Why a long-running process does not start. */
export const daemonErrors = {
  addressTaken: { code: "SERVER_ADDRESS_TAKEN", status: 503, retryable: true },
  addressRefused: { code: "SERVER_ADDRESS_REFUSED", status: 400, retryable: false },
  dataFolder: { code: "SERVER_DATA_FOLDER", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;
