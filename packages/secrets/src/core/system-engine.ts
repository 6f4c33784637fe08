import type { EngineType } from "../engine.ts";
import { refusal } from "../replies.ts";

/** What stands behind `sys/` where the table of routes has nothing. */
export function systemEngine(): EngineType {
  return {
    name: "system",
    class: "secret",
    open: async () => ({ handle: async () => refusal(404, "1 error occurred:\n\t* unsupported path\n\n") }),
  };
}
