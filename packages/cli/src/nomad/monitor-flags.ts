import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import type { FlagTable } from "../flags.ts";
import type { Given } from "./command.ts";
import type { Monitor } from "./monitor-lines.ts";

/** Of commands that tell what their change leads to. */
export const monitorFlags = {
  detach: { kind: "bool", help: "Return as soon as the server knows, and print the evaluation's id." },
  verbose: { kind: "bool", help: "Show whole ids." },
} as const satisfies FlagTable;

/** What such a command was given. */
interface Watching extends Pick<Given, "client" | "io" | "clock" | "program"> {
  readonly values: { readonly verbose: boolean };
}

/** How a command that was given this tells of a job in `place`: until the deployment has ended, where nothing else is said. */
export function monitorOf(
  { client, io, clock, program, values: { verbose } }: Watching,
  place: NomadCallOptions,
  until: Monitor["until"] = "deployed",
): Monitor {
  return { client, io, clock, program, verbose, until, place };
}
