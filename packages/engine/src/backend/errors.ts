import type { ErrorKind } from "@millwright/core/errors";

/** What can go wrong where states and plans are kept. */
export const backendErrors = {
  stateUnreadable: { code: "STATE_UNREADABLE", status: 500, retryable: false },
  stateUnwritable: { code: "STATE_UNWRITABLE", status: 500, retryable: true },
  stateLocked: { code: "STATE_LOCKED", status: 423, retryable: true },
  notLocked: { code: "STATE_NOT_LOCKED", status: 409, retryable: false },
  lockLost: { code: "STATE_LOCK_LOST", status: 409, retryable: false },
  journalUnwritable: { code: "JOURNAL_UNWRITABLE", status: 500, retryable: true },
  planUnreadable: { code: "PLAN_UNREADABLE", status: 400, retryable: false },
  workspacesUnsupported: { code: "WORKSPACES_UNSUPPORTED", status: 400, retryable: false },
  badWorkspaceGiven: { code: "WORKSPACE_NAME_INVALID", status: 400, retryable: false },
  badEncryption: { code: "ENCRYPTION_MISCONFIGURED", status: 400, retryable: false },
  sealUnopened: { code: "STATE_SEALED", status: 403, retryable: false },
  keyUnavailable: { code: "STATE_KEY_UNAVAILABLE", status: 503, retryable: true },
} as const satisfies Record<string, ErrorKind>;
