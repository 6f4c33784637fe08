import type { ErrorKind } from "@millwright/core/errors";

/** Why a long-running process does not start, or a listener does not take a request. */
export const daemonErrors = {
  addressTaken: { code: "SERVER_ADDRESS_TAKEN", status: 503, retryable: true },
  addressRefused: { code: "SERVER_ADDRESS_REFUSED", status: 400, retryable: false },
  dataFolder: { code: "SERVER_DATA_FOLDER", status: 500, retryable: false },
  foreignPage: { code: "SERVER_FOREIGN_PAGE", status: 403, retryable: false },
} as const satisfies Record<string, ErrorKind>;
