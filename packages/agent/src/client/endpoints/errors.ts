import type { ErrorKind } from "@millwright/core/errors";

/** What a node's own endpoints refuse with; the message is the answer's body. */
export const endpointErrors = {
  badRequest: { code: "NODE_ENDPOINT_BAD_REQUEST", status: 400, retryable: false },
  notFound: { code: "NODE_ENDPOINT_NOT_FOUND", status: 404, retryable: false },
  /** A path out of the allocation, or to what is nobody else's business: no token opens it. */
  prohibited: { code: "NODE_ENDPOINT_PROHIBITED", status: 400, retryable: false },
  /** A server showed another key than the one the node has now. */
  wrongKey: { code: "NODE_ENDPOINT_WRONG_KEY", status: 403, retryable: true },
} as const satisfies Record<string, ErrorKind>;
