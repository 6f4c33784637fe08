import type { ErrorKind } from "@millwright/core/errors";

/** What can go wrong where states and plans are kept. */
export const backendErrors = {
  stateUnreadable: { code: "STATE_UNREADABLE", status: 500, retryable: false },
  stateUnwritable: { code: "STATE_UNWRITABLE", status: 500, retryable: true },
  stateLocked: { code: "STATE_LOCKED", status: 423, retryable: true },
  journalUnwritable: { code: "JOURNAL_UNWRITABLE", status: 500, retryable: true },
  planUnreadable: { code: "PLAN_UNREADABLE", status: 400, retryable: false },
} as const satisfies Record<string, ErrorKind>;
