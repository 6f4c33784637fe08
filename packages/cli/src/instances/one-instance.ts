import { resolve } from "node:path";
import { evaluateInputs } from "@millwright/engine/instances/evaluate";
import { readRecord } from "@millwright/engine/instances/record";
import type { VariableSource } from "@millwright/engine/variables";
import type { Value } from "@millwright/value/value";
import type { CommandIo } from "../io.ts";
import type { GivenFlag } from "../terraform/options.ts";
import type { CommandStyle } from "../terraform/session.ts";
import { Session } from "../terraform/session.ts";
import { instanceScope } from "./instance-session.ts";
import { KnownStates, rememberedInputs } from "./known-states.ts";
import { listValues, listVariables } from "./list-values.ts";
import { type Listing, loadListing } from "./listing.ts";
import { noSuchInstance } from "./tasks.ts";

type Run = (args: readonly string[], io: CommandIo, style: CommandStyle) => Promise<number>;

/** Runs an ordinary command on one instance: in its template's folder, with its state and its inputs. */
export async function runInInstance(
  command: { readonly name: string; readonly run: Run },
  name: string,
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const session = new Session(io, style, io.cwd, { noColor: false, compactWarnings: false });
  let scoped: CommandIo | undefined;
  const code = await session.guard(async () => {
    const listing = await loadListing(session);
    if (!(await session.report(listing.diagnostics))) return 1;
    scoped = await instanceIo(session, listing, name);
    return scoped ? 0 : 1;
  });
  return scoped ? command.run(args, scoped, style) : code;
}

/**
 * What an ordinary command is given to work on one instance: its template's folder, its state and its inputs. `occurrences` are what
 * the list's own variables are given by. Undefined where there is no such instance, which was reported.
 */
export async function instanceIo(
  session: Session,
  listing: Listing,
  name: string,
  occurrences: readonly GivenFlag[] = [],
): Promise<CommandIo | undefined> {
  const { list, names } = listing;
  const record = readRecord(session.folder, name);
  const template = list.instances.get(name)?.template ?? record?.template;
  if (template === undefined) {
    await session.report([noSuchInstance(name, list.instances.keys())]);
    return undefined;
  }
  const inputs = await inputsOf(session, listing, name, occurrences);
  const files = record && !list.instances.has(name) ? { files: record.files } : {};
  const scope = instanceScope(session.folder, { name, template, inputs, listFiles: names, ...files });
  return { ...session.io, cwd: resolve(session.folder, template), instance: scope };
}

/** The inputs as the list says them with the outputs that there are now; for what is not known, those of the last apply. */
async function inputsOf(
  session: Session,
  { list, names }: Listing,
  name: string,
  occurrences: readonly GivenFlag[],
): Promise<readonly VariableSource[]> {
  const listed = list.instances.get(name);
  if (!listed) return rememberedInputs(readRecord(session.folder, name));
  const states = new KnownStates(session, names);
  const outputs = new Map<string, Value>();
  for (const other of listed.dependencies) outputs.set(other, (await states.outputs(other)) ?? states.nothingYet);
  const { value: variables } = await listVariables(session, list, occurrences, false);
  const of = (other: string) => outputs.get(other) ?? states.nothingYet;
  const { value } = evaluateInputs(
    list,
    listed,
    listValues({ session, list, variables, applying: false, outputs: of }),
  );
  return value;
}
