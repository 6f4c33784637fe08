import { runBackendPart } from "../terraform/backend/init-flags.ts";
import type { InitCall } from "../terraform/init.ts";
import { wantsBackend } from "../terraform/options.ts";

/** The part of init that looks after where the state is kept. False where it cannot be, which was reported. */
export async function initializeBackend({ session, values, occurrences, output }: InitCall): Promise<boolean> {
  if (!wantsBackend(occurrences)) return true;
  await output.heading("initializing_backend_message", "Initializing the backend...");
  return runBackendPart({ session, values, occurrences, output });
}
