import type { ErrorKind } from "@millwright/core/errors";

/** What a node refuses with; the message is the answer's body. */
export const nodeErrors = {
  badRequest: { code: "NODE_BAD_REQUEST", status: 400, retryable: false },
  denied: { code: "NODE_DENIED", status: 403, retryable: false },
  notFound: { code: "NODE_NOT_FOUND", status: 404, retryable: false },
  tooLarge: { code: "NODE_TOO_LARGE", status: 413, retryable: false },
  /** A service that a part of the same process registers cannot be as it is. */
  badDefinition: { code: "NODE_BAD_DEFINITION", status: 400, retryable: false },
  /** No server could be reached. */
  noServer: { code: "NODE_NO_SERVER", status: 500, retryable: true },
  /** The configuration or the data folder cannot be used as it is. */
  badConfiguration: { code: "NODE_BAD_CONFIGURATION", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;
