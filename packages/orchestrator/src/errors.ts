import { type ErrorKind, OperationalError } from "@millwright/core/errors";

/** What the jobs server refuses with; the message is the answer's body. */
export const orchestratorErrors = {
  badRequest: { code: "ORCHESTRATOR_BAD_REQUEST", status: 400, retryable: false },
  notFound: { code: "ORCHESTRATOR_NOT_FOUND", status: 404, retryable: false },
  denied: { code: "ORCHESTRATOR_DENIED", status: 403, retryable: false },
  /** A node that has not registered asks for something: it registers, and asks again. */
  unknownNode: { code: "ORCHESTRATOR_UNKNOWN_NODE", status: 404, retryable: false },
  /** The job is not at the index that the request enforces. Clients know it by its text. */
  conflict: { code: "ORCHESTRATOR_CONFLICT", status: 500, retryable: false },
  /** Jobs of another region are not here. */
  otherRegion: { code: "ORCHESTRATOR_OTHER_REGION", status: 500, retryable: false },
  /** What is asked for does not go as things are: a deployment that has ended is promoted. */
  refused: { code: "ORCHESTRATOR_REFUSED", status: 400, retryable: false },
  tooLarge: { code: "ORCHESTRATOR_TOO_LARGE", status: 413, retryable: false },
  notThereYet: { code: "ORCHESTRATOR_NOT_THERE_YET", status: 501, retryable: false },
  /** The node that is asked to answer cannot be reached. */
  nodeUnreachable: { code: "ORCHESTRATOR_NODE_UNREACHABLE", status: 502, retryable: true },
} as const satisfies Record<string, ErrorKind>;

/** The error of a command that does not go as things are. */
export function refusal(kind: keyof typeof orchestratorErrors, text: string): OperationalError {
  return new OperationalError(orchestratorErrors[kind], text);
}
