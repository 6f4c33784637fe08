import { isDeepStrictEqual } from "node:util";
import { hasErrors } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import type { BackendType } from "@millwright/backends/backend-type";
import { backendNamed, backendPlain, openBackend } from "@millwright/backends/configure";
import type { BackendConfig } from "@millwright/backends/settings";
import type { SavedBackend, WorkingFolder } from "@millwright/backends/working-folder";
import { LocalStorage } from "@millwright/engine/backend/local-storage";
import type { StateStorage } from "@millwright/engine/backend/storage";
import type { PlanBackend } from "@millwright/engine/plan-file";
import type { GivenFlag } from "../options.ts";
import type { Session } from "../session.ts";
import { workingFolder, workspaceOf } from "../workspace-of.ts";
import { type BackendBlockValue, configuredBackend, initializationRequired, rootSettings } from "./configured.ts";

/** Where the states of a folder are kept. */
export interface OpenStorage {
  readonly storage: StateStorage;
  /** The backend's name; `local` where the folder says none. */
  readonly type: string;
  readonly workspace: string;
  readonly working: WorkingFolder;
  /** As it was agreed on with the folder, for plans; undefined for an instance of a template. */
  readonly backend?: PlanBackend;
}

/**
 * Opens where the folder's states are kept: what its block says and `init` has agreed to. Undefined where that is not so, which
 * was reported.
 */
export async function openStorage(
  session: Session,
  occurrences: readonly GivenFlag[] = [],
): Promise<OpenStorage | undefined> {
  const settings = rootSettings(session, occurrences);
  const block = await configuredBackend(settings.value);
  if (hasErrors(block.diagnostics)) {
    // What is wrong elsewhere in the files may be why the block cannot be told.
    await session.report([...settings.diagnostics, ...block.diagnostics]);
    return undefined;
  }
  const working = workingFolder(session);
  const workspace = workspaceOf(session);
  const saved = session.instance ? undefined : working.backend();
  if (!block.value && !saved) {
    const path = session.instance?.statePath;
    const storage = new LocalStorage({ folder: session.folder, ...(path === undefined ? {} : { path }) });
    const backend = session.instance ? {} : { backend: { type: "local", config: {}, workspace } };
    return { storage, type: "local", workspace, working, ...backend };
  }
  const agreed = session.instance ? agreedHere(block.value!) : agreement(block.value, saved);
  if (agreed.kind === "not yet") {
    await session.report([initializationRequired(session, agreed.reason, agreed.first)]);
    return undefined;
  }
  const storage = await openConfigured(session, agreed.type, agreed.config);
  if (!storage) return undefined;
  // Instances of one template share its backend's block, and have each a state of their own there.
  const own = session.instance && storage.keepsWorkspaces ? session.instance.name : workspace;
  const backend = { type: agreed.type.name, config: agreed.config, workspace: own };
  return { storage, type: agreed.type.name, workspace: own, working, backend };
}

/** Opens a backend; undefined where it is not configured as it must be, which was reported. */
export async function openConfigured(
  session: Session,
  type: BackendType,
  config: BackendConfig,
): Promise<StateStorage | undefined> {
  const ports = { folder: session.folder, env: session.io.env, clock: systemClock };
  const opened = await openBackend(type, config, ports);
  await session.report(opened.diagnostics);
  return opened.value;
}

/** Opens what a folder was initialised with before; undefined where this program cannot, which was reported. */
export async function openSaved(session: Session, saved: SavedBackend): Promise<StateStorage | undefined> {
  const named = await backendNamed(saved.type);
  await session.report(named.diagnostics);
  return named.value && openConfigured(session, named.value, saved.config);
}

/** Opens the backend that a plan was made with. */
export async function openPlanned(session: Session, backend: PlanBackend): Promise<OpenStorage | undefined> {
  const { type, config, workspace } = backend;
  const storage = await openSaved(session, { type, config, hash: 0 });
  return storage && { storage, type, workspace, working: workingFolder(session), backend };
}

export type Agreement =
  | { readonly kind: "agreed"; readonly type: BackendType; readonly config: BackendConfig }
  | { readonly kind: "not yet"; readonly reason: string; readonly first: boolean };

function agreedHere({ type, value }: BackendBlockValue): Agreement {
  return { kind: "agreed", type, config: backendPlain(type, value) };
}

/** Whether what the block says is what the folder was initialised with. */
export function agreement(block: BackendBlockValue | undefined, saved: SavedBackend | undefined): Agreement {
  const no = (reason: string, first = false): Agreement => ({ kind: "not yet", reason, first });
  if (!block) return no(`Unsetting the previously set backend "${saved?.type}"`);
  const { type, value, hash } = block;
  if (!saved) return no(`Initial configuration of the requested backend "${type.name}"`, true);
  if (saved.type !== type.name) return no(`Backend type changed from "${saved.type}" to "${type.name}"`);
  if (saved.hash === hash || isDeepStrictEqual(backendPlain(type, value), saved.config))
    return { kind: "agreed", type, config: saved.config };
  return no("Backend configuration block has changed");
}
