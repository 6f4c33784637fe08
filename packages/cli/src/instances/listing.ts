import { readdirSync } from "node:fs";
import { basename } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { wholeFile } from "@millwright/core/source";
import type { InstanceList } from "@millwright/engine/instances/list";
import { isInstanceListName } from "@millwright/engine/instances/list";
import { loadInstances } from "@millwright/engine/instances/load";
import { filesBelow, filesOf, RecordingFiles } from "@millwright/engine/node-files";
import type { SavedInstancesPlan } from "@millwright/engine/instances/plan-file";
import { hasConfiguration } from "../terraform/folder.ts";
import type { Session } from "../terraform/session.ts";

/** The list of a folder as it was read, and what a saved plan keeps of it. */
export interface Listing {
  readonly list: InstanceList;
  /** The files in HCL, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What those in TypeScript need to be run again. */
  readonly contribution?: string;
  /** Every file of the list, as messages name it. */
  readonly names: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the list of instances of the session's folder. */
export async function loadListing(session: Session): Promise<Listing> {
  const files = new RecordingFiles(filesBelow(session.folder));
  const own = readdirSync(session.folder).filter(isInstanceListName).sort();
  const typescript = own.filter((name) => name.endsWith(".ts"));
  const source = typescript.length === 0 ? undefined : await runLists(session.folder, typescript);
  for (const note of source?.notes ?? []) await session.io.stderr(`${note}\n`);
  const { value: list, diagnostics } = loadInstances(files, source?.contribution);
  const both = hasConfiguration(session.folder) ? [alsoConfigured(own[0]!, session.folder)] : [];
  return {
    list,
    files: files.snapshot,
    names: new Set([...own, ...(source?.sources.keys() ?? [])]),
    diagnostics: [...(source?.diagnostics ?? []), ...diagnostics, ...both],
    ...(source ? { contribution: source.saved } : {}),
  };
}

/** The list that a saved plan was made from. */
export async function restoreListing(saved: SavedInstancesPlan): Promise<Listing> {
  const { contribution } = saved;
  const restored =
    contribution === undefined ? undefined : (await import("../terraform/stacks.ts")).restoreStacks(contribution);
  const { value: list, diagnostics } = loadInstances(filesOf(saved.files), restored);
  const written = [...list.instances.values()].flatMap(({ range, inputs }) => [
    range.filename,
    ...[...inputs.values()].map(({ expression }) => expression.file.name),
  ]);
  return { list, files: saved.files, names: new Set([...saved.files.keys(), ...written]), diagnostics };
}

async function runLists(folder: string, names: readonly string[]) {
  const { runStacks } = await import("../terraform/stacks.ts");
  return runStacks(folder, names);
}

function alsoConfigured(name: string, folder: string): Diagnostic {
  const detail = `The folder ${basename(folder)} lists instances, and has a configuration of its own (.tf or .stack.ts files). Move the configuration into a folder below and list it as an instance.`;
  return errorDiagnostic("List of instances beside a configuration", detail, { subject: wholeFile(name) });
}
