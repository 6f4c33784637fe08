import type { ErrorKind } from "@millwright/core/errors";

/** Why a template is not rendered, though it is right. */
export const renderErrors = {
  unreadable: { code: "RENDER_UNREADABLE", status: 404, retryable: true },
  unwritable: { code: "RENDER_UNWRITABLE", status: 500, retryable: false },
  commandFailed: { code: "RENDER_COMMAND_FAILED", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;
