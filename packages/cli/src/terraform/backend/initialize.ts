import { isDeepStrictEqual } from "node:util";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { backendPlain, layOver } from "@millwright/backends/configure";
import type { SavedBackend, WorkingFolder } from "@millwright/backends/working-folder";
import { LocalStorage } from "@millwright/engine/backend/local-storage";
import type { StateStorage } from "@millwright/engine/backend/storage";
import { servedTerraformVersion } from "@millwright/engine/provider-pool";
import type { InitOutput } from "../../init/init-output.ts";
import type { GivenFlag } from "../options.ts";
import type { Session } from "../session.ts";
import { workingFolder } from "../workspace-of.ts";
import { type BackendBlockValue, configuredBackend, rootSettings } from "./configured.ts";
import { type MigrationOptions, migrate } from "./migrate.ts";
import { partialConfiguration } from "./partial.ts";
import { openConfigured, openSaved } from "./storage.ts";

/** What `init` was told about the folder's backend. */
export interface InitializeOptions extends MigrationOptions {
  readonly occurrences: readonly GivenFlag[];
  readonly output: InitOutput;
  /** The values of `-backend-config`, in order. */
  readonly partial: readonly string[];
  readonly change: "refuse" | "migrate" | "reconfigure";
}

/**
 * Agrees with a folder on where its states are kept, and takes states along where the place changes. False where that could not
 * be done, which was reported; nothing is agreed on then.
 */
export async function initializeBackend(session: Session, options: InitializeOptions): Promise<boolean> {
  const settings = rootSettings(session, options.occurrences);
  const block = await configuredBackend(settings.value);
  if (hasErrors(block.diagnostics)) {
    await session.report([...settings.diagnostics, ...block.diagnostics]);
    return false;
  }
  const working = workingFolder(session);
  const saved = options.change === "reconfigure" ? undefined : working.backend();
  if (!block.value) return unset(session, options, working, saved);
  const wanted = await wantedBackend(session, options, block.value);
  if (!wanted) return false;
  return agree({ session, options, working, block: block.value, saved, wanted });
}

/** The block with what the flags lay over it. */
async function wantedBackend(
  session: Session,
  { partial }: InitializeOptions,
  { type, value, hash }: BackendBlockValue,
): Promise<SavedBackend | undefined> {
  const over = partialConfiguration(session, type, partial);
  if (!(await session.report(over.diagnostics))) return undefined;
  return { type: type.name, config: backendPlain(type, layOver(value, over.value)), hash };
}

interface Agreeing {
  readonly session: Session;
  readonly options: InitializeOptions;
  readonly working: WorkingFolder;
  readonly block: BackendBlockValue;
  readonly saved: SavedBackend | undefined;
  readonly wanted: SavedBackend;
}

async function agree(agreeing: Agreeing): Promise<boolean> {
  const { session, options, working, block, saved, wanted } = agreeing;
  // Without flags, what they gave when the folder was initialised still holds.
  const unchanged = options.partial.length === 0 && saved?.type === wanted.type && saved.hash === wanted.hash;
  if (saved && (unchanged || (saved.type === wanted.type && isDeepStrictEqual(saved.config, wanted.config)))) {
    working.saveBackend({ ...saved, hash: wanted.hash }, servedTerraformVersion);
    return selectWorkspace(session, working, () => openSaved(session, saved));
  }
  if (saved && options.change !== "migrate") {
    await session.report([changed(session)]);
    return false;
  }
  const to = await openConfigured(session, block.type, wanted.config);
  if (!to) return false;
  try {
    const from = saved ? await openSaved(session, saved) : new LocalStorage({ folder: session.folder });
    if (!from) return false;
    const names = { from: saved?.type ?? "local", to: wanted.type };
    const migrated = await migrate(session, { from, to, names, working, options, old: saved ? "kept" : "emptied" });
    await from.close();
    if (!migrated) return false;
    working.saveBackend(wanted, servedTerraformVersion);
    const text = `Successfully configured the backend "${wanted.type}"! It is used until the block changes.`;
    await options.output.paragraph("backend_configured_success", text);
    return await selectWorkspace(session, working, async () => to);
  } finally {
    await to.close();
  }
}

async function unset(
  session: Session,
  options: InitializeOptions,
  working: WorkingFolder,
  saved: SavedBackend | undefined,
): Promise<boolean> {
  if (options.partial.length > 0) {
    const detail =
      'The flag -backend-config was given, and the configuration has no backend block that it could be laid over. Add one, such as: terraform { backend "http" {} }';
    await session.report([warningDiagnostic("Missing backend configuration", detail)]);
  }
  if (!saved) {
    if (options.change === "reconfigure") working.saveBackend(undefined, servedTerraformVersion);
    return true;
  }
  if (options.change !== "migrate") {
    await session.report([changed(session)]);
    return false;
  }
  const from = await openSaved(session, saved);
  if (!from) return false;
  try {
    const to = new LocalStorage({ folder: session.folder });
    const names = { from: saved.type, to: "local" };
    if (!(await migrate(session, { from, to, names, working, options, old: "kept" }))) return false;
  } finally {
    await from.close();
  }
  working.saveBackend(undefined, servedTerraformVersion);
  const text = `Successfully unset the backend "${saved.type}". The state is a file in this folder from here on.`;
  await options.output.paragraph("backend_configured_unset", text);
  return true;
}

function changed({ style }: Session) {
  const detail = `The folder was initialised with another backend, or another configuration of it. To take its states along, run "${style} init -migrate-state"; to use the new one as it is, and leave what is in the old one, run "${style} init -reconfigure".`;
  return errorDiagnostic("Backend configuration changed", detail);
}

/** The selected workspace may not be where the states are now. */
async function selectWorkspace(
  session: Session,
  working: WorkingFolder,
  open: () => Promise<StateStorage | undefined>,
): Promise<boolean> {
  const { workspace } = working;
  if (workspace === "default" || working.isWorkspaceGiven) return true;
  const storage = await open();
  if (!storage) return false;
  try {
    const there = await storage.workspaces(session.io.signal);
    if (there.includes(workspace)) return true;
    if (there.length === 1) {
      working.select("default");
      await session.io.stdout(`\nThere is no workspace "${workspace}" here; "default" is selected.\n`);
      return true;
    }
    const detail = `The selected workspace ${JSON.stringify(workspace)} has no state in the backend. Select one of ${there.join(", ")} with "${session.style} workspace select NAME", or make it with "workspace new".`;
    await session.report([errorDiagnostic("Currently selected workspace does not exist", detail)]);
    return false;
  } finally {
    await storage.close();
  }
}
