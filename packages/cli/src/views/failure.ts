import type { Diagnostic } from "@millwright/core/diagnostics";
import type { OperationalError } from "@millwright/core/errors";

const summaries: Readonly<Record<string, string>> = {
  STATE_LOCKED: "Error acquiring the state lock",
  STATE_UNREADABLE: "The state cannot be read",
  STATE_UNWRITABLE: "Cannot write",
  JOURNAL_UNWRITABLE: "Cannot write the journal",
  PLAN_UNREADABLE: "Invalid plan file",
  STATE_NOT_LOCKED: "Failed to unlock state",
  STATE_LOCK_LOST: "The state lock was lost",
  WORKSPACES_UNSUPPORTED: "workspaces not supported",
  WORKSPACE_NAME_INVALID: "Invalid workspace name set using TF_WORKSPACE",
  STATE_SEALED: "Failed to decrypt",
  STATE_KEY_UNAVAILABLE: "The encryption key cannot be had",
  ENCRYPTION_MISCONFIGURED: "Invalid encryption configuration",
};

/** What went wrong in the world around a command, as it is shown to its user. */
export function failureDiagnostic(error: OperationalError): Diagnostic {
  return {
    severity: "error",
    summary: summaries[error.code] ?? "Cannot go on",
    detail: error.message,
    code: error.code,
  };
}
