import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";

/** What a server that keeps states answered that is no success, in its own words. */
export class StorageFailure extends Error {
  override readonly name = "StorageFailure";
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Does something with a state; where its storage fails, the error is of that kind, and says where the state is and why. */
export async function explained<T>(
  kind: "stateUnreadable" | "stateUnwritable",
  place: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StorageFailure || error instanceof OperationalError)) throw error;
    const text = `The state ${place} cannot be ${kind === "stateUnreadable" ? "read" : "written"}: ${messageOf(error)}`;
    throw new OperationalError(backendErrors[kind], text, { cause: error });
  }
}
