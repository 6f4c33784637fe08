import type { ErrorKind } from "@millwright/core/errors";

/** What a call to a server may end with; one table for all clients. */
export const clientErrors = {
  /** Address, token file or certificate settings cannot be used as they are. */
  badConfiguration: { code: "CLIENT_BAD_CONFIGURATION", status: 400, retryable: false },
  /** No connection came about: nothing was sent. */
  unreachable: { code: "CLIENT_UNREACHABLE", status: 503, retryable: true },
  /** The TLS handshake failed, or the certificate is not one to trust. */
  untrusted: { code: "CLIENT_UNTRUSTED", status: 502, retryable: false },
  /** The connection broke, or no answer came in time, after the request was sent. */
  broken: { code: "CLIENT_BROKEN", status: 504, retryable: true },
  /** As `broken`, for a request that must not be sent twice: it may or may not have been carried out. */
  undecided: { code: "CLIENT_UNDECIDED", status: 504, retryable: false },
  badRequest: { code: "CLIENT_BAD_REQUEST", status: 400, retryable: false },
  denied: { code: "CLIENT_DENIED", status: 403, retryable: false },
  notFound: { code: "CLIENT_NOT_FOUND", status: 404, retryable: false },
  tooLarge: { code: "CLIENT_TOO_LARGE", status: 413, retryable: false },
  rateLimited: { code: "CLIENT_RATE_LIMITED", status: 429, retryable: true },
  /** The server can be reached and will not do it; its words say why. */
  refused: { code: "CLIENT_REFUSED", status: 500, retryable: false },
  serverFailed: { code: "CLIENT_SERVER_FAILED", status: 500, retryable: true },
  /** A key that is wanted as a lock is used for something else. */
  lockConflict: { code: "CLIENT_LOCK_CONFLICT", status: 409, retryable: false },
  /** The session behind a lock has ended. */
  lockLost: { code: "CLIENT_LOCK_LOST", status: 409, retryable: true },
  /** The answer is not what the protocol says: most likely another kind of server listens there. */
  badAnswer: { code: "CLIENT_BAD_ANSWER", status: 502, retryable: false },
} as const satisfies Record<string, ErrorKind>;

/** The kind that an HTTP status outside 2xx stands for. */
export function kindOfStatus(status: number): ErrorKind {
  if (status === 401 || status === 403) return clientErrors.denied;
  if (status === 404) return clientErrors.notFound;
  if (status === 413) return clientErrors.tooLarge;
  if (status === 429) return clientErrors.rateLimited;
  if (status >= 500) return clientErrors.serverFailed;
  return clientErrors.badRequest;
}
