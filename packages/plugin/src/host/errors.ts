import type { ErrorKind } from "@millwright/core/errors";

/** What can go wrong between this program and a provider that is a program of its own. */
export const pluginErrors = {
  /** It could not be started, or did not say in time how to reach it, or says what cannot be understood. */
  notStarted: { code: "PLUGIN_NOT_STARTED", status: 502, retryable: false },
  /** Its process has ended while a call was under way, or before it. */
  crashed: { code: "PLUGIN_CRASHED", status: 502, retryable: true },
  /** It lives, and a call failed all the same. */
  callFailed: { code: "PLUGIN_CALL_FAILED", status: 502, retryable: false },
  /** It does not know the call. */
  unknownCall: { code: "PLUGIN_UNKNOWN_CALL", status: 501, retryable: false },
} as const satisfies Record<string, ErrorKind>;
