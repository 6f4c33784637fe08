import type { ErrorKind } from "@millwright/core/errors";

/** What the secrets server refuses with, apart from what an engine answers. */
export const secretsErrors = {
  badRequest: { code: "SECRETS_BAD_REQUEST", status: 400, retryable: false },
  denied: { code: "SECRETS_DENIED", status: 403, retryable: false },
  unknownPath: { code: "SECRETS_UNKNOWN_PATH", status: 404, retryable: false },
  wrongMethod: { code: "SECRETS_WRONG_METHOD", status: 405, retryable: false },
  tooLarge: { code: "SECRETS_TOO_LARGE", status: 413, retryable: false },
  /** What a lease stands for could not be taken back: it is tried again by itself. */
  revocationFailed: { code: "SECRETS_REVOCATION_FAILED", status: 500, retryable: true },
  /** An address that was configured does not answer as it should. */
  unreachable: { code: "SECRETS_UNREACHABLE", status: 502, retryable: true },
  sealed: { code: "SECRETS_SEALED", status: 503, retryable: true },
  notInitialized: { code: "SECRETS_NOT_INITIALIZED", status: 400, retryable: false },
  alreadyInitialized: { code: "SECRETS_ALREADY_INITIALIZED", status: 400, retryable: false },
  /** No audit device could take the line, so the request is not carried out. */
  auditFailed: { code: "SECRETS_AUDIT_FAILED", status: 500, retryable: true },
  /** A record of the store does not decrypt, or is of another version. */
  damaged: { code: "SECRETS_DAMAGED", status: 500, retryable: false },
  /** Other servers kept changing what this request needs unchanged. */
  contended: { code: "SECRETS_CONTENDED", status: 503, retryable: true },
  /** The store does not catch up. */
  storeBehind: { code: "SECRETS_STORE_BEHIND", status: 503, retryable: true },
} as const satisfies Record<string, ErrorKind>;
