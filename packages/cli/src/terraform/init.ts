import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { checkTerraformVersion } from "@millwright/engine/requirements";
import { overridesAtInit } from "../init/development-overrides.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import { copyModule } from "../init/copy-module.ts";
import { initializeBackend } from "../init/initialize-backend.ts";
import { InitOutput } from "../init/init-output.ts";
import { type FolderModules, installFolderModules } from "../init/install-folder-modules.ts";
import { installFolderProviders } from "../init/install-folder-providers.ts";
import { sourceSettings } from "../init/source-settings.ts";
import type { CommandIo } from "../io.ts";
import { jsonLines } from "../views/json-lines.ts";
import { backendFlags } from "./backend/init-flags.ts";
import { type CommandCall, runCommand } from "./command.ts";
import { hasConfiguration, readConfiguration } from "./folder.ts";
import { readState } from "./open-state.ts";
import { type GivenFlag, onUnlessGiven, wantsBackend, variableFlags, viewFlags } from "./options.ts";
import { type CommandStyle, Session } from "./session.ts";

const flags = {
  ...variableFlags,
  "no-color": viewFlags["no-color"],
  json: viewFlags.json,
  input: { kind: "bool", help: "Whether to ask for what is not known (default true)." },
  upgrade: {
    kind: "bool",
    help: "Install the newest versions that the constraints allow, also where others are locked.",
  },
  get: { kind: "bool", help: "Whether to install the modules that are called (default true)." },
  "from-module": {
    kind: "string",
    value: "SOURCE",
    help: "Copy this module into the folder first, which must be empty.",
  },
  "plugin-dir": {
    kind: "strings",
    value: "FOLDER",
    help: "Take providers from this folder alone, laid out as a filesystem mirror. May be given several times.",
  },
  lockfile: {
    kind: "string",
    value: "MODE",
    help: "readonly: fail where the lock file of providers would have to change.",
  },
  "test-directory": { kind: "string", value: "FOLDER", help: 'Where the tests are (default "tests").' },
  ...backendFlags,
} as const satisfies FlagTable;

/** What init was called with. */
export interface InitCall {
  readonly session: Session;
  readonly values: FlagValues<typeof flags>;
  readonly occurrences: readonly GivenFlag[];
  readonly output: InitOutput;
}

export function runInit(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "init [flags]",
      about:
        "Makes the folder ready to be worked in: installs the modules that it calls and the providers that are not built in, and notes both. Safe to run again.",
      example: "init -upgrade",
      arguments: [0, 0],
      run: async (call) => {
        const session = call.values.json ? jsonSession(call) : call.session;
        const output = new InitOutput(session);
        return session.guard(() => initialize({ ...call, session, output }));
      },
    },
    args,
    io,
    style,
  );
}

async function initialize(call: InitCall): Promise<number> {
  const { session, values, output } = call;
  const mode = values.lockfile;
  if (mode !== undefined && mode !== "readonly" && mode !== "") {
    const detail = `-lockfile=${mode} has no meaning. The only mode is readonly.`;
    await session.report([errorDiagnostic("Invalid lock file mode", detail)]);
    return 1;
  }
  if (mode === "readonly" && values.upgrade) {
    const detail =
      "An upgrade changes what the lock file says, and -lockfile=readonly forbids that. Leave one of them out.";
    await session.report([errorDiagnostic("The -upgrade flag conflicts with -lockfile=readonly", detail)]);
    return 1;
  }
  if (!(await session.report(sourceSettings(session).diagnostics))) return 1;
  if (values["from-module"] !== undefined && !(await copyModule(session, values["from-module"], output))) return 1;
  if (!hasConfiguration(session.folder)) {
    const text = `${output.name} initialized in an empty folder!\n\nThe folder has no configuration files. You may begin by writing one, such as\nmain.tf, and then run plan.`;
    await output.paragraph("output_init_empty_message", text);
    return 0;
  }
  if (!(await initializeBackend(call))) return 1;
  const folder = await modulesOf(call);
  const version = hasErrors(folder.diagnostics) ? [] : checkTerraformVersion(folder.configuration);
  if (!(await session.report([...folder.diagnostics, ...version, ...overridesAtInit(session)]))) return 1;
  // What the state still has is served by a provider too, until it is gone.
  const state = wantsBackend(call.occurrences) ? await readState(session, undefined) : undefined;
  await state?.release();
  await output.heading("initializing_provider_plugin_message", "Initializing provider plugins...");
  const diagnostics = await installFolderProviders({
    session,
    configurations: [folder.configuration, ...folder.runModules.map(({ configuration }) => configuration)],
    ...(state ? { state: state.kept.current.state } : {}),
    output,
    upgrade: values.upgrade === true,
    readonlyLock: mode === "readonly",
    pluginFolders: values["plugin-dir"].map((path) => session.path(path)),
  });
  if (!(await session.report(diagnostics))) return 1;
  await sayReady(call);
  return 0;
}

async function modulesOf({ session, values, occurrences, output }: InitCall): Promise<FolderModules> {
  if (!onUnlessGiven(occurrences, "get")) return { ...(await readConfiguration(session, occurrences)), runModules: [] };
  const upgrade = values.upgrade === true;
  const begin = () =>
    upgrade
      ? output.heading("upgrading_modules_message", "Upgrading modules...")
      : output.heading("initializing_modules_message", "Initializing modules...");
  const testDirectory = values["test-directory"];
  return installFolderModules({ session, occurrences, output, upgrade, begin, testDirectory });
}

async function sayReady({ session, output }: InitCall): Promise<void> {
  const { io, style } = session;
  await output.paragraph("output_init_success_message", `${output.name} has been successfully initialized!`, "success");
  if (io.env.TF_IN_AUTOMATION) return;
  const text = `Run "${style} plan" to see what would change. Where modules, providers or the backend change, run init again; other commands will say so if it is forgotten.`;
  await output.paragraph("output_init_success_cli_message", text);
}

function jsonSession({ session }: CommandCall<typeof flags>): Session {
  const { io, style, folder } = session;
  return new Session(io, style, folder, { noColor: true, compactWarnings: false, json: jsonLines(io) });
}
