import { runNomad } from "../src/nomad/main.ts";
import { fakeNomad, type Routes, type SeenRequest } from "./fake-nomad.ts";
import { type CommandOutcome, type CommandSetting, outcomeOf } from "./kv-io.ts";
import { now } from "./nomad-records.ts";

export interface NomadOutcome extends CommandOutcome {
  /** What the server was asked. */
  readonly seen: readonly SeenRequest[];
}

/** Runs a line of Nomad's command line against a server that gives the answers of a table, at the time of the records. */
export async function runAgainst(
  routes: Routes,
  args: readonly string[],
  setting: CommandSetting = {},
): Promise<NomadOutcome> {
  const fake = await fakeNomad(routes);
  try {
    const env = { NOMAD_ADDR: fake.address, ...setting.env };
    return { ...(await outcomeOf((io) => runNomad(args, io, clock), { ...setting, env })), seen: fake.seen };
  } finally {
    await fake.close();
  }
}

/** A clock on which nobody waits. */
const clock = { now: () => now, monotonic: () => 0, sleep: async () => undefined };

/** What was sent to a route, the last of it; throws where nothing was. */
export function sent({ seen }: NomadOutcome, route: string): SeenRequest {
  const request = seen.findLast(({ method, path }) => `${method} ${path}` === route);
  if (!request) throw new Error(`nothing was sent to ${route}`);
  return request;
}
