import type { ErrorKind } from "@millwright/core/errors";

export const driverErrors = {
  /** The job's `config` cannot be used as it stands: trying again does not help. */
  configuration: { code: "DRIVER_CONFIGURATION", status: 400, retryable: false },
  /** The machine lacks what the task needs: a program, an engine. */
  missing: { code: "DRIVER_MISSING", status: 500, retryable: false },
  /** It did not start this time. */
  failed: { code: "DRIVER_FAILED", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;
