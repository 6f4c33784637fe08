import type { ErrorKind } from "@millwright/core/errors";

/** Why a server does not start, beside what `daemonErrors` says. */
export const serverErrors = {
  /** The unseal key for development is not there, or is another's. */
  devSeal: { code: "SERVER_DEV_SEAL", status: 500, retryable: false },
  joinToken: { code: "SERVER_JOIN_TOKEN", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;
