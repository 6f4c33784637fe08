import type { ErrorKind } from "@millwright/core/errors";

/** Why a question over DNS has no answer; the client sees SERVFAIL. */
export const dnsErrors = {
  noAnswer: { code: "DNS_NO_ANSWER", status: 504, retryable: true },
} as const satisfies Record<string, ErrorKind>;
