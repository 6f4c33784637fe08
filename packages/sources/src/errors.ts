import { type ErrorKind, OperationalError } from "@millwright/core/errors";

/** Why a provider or a module did not come. */
export const sourceErrors = {
  /** Nobody there has it. */
  notFound: { code: "SOURCE_NOT_FOUND", status: 404, retryable: false },
  /** There is one, and none for this platform. */
  otherPlatform: { code: "SOURCE_OTHER_PLATFORM", status: 404, retryable: false },
  /** The configuration, a setting or the lock file has to change. */
  refused: { code: "SOURCE_REFUSED", status: 400, retryable: false },
  /** Its bytes are not those that were promised, or are not signed by whom they should be. */
  untrusted: { code: "SOURCE_UNTRUSTED", status: 400, retryable: false },
  unauthorized: { code: "SOURCE_UNAUTHORIZED", status: 401, retryable: false },
  /** The server does not answer, or says that it cannot. */
  unreachable: { code: "SOURCE_UNREACHABLE", status: 502, retryable: true },
  /** The server answers, and not as its protocol has it. */
  badAnswer: { code: "SOURCE_BAD_ANSWER", status: 502, retryable: false },
  /** The machine lacks something: a program, room on its disk. */
  machine: { code: "SOURCE_MACHINE", status: 500, retryable: true },
} as const satisfies Record<string, ErrorKind>;

/** What went wrong as users are told it, also where the machine's own files are the reason. Throws what is a bug. */
export function sourceError(error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
  const advice = error.code === "ENOSPC" ? "Make room on the disk" : "Look at that path, and who may write there";
  const message = `${error.message}. ${advice}, then run it again; nothing half done was kept.`;
  return new OperationalError(sourceErrors.machine, message, { cause: error });
}
