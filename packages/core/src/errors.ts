/** A broken promise of the program itself: thrown, loud, and not caught to be ignored. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** Throws {@link Bug} with `why` unless `condition` holds. */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Bug(why);
}

/** The end of an exhaustive switch: the compiler proves it unreachable, and at run time it is a {@link Bug}. */
export function assertNever(value: never): never {
  throw new Bug(`unexpected variant: ${JSON.stringify(value)}`);
}

/** What a coded error is, once for all its occurrences. */
export interface ErrorKind {
  /** Upper snake case and unique in the program, e.g. `STORE_COMPACTED`. */
  readonly code: string;
  /** The HTTP status it becomes on a wire, where it reaches one. */
  readonly status: number;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
}

/**
 * An operational error: the world was not as the call needs it (a full disk, an unreachable server, a lost lock).
 * `message` says what, where, and what to do.
 */
export class OperationalError extends Error {
  override readonly name = "OperationalError";
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  get code(): string {
    return this.kind.code;
  }
}

/** Whether `error` is the operational error of that kind. */
export function isKind(error: unknown, kind: ErrorKind): error is OperationalError {
  return error instanceof OperationalError && error.kind.code === kind.code;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
