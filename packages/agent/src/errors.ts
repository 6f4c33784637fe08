import type { ErrorKind } from "@millwright/core/errors";

/** What an agent ends with, or answers. */
export const agentErrors = {
  starting: { code: "AGENT_STARTING", status: 503, retryable: true },
  /** A configuration file cannot be read, or says what cannot be. */
  badConfiguration: { code: "AGENT_BAD_CONFIGURATION", status: 400, retryable: false },
  /** A job that the servers gave is not what this program understands. */
  badJob: { code: "AGENT_BAD_JOB", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;
