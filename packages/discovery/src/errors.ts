import type { ErrorKind } from "@millwright/core/errors";

/** What the discovery server refuses with, beside `recordsErrors`; the message is the answer's body. */
export const discoveryErrors = {
  badRequest: { code: "DISCOVERY_BAD_REQUEST", status: 400, retryable: false },
  denied: { code: "DISCOVERY_DENIED", status: 403, retryable: false },
  /** The token that was given is not known. */
  unknownToken: { code: "DISCOVERY_UNKNOWN_TOKEN", status: 403, retryable: false },
  /** A node may not join: its join token is wrong, or this server takes none in. */
  joinRefused: { code: "DISCOVERY_JOIN_REFUSED", status: 403, retryable: false },
  /** A node's name belongs to another node that is alive. */
  nameTaken: { code: "DISCOVERY_NAME_TAKEN", status: 409, retryable: false },
  tooLarge: { code: "DISCOVERY_TOO_LARGE", status: 413, retryable: false },
  /** A session cannot be made as things are: its node or a check is not there, or critical. */
  refusedSession: { code: "DISCOVERY_REFUSED_SESSION", status: 500, retryable: false },
  /** A lock was asked for with a session that is not there. */
  invalidSession: { code: "DISCOVERY_INVALID_SESSION", status: 500, retryable: false },
  /** What is asked for is part of the API, and not of this version. */
  notThereYet: { code: "DISCOVERY_NOT_THERE_YET", status: 501, retryable: false },
  unknownDatacenter: { code: "DISCOVERY_UNKNOWN_DATACENTER", status: 500, retryable: false },
  damagedArchive: { code: "DISCOVERY_DAMAGED_ARCHIVE", status: 400, retryable: false },
} as const satisfies Record<string, ErrorKind>;
