import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "@millwright/core/errors";
import type { CommandIo } from "../../io.ts";
import { nomadCommand, Refusal } from "../command.ts";
import { findJob } from "../find.ts";
import { keyValues } from "../format.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorFlags, monitorOf } from "../monitor-flags.ts";

const flags = {
  meta: { kind: "strings", value: "KEY=VALUE", help: "Meta data for the new job; may be given several times." },
  detach: { kind: "bool", help: "Return as soon as the server has the new job." },
  verbose: monitorFlags.verbose,
} as const;

/** `job dispatch`. */
export const dispatchJob = nomadCommand({
  usage: "[flags] JOB [FILE]",
  about: "Makes a job of a parameterized one, with a file (- for standard input) as its payload.",
  examples: ["job dispatch -meta=day=monday report", "job dispatch encode film.json"],
  flags,
  args: { least: 1, most: 2 },
  failure: "Error dispatching job",
  run: async (given) => {
    const { values, args, io, client } = given;
    const [prefix = "", path] = args;
    const found = await findJob(client, prefix, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const payload = path === undefined ? undefined : await payloadOf(path, io);
    const meta = metaOf(values.meta);
    const request = { ...(payload ? { payload } : {}), ...(meta ? { meta } : {}) };
    const made = await client.jobs.dispatch(found.ID, request, place);
    const rows = [["Dispatched Job ID", made.DispatchedJobID] as const];
    await io.stdout(keyValues(made.EvalID === "" ? rows : [...rows, ["Evaluation ID", made.EvalID]]));
    if (made.EvalID === "" || values.detach) return 0;
    await io.stdout("\n");
    return monitorEvaluation(made.EvalID, monitorOf(given, { namespace: found.Namespace }));
  },
});

function metaOf(given: readonly string[]): Readonly<Record<string, string>> | undefined {
  const entries = given.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new Refusal(`-meta=${text} names no value. Write -meta=KEY=VALUE.`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

async function payloadOf(path: string, io: CommandIo): Promise<Uint8Array> {
  if (path !== "-") {
    return readFile(resolve(io.cwd, path)).catch((error: unknown) => {
      throw new Refusal(`Error reading the payload ${path}: ${messageOf(error)}`);
    });
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of io.stdin) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}
