import { statSync } from "node:fs";
import { resolve } from "node:path";
import { similar } from "@millwright/core/similar";
import { listsInstances } from "../instances/list-folder.ts";
import type { CommandIo } from "../io.ts";
import { productVersion } from "../product.ts";
import { withEnvironmentArguments } from "./environment.ts";
import { programName } from "./program-name.ts";
import type { CommandStyle } from "./session.ts";

/** One subcommand; its module is loaded when it is asked for. */
interface Subcommand {
  readonly help: string;
  run(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  init: {
    help: "Prepare your working directory for other commands",
    run: async (...a) => (await import("./init.ts")).runInit(...a),
  },
  validate: {
    help: "Check whether the configuration is valid",
    run: async (...a) => (await import("./validate.ts")).runValidate(...a),
  },
  plan: {
    help: "Show changes required by the current configuration",
    run: async (...a) => (await import("./plan.ts")).runPlan(...a),
  },
  apply: { help: "Create or update infrastructure", run: async (...a) => (await import("./apply.ts")).runApply(...a) },
  destroy: {
    help: "Destroy previously-created infrastructure",
    run: async (...a) => (await import("./apply.ts")).runDestroy(...a),
  },
  console: {
    help: "Try expressions at an interactive command prompt",
    run: async (...a) => (await import("./console.ts")).runConsole(...a),
  },
  "force-unlock": {
    help: "Release a stuck lock on the current workspace",
    run: async (...a) => (await import("./force-unlock.ts")).runForceUnlock(...a),
  },
  fmt: {
    help: "Reformat your configuration in the standard style",
    run: async (...a) => (await import("./fmt.ts")).runFmt(...a),
  },
  drift: {
    help: "Show what has changed outside since the last apply",
    run: async (...a) => (await import("./drift.ts")).runDrift(...a),
  },
  get: {
    help: "Install or upgrade remote modules",
    run: async (...a) => (await import("./get.ts")).runGet(...a),
  },
  graph: {
    help: "Generate a Graphviz graph of the steps in an operation",
    run: async (...a) => (await import("./graph.ts")).runGraph(...a),
  },
  history: {
    help: "Show the runs that have changed the state",
    run: async (...a) => (await import("./history.ts")).runHistory(...a),
  },
  import: {
    help: "Associate existing infrastructure with a resource",
    run: async (...a) => (await import("./import.ts")).runImport(...a),
  },
  metadata: {
    help: "Metadata related commands",
    run: async (...a) => (await import("./metadata.ts")).runMetadata(...a),
  },
  login: {
    help: "Obtain and save credentials for a remote host",
    run: async (...a) => (await import("./login.ts")).runLogin(...a),
  },
  logout: {
    help: "Remove locally-stored credentials for a remote host",
    run: async (...a) => (await import("./login.ts")).runLogout(...a),
  },
  modules: {
    help: "Show all declared modules in a working directory",
    run: async (...a) => (await import("./modules.ts")).runModules(...a),
  },
  output: {
    help: "Show output values from your root module",
    run: async (...a) => (await import("./output.ts")).runOutput(...a),
  },
  providers: {
    help: "Show the providers required for this configuration",
    run: async (...a) => (await import("./providers.ts")).runProviders(...a),
  },
  refresh: {
    help: "Update the state to match remote systems",
    run: async (...a) => (await import("./apply.ts")).runRefresh(...a),
  },
  revert: {
    help: "Go back to how everything was after an earlier run",
    run: async (...a) => (await import("./revert.ts")).runRevert(...a),
  },
  show: {
    help: "Show the current state or a saved plan",
    run: async (...a) => (await import("./show.ts")).runShow(...a),
  },
  state: { help: "Advanced state management", run: async (...a) => (await import("./state.ts")).runState(...a) },
  taint: {
    help: "Mark a resource instance as not fully functional",
    run: async (...a) => (await import("./taint.ts")).runTaint(...a),
  },
  untaint: {
    help: "Remove the 'tainted' state from a resource instance",
    run: async (...a) => (await import("./taint.ts")).runUntaint(...a),
  },
  test: {
    help: "Execute integration tests for the configuration's modules",
    run: async (...a) => (await import("./test.ts")).runTestCommand(...a),
  },
  workspace: {
    help: "Workspace management",
    run: async (...a) => (await import("./workspace.ts")).runWorkspace(...a),
  },
  version: { help: "Show the current version", run: async (...a) => (await import("./version.ts")).runVersion(...a) },
};

/** Commands of other versions, or for services that this program does not work with: what to do instead. */
const refused: Readonly<Record<string, string>> = {
  cloud: "It is for HCP Terraform, a hosted service that this program does not work with.",
  push: "It sent configurations to an early version of a hosted service, and Terraform no longer has it either.",
  query:
    "It lists what exists by *.tfquery.hcl files, from Terraform 1.14 on. To take over what exists, write import blocks, and let plan -generate-config-out=FILE write the configuration.",
  rpcapi: "It is for programs of the maker of Terraform.",
  stacks:
    "It is for Stacks of HCP Terraform, a hosted service. One configuration many times, each with inputs and a state of its own, is a list of instances (*.instances.hcl): docs/instances.md.",
};

/** Runs one line of the command line of Terraform and OpenTofu: `-chdir=DIR`, then a subcommand with its own flags. */
export async function runTerraform(args: readonly string[], given: CommandIo, style: CommandStyle): Promise<number> {
  const rest = [...args];
  const io = withLogPath(given);
  let folder = io.cwd;
  while (rest[0]?.startsWith("-")) {
    const flag = rest.shift()!.replace(/^--/, "-");
    if (flag.startsWith("-chdir=")) folder = resolve(folder, flag.slice(7));
    else if (flag === "-version" || flag === "-v") rest.unshift("version");
    else if (flag === "-help" || flag === "-h") {
      if (rest[0] === undefined || !Object.hasOwn(subcommands, rest[0])) return usage(io, style, 0);
      rest.push("-help");
    } else {
      await io.stderr(
        `The flag ${flag} is not known here. Flags of a subcommand come after its name; before it are -chdir=DIR, -help and -version.\n`,
      );
      return 1;
    }
    if (rest[0] === "version") break;
  }
  if (!isFolder(folder)) {
    await io.stderr(`Error handling -chdir option: there is no folder ${folder}.\n`);
    return 1;
  }
  // An old name of the same command.
  if (rest[0] === "env") {
    rest[0] = "workspace";
    await io.stderr('Warning: "env" is an old name of the command "workspace".\n\n');
  }
  const name = rest.shift();
  if (name === undefined) return usage(io, style, 127);
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand) {
    const words = withEnvironmentArguments(name, rest, io.env);
    if (words.kind === "arguments") {
      if (io.env.TF_LOG || io.env.TF_LOG_CORE) await logCommand(name, words.args, io);
      return runIn(name, subcommand, words.args, { ...io, cwd: folder }, style);
    }
    const { renderDiagnostic } = await import("../views/diagnostics.ts");
    await io.stderr(renderDiagnostic(words.diagnostic, io.view));
    return 1;
  }
  const why = Object.hasOwn(refused, name) ? refused[name] : undefined;
  if (why !== undefined) {
    await io.stderr(`The command "${name}" is not supported. ${why}\n`);
    return 1;
  }
  const near = similar(name, Object.keys(subcommands));
  await io.stderr(
    `${programName(style)} has no command named "${name}".${near ? ` Did you mean "${near}"?` : ""}\n\nTo see all of its top-level commands, run:\n  ${style} -help\n\n`,
  );
  return 1;
}

// A log is where the program was started, whatever folder it then works in.
function withLogPath(io: CommandIo): CommandIo {
  const { TF_LOG_PATH: path } = io.env;
  return path ? { ...io, env: { ...io.env, TF_LOG_PATH: resolve(io.cwd, path) } } : io;
}

async function logCommand(name: string, args: readonly string[], io: CommandIo): Promise<void> {
  const { debugLog, loggedArguments, unknownLogLevel } = await import("./debug-log.ts");
  const log = debugLog("core", io.env, (text) => void io.stderr(text));
  const wrong = unknownLogLevel(io.env);
  if (wrong !== undefined) log.write("warn", wrong);
  log.write("info", `Millwright ${productVersion}, Node ${process.version}`);
  log.write("info", `Command: ${name} ${loggedArguments(args)}`.trimEnd());
}

// A folder that lists instances of templates has a state for each of them, which most commands ask after.
async function runIn(
  name: string,
  { run }: Subcommand,
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  if (!listsInstances(io.cwd)) return run(args, io, style);
  const { runInInstances } = await import("../instances/main.ts");
  return runInInstances({ name, run }, args, io, style);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

async function usage(io: CommandIo, style: CommandStyle, code: number): Promise<number> {
  const width = 2 + Math.max(...Object.keys(subcommands).map((name) => name.length));
  const lines = Object.entries(subcommands).map(([name, { help }]) => `  ${name.padEnd(width)}${help}`);
  await io.stdout(`Usage: ${style} [global options] <subcommand> [args]

${style === "tofu" ? "OpenTofu" : "Terraform"}'s command line, served by Millwright v${productVersion}.

Subcommands:
${lines.join("\n")}

Global options (use these before the subcommand, if any):
  -chdir=DIR    Switch to a different working directory before executing the
                given subcommand.
  -help         Show this help output, or the help for a specified subcommand.
  -version      An alias for the "version" subcommand.

Example: ${style} -chdir=infra plan -out=change.plan
`);
  return code;
}
