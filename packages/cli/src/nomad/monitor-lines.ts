import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import type { Clock } from "@millwright/core/ports";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";
import { id } from "./format.ts";

/** What follows an evaluation needs to know and to say. */
export interface Monitor {
  readonly client: NomadClient;
  readonly io: CommandIo;
  readonly clock: Clock;
  /** `nomad` or `millwright`, for the commands that it names. */
  readonly program: string;
  readonly verbose: boolean;
  /** Whether the deployment that an evaluation belongs to is followed, too. */
  readonly until: "evaluated" | "deployed";
  /** Region and namespace of the job. */
  readonly place: NomadCallOptions;
}

export const pollMilliseconds = 500;

/** A line that begins a part. */
export async function heading(io: CommandIo, text: string): Promise<void> {
  await io.stdout(`${styleOf(io.view).bold("==>")} ${text}\n`);
}

/** A line within a part. */
export async function line(io: CommandIo, text: string): Promise<void> {
  await io.stdout(`    ${text}\n`);
}

/** An id as it is shown, in quotes. */
export function quoted(whole: string, detail: Pick<Monitor, "verbose">): string {
  return `"${id(whole, detail)}"`;
}
