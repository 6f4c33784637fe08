import type { ErrorKind } from "@millwright/core/errors";

/** What goes wrong between the secrets server and a database. Messages name the place, and hold no secret. */
export const databaseErrors = {
  /** It cannot be reached, is starting, or takes no further connection. */
  unreachable: { code: "DATABASE_UNREACHABLE", status: 502, retryable: true },
  /** It does not let the server's own login in. */
  loginRefused: { code: "DATABASE_LOGIN_REFUSED", status: 500, retryable: false },
  /** It refused a statement; nothing of its transaction is left. */
  statementRefused: { code: "DATABASE_STATEMENT_REFUSED", status: 400, retryable: false },
  /** The login that a lease stands for is no longer there. */
  loginGone: { code: "DATABASE_LOGIN_GONE", status: 400, retryable: false },
  /** The configuration of the database was deleted. */
  unknownDatabase: { code: "DATABASE_UNKNOWN", status: 400, retryable: false },
} as const satisfies Record<string, ErrorKind>;
