import type { EngineType } from "../engine.ts";
import { refusal } from "../replies.ts";

/** What stands behind `sys/` where the table of routes has nothing. */
export function systemEngine(): EngineType {
  return {
    name: "system",
    class: "secret",
    open: async ({ mount }) => ({
      handle: async ({ path }) =>
        refusal(404, `no handler for route ${JSON.stringify(mount.path + path)}. route entry not found.`),
    }),
  };
}
