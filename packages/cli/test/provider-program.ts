import { silentLog, systemClock } from "@millwright/core/ports";
import { Plugin } from "@millwright/plugin/host/plugin";

/** Starts a provider's program, and gives the names of its resource types. */
export async function runProgram(program: string): Promise<readonly string[]> {
  const plugin = new Plugin({ name: program, command: [program], env: process.env, cwd: "." });
  const provider = await plugin.start({ clock: systemClock, log: silentLog });
  try {
    return [...(await provider.schema()).resources.keys()];
  } finally {
    await provider.close();
  }
}
