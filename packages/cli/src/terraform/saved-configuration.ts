import type { Diagnosed } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import { loadConfiguration } from "@millwright/engine/load";
import { filesOf } from "@millwright/engine/node-files";
import type { Value } from "@millwright/value/value";
import { valuesOf } from "./apply-variables.ts";
import { staticOptions } from "./run-context.ts";
import type { Session } from "./session.ts";

/** A configuration as a saved plan, or what else outlives its source, keeps it. */
export interface KeptConfiguration {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What its TypeScript needs to be run again. */
  readonly contribution?: string;
  /** Values of the root's variables: sources of modules may be made from them. */
  readonly variables: ReadonlyMap<string, Value>;
}

/** Reads a configuration out of what was kept of it, TypeScript included. */
export async function savedConfiguration(
  session: Session,
  { files, contribution, variables }: KeptConfiguration,
): Promise<Diagnosed<Configuration>> {
  const more =
    contribution === undefined ? {} : { contribution: (await import("./stacks.ts")).restoreStacks(contribution) };
  const known = staticOptions(session, valuesOf(variables));
  return loadConfiguration(filesOf(files), { tofuFiles: true, static: known, ...more });
}
