import { badWorkspaceName, isWorkspaceName } from "@millwright/backends/working-folder";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { systemChance } from "@millwright/core/ports";
import { KeptState } from "@millwright/engine/backend/kept-state";
import { LocalSlot } from "@millwright/engine/backend/local-storage";
import { emptyState, instancesOf } from "@millwright/engine/state";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";
import { sealingOf } from "./backend/sealing.ts";
import { type OpenStorage, openStorage } from "./backend/storage.ts";
import { type CommandCall, type CommandSpec, runCommand } from "./command.ts";
import { type OpenState, take } from "./open-state.ts";
import { jsonLinesFlag, onUnlessGiven, stateFlags, viewFlags } from "./options.ts";
import type { FlagTable } from "../flags.ts";
import type { CommandStyle, Session } from "./session.ts";
import { workspaceOf } from "./workspace-of.ts";

const subcommands = { delete: runDelete, list: runList, new: runNew, select: runSelect, show: runShow };

export async function runWorkspace(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const [name, ...rest] = args;
  if (name !== undefined && Object.hasOwn(subcommands, name))
    return subcommands[name as keyof typeof subcommands](rest, io, style);
  const wantsHelp = name === undefined || /^--?h(elp)?$/.test(name);
  const near = name === undefined ? undefined : similar(name, Object.keys(subcommands));
  const text = `Usage: ${style} workspace SUBCOMMAND [flags]

Several states for one folder, a named one each. A folder for each environment,
with shared modules, is easier to see and harder to mistake: docs/state.md.

Subcommands:
  delete    Delete a workspace
  list      List workspaces
  new       Create a workspace and select it
  select    Select a workspace
  show      Show which workspace is selected

Example: ${style} workspace new staging
`;
  if (wantsHelp) await io.stdout(text);
  else
    await io.stderr(`There is no "workspace ${name}".${near ? ` Did you mean "workspace ${near}"?` : ""}\n\n${text}`);
  return wantsHelp && name !== undefined ? 0 : 1;
}

const tellingFlags = { "no-color": viewFlags["no-color"], ...jsonLinesFlag } as const;
const lockFlags = { lock: stateFlags.lock, "lock-timeout": stateFlags["lock-timeout"] } as const;

/** A command that works on the folder's storage, which is closed behind it. */
function withStorage<T extends FlagTable>(
  spec: Omit<CommandSpec<T>, "run"> & {
    run(call: CommandCall<T>, open: OpenStorage): Promise<number>;
  },
): CommandSpec<T> {
  return {
    ...spec,
    run: async (call) => {
      const open = await openStorage(call.session, call.occurrences);
      if (!open) return 1;
      try {
        return await spec.run(call, open);
      } finally {
        await open.storage.close();
      }
    },
  };
}

function runShow(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const spec: CommandSpec<typeof tellingFlags> = {
    flags: tellingFlags,
    usage: "workspace show",
    about: "Prints the name of the selected workspace.",
    example: "workspace show",
    jsonLines: true,
    arguments: [0, 0],
    run: async ({ session }) => {
      await session.say(workspaceOf(session));
      return 0;
    },
  };
  return runCommand(spec, args, io, style);
}

function runList(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const spec = withStorage({
    flags: tellingFlags,
    usage: "workspace list",
    about: "Lists the workspaces of the folder, the selected one with a star.",
    example: "workspace list",
    jsonLines: true,
    arguments: [0, 0],
    run: async ({ session }, { storage, workspace, working }) => {
      const names = await storage.workspaces(session.io.signal);
      const shown = names.map((name) => `${name === workspace ? "*" : " "} ${name}\n`).join("");
      const about = { workspaces: names, current_workspace: workspace };
      await session.say("list of workspaces", { shown, type: "workspace_list", about });
      if (working.isWorkspaceGiven) await session.say("TF_WORKSPACE says which workspace is active.");
      return 0;
    },
  });
  return runCommand(spec, args, io, style);
}

function runNew(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const state = { ...stateFlags.state, help: "Copy this state file into the new workspace." } as const;
  const spec = withStorage({
    flags: { ...tellingFlags, ...lockFlags, state },
    usage: "workspace new [flags] NAME",
    about: "Creates a workspace, with no state in it yet, and selects it.",
    example: "workspace new staging",
    jsonLines: true,
    arguments: [1, 1],
    run: async ({ session, values, args: [name = ""] }, open) => {
      const refused = refusedName(name) ?? refusedByEnvironment(session, open);
      if (refused) return report(session, refused);
      const names = await open.storage.workspaces(session.io.signal);
      if (names.includes(name))
        return report(session, [`Workspace "${name}" already exists`, "Select it with workspace select."]);
      return create(session, open, name, values.state);
    },
  });
  return runCommand(spec, args, io, style);
}

async function create(session: Session, open: OpenStorage, name: string, copied?: string): Promise<number> {
  const state = await openWorkspace(session, open, name, "none");
  if (!state) return 1;
  if (copied !== undefined) {
    const file = await readFile(session, copied);
    if (!file) return 1;
    await state.kept.put(file.current);
  } else await state.kept.put({ lineage: state.kept.lineage, serial: 1, state: emptyState, terraformVersion: "" });
  open.working.select(name);
  const { green, bold } = styleOf(session.view);
  const text = `Created and switched to workspace "${name}"!`;
  const shown = `${green(bold(text))}\n\nIts state is empty: "${session.style} plan" shows what the configuration makes in it.`;
  await session.say(text, { shown });
  return 0;
}

async function readFile(session: Session, name: string) {
  const sealing = await sealingOf(session, [], "state");
  if (!sealing) return undefined;
  const slot = new LocalSlot(session.path(name));
  const places = { from: slot, to: slot, runPath: slot.place, folder: session.folder };
  const options = { sealing, newLineage: () => systemChance.uuid(), signal: session.io.signal };
  const read = await KeptState.open(places, options);
  if (!(await session.report(read.diagnostics))) return undefined;
  if (read.value.current.lineage !== "") return read.value;
  await report(session, ["No state file was found", `There is no state at ${slot.place}.`]);
  return undefined;
}

function runSelect(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const spec = withStorage({
    flags: {
      ...tellingFlags,
      "or-create": { kind: "bool", help: "Create the workspace where there is none of that name." },
    } as const,
    usage: "workspace select [flags] NAME",
    about: "Selects the workspace that the next commands in this folder work in.",
    example: "workspace select -or-create staging",
    jsonLines: true,
    arguments: [1, 1],
    run: async ({ session, values, args: [name = ""] }, open) => {
      const refused = refusedName(name) ?? refusedByEnvironment(session, open);
      if (refused) return report(session, refused);
      if (name === open.workspace) return 0;
      const names = await open.storage.workspaces(session.io.signal);
      if (!names.includes(name))
        return values["or-create"] ? create(session, open, name) : report(session, missing(name, names));
      open.working.select(name);
      const text = `Switched to workspace "${name}".`;
      await session.say(text, { shown: styleOf(session.view).green(text) });
      return 0;
    },
  });
  return runCommand(spec, args, io, style);
}

function runDelete(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const spec = withStorage({
    flags: {
      ...tellingFlags,
      ...lockFlags,
      force: { kind: "bool", help: "Delete it also where its state has resources, which nothing manages then." },
    } as const,
    usage: "workspace delete [flags] NAME",
    about: "Deletes a workspace whose state holds nothing any more.",
    example: "workspace delete staging",
    jsonLines: true,
    arguments: [1, 1],
    run: async ({ session, values, occurrences, args: [name = ""] }, open) => {
      const names = await open.storage.workspaces(session.io.signal);
      const refused = undeletable(name, names, open.workspace);
      if (refused) return report(session, refused);
      const timeout = values["lock-timeout"] ?? 0;
      const lock = onUnlessGiven(occurrences, "lock") ? { operation: "workspace-delete", timeout } : "none";
      const state = await openWorkspace(session, open, name, lock);
      if (!state) return 1;
      const left = instancesOf(state.kept.current.state).map(({ address }) => address.text);
      // The lock of a file lies in the folder that goes with it.
      await state.release();
      if (left.length > 0 && !values.force) return report(session, notEmpty(name, left));
      await open.storage.remove(name, session.io.signal);
      const text = `Deleted workspace "${name}"!`;
      await session.say(text, { shown: styleOf(session.view).green(text) });
      if (left.length > 0)
        await session.say(
          `It was not empty: ${left.length} resource instance(s) may still exist, and no state manages them any more.`,
        );
      return 0;
    },
  });
  return runCommand(spec, args, io, style);
}

/** The state of a workspace, whichever is selected. */
async function openWorkspace(
  session: Session,
  open: OpenStorage,
  name: string,
  lock: Parameters<typeof take>[1]["lock"],
): Promise<OpenState | undefined> {
  const sealing = await sealingOf(session, [], "state");
  if (!sealing) return undefined;
  const slot = open.storage.slot(name);
  const runPath = open.type === "local" ? slot.place : open.working.runPath(name);
  return take(session, {
    places: { from: slot, to: slot, runPath, folder: session.folder },
    sealing,
    lock,
    close: () => Promise.resolve(),
  });
}

type Refusal = readonly [summary: string, detail: string];

async function report(session: Session, [summary, detail]: Refusal): Promise<number> {
  await session.report([errorDiagnostic(summary, detail)]);
  return 1;
}

function refusedName(name: string): Refusal | undefined {
  return isWorkspaceName(name) ? undefined : ["Invalid workspace name", badWorkspaceName(name)];
}

function refusedByEnvironment(_session: Session, { working, workspace }: OpenStorage): Refusal | undefined {
  if (!working.isWorkspaceGiven) return undefined;
  const detail = `TF_WORKSPACE says that the workspace is "${workspace}", whatever is selected. Unset it, or set it to another name.`;
  return ["The selected workspace is currently overridden", detail];
}

function missing(name: string, names: readonly string[]): Refusal {
  const near = similar(name, names);
  const detail = `There is no such workspace among ${names.join(", ")}.${near === undefined ? "" : ` Did you mean "${near}"?`} Make it with workspace new, or with workspace select -or-create.`;
  return [`Workspace "${name}" doesn't exist.`, detail];
}

function undeletable(name: string, names: readonly string[], current: string): Refusal | undefined {
  if (!names.includes(name)) return missing(name, names);
  if (name === current)
    return [
      `Workspace "${name}" is your active workspace.`,
      "You cannot delete the currently active workspace. Select another one first.",
    ];
  if (name === "default") return ["cannot delete default state", "The workspace default is always there."];
  return undefined;
}

function notEmpty(name: string, left: readonly string[]): Refusal {
  const list = left.map((address) => `  - ${address}`).join("\n");
  const detail = `Workspace "${name}" is currently tracking the following resource instances:\n${list}\n\nTo delete it would lose track of them, while they go on to exist. Destroy them first (destroy in that workspace), or give -force to leave them unmanaged.`;
  return ["Workspace is not empty", detail];
}
