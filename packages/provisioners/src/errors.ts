import type { ErrorKind } from "@millwright/core/errors";

export const provisionerErrors = {
  /** The command, script or copy went wrong. */
  failed: { code: "PROVISIONER_FAILED", status: 500, retryable: false },
  /** What it needs is not there: a file, a setting of the connection. */
  misconfigured: { code: "PROVISIONER_MISCONFIGURED", status: 400, retryable: false },
  /** The other machine was not reached in time. */
  unreachable: { code: "PROVISIONER_UNREACHABLE", status: 502, retryable: true },
} as const satisfies Record<string, ErrorKind>;
