import { Semaphore } from "@millwright/core/concurrency";
import type { CommandIo } from "../io.ts";
import { type CommandCall, runCommand } from "../terraform/command.ts";
import { keptDrift } from "../terraform/drift-log.ts";
import { driftFlags, lookForDrift, planningOf } from "../terraform/drift.ts";
import { type CommandStyle, Session } from "../terraform/session.ts";
import { driftLogText, driftPlain } from "../views/drift-report.ts";
import { misuseOfInstances } from "./flags.ts";
import { KnownStates, knownInstances, rememberedScope } from "./known-states.ts";
import { instanceSession } from "./instance-session.ts";
import { type Listing, loadListing } from "./listing.ts";
import { instanceIo } from "./one-instance.ts";
import { instancesAtOnce } from "./ready-instance.ts";
import { sectionLine } from "./render.ts";

type Call = CommandCall<typeof driftFlags>;

/** Looks for what has changed outside, over all instances that have been applied. */
export function runDriftInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: driftFlags,
      usage: "drift [flags]",
      about:
        "Reads every object of every instance again and says which are no longer what the states say; with -instance=NAME those of one. Nothing is changed. What the drift.ignore of a template lists does not count for its instances. Exits with 0 where there is no drift, 2 where there is some, 1 on errors. What was found is kept with each instance's state.",
      example: "drift -instance=network",
      arguments: [0, 0],
      run: async (call) => {
        const { session, values } = call;
        const wrong = misuseOfInstances([], { ...planningOf(values), instance: [] }, 0);
        const listing = await loadListing(session);
        if (!(await session.report([...(wrong ? [wrong] : []), ...listing.diagnostics]))) return 1;
        const states = new KnownStates(session, listing.names);
        const names: string[] = [];
        for (const name of knownInstances(session.folder, listing.list))
          if (await states.hasObjects(name)) names.push(name);
        return values.history ? showKept(call, listing, names) : look(call, listing, names);
      },
    },
    args,
    io,
    style,
  );
}

async function showKept({ session, values }: Call, { names: listFiles }: Listing, names: readonly string[]) {
  const kept = names.map((instance) => {
    const inside = instanceSession(session, rememberedScope(session.folder, instance, listFiles));
    return { instance, records: keptDrift(inside) };
  });
  const text = values.json
    ? `${JSON.stringify(kept.flatMap(({ instance, records }) => records.map((record) => ({ instance, ...record }))))}\n`
    : kept.map(({ instance, records }) => `${sectionLine(instance, session.view)}${driftLogText(records)}`).join("\n");
  await session.io.stdout(text === "" ? driftLogText([]) : text);
  return 0;
}

async function look(call: Call, listing: Listing, names: readonly string[]): Promise<number> {
  const { session, values } = call;
  const slots = new Semaphore(instancesAtOnce);
  const looked = await Promise.all(
    names.map((name) => slots.run(async () => ({ name, found: await lookAt(call, listing, name) }))),
  );
  const found = looked.flatMap((one) => (one.found ? [{ name: one.name, ...one.found }] : []));
  if (values.json) {
    const instances = Object.fromEntries(found.map(({ name, report }) => [name, driftPlain(report)]));
    await session.io.stdout(`${JSON.stringify({ format_version: "1.0", instances })}\n`);
  } else for (const { name, text } of found) await session.io.stdout(`\n${sectionLine(name, session.view)}${text}`);
  if (found.length < looked.length) return 1;
  return found.some(({ report }) => report.found.length > 0) ? 2 : 0;
}

async function lookAt({ session, values, occurrences }: Call, listing: Listing, name: string) {
  const io = await instanceIo(session, listing, name, occurrences);
  if (!io) return undefined;
  const view = { noColor: values["no-color"], compactWarnings: values["compact-warnings"] };
  const inside = new Session(io, session.style, io.cwd, view);
  return lookForDrift({ session: inside, values, occurrences });
}
