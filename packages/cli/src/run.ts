import { statSync } from "node:fs";
import { OperationalError } from "@millwright/core/errors";
import { similar } from "@millwright/core/similar";
import type { CommandIo } from "./io.ts";
import type { JobGroup } from "./nomad/main.ts";
import type { SecretGroup } from "./vault/main.ts";
import { processIo } from "./process-io.ts";

/** One command: what it does in a line, and the module that does it, loaded when it is asked for. */
interface Command {
  readonly help: string;
  readonly group: "infrastructure" | "services" | "tools";
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

const terraform = (name: string, help: string): Command => ({
  help,
  group: "infrastructure",
  run: async (args, io) => (await import("./terraform/main.ts")).runTerraform([name, ...args], io, "millwright"),
});

const secretGroup = (group: SecretGroup, help: string): Command => ({
  help,
  group: "services",
  run: async (args, io) => (await import("./vault/main.ts")).runSecretGroup(group, args, io),
});

const jobGroup = (group: JobGroup, help: string): Command => ({
  help,
  group: "services",
  run: async (args, io) => (await import("./nomad/main.ts")).runJobGroup(group, args, io),
});

const discovery = (name: "services" | "lock" | "watch", help: string): Command => ({
  help,
  group: "services",
  run: async (args, io) => (await import("./consul/main.ts")).runDiscoveryCommand(name, args, io, "millwright"),
});

const commands: Readonly<Record<string, Command>> = {
  init: terraform("init", "Make a folder ready: install its modules and providers"),
  plan: terraform("plan", "Show what would change, and save it"),
  apply: terraform("apply", "Carry out a plan"),
  destroy: terraform("destroy", "Remove everything that the state holds"),
  drift: terraform("drift", "Show what has changed outside since the last apply"),
  history: terraform("history", "Show the runs that have changed a folder's state"),
  revert: terraform("revert", "Go back to how everything was after an earlier run"),
  show: terraform("show", "Show the state or a saved plan"),
  output: terraform("output", "Print the outputs of the last apply"),
  state: terraform("state", "List, show, move and remove what the state holds"),
  import: terraform("import", "Take over an object that exists already"),
  taint: terraform("taint", "Mark an instance, so that the next apply replaces it"),
  untaint: terraform("untaint", "Take that mark away"),
  refresh: terraform("refresh", "Take over into the state what has changed outside"),
  validate: terraform("validate", "Check a folder without looking at the world"),
  fmt: terraform("fmt", "Lay files out in the standard form"),
  console: terraform("console", "Evaluate expressions"),
  providers: terraform("providers", "Show, lock and mirror the providers of a folder"),
  modules: terraform("modules", "List the modules that a folder calls"),
  get: terraform("get", "Install the modules that a folder calls, and nothing else"),
  test: terraform("test", "Run the tests of a folder's configuration"),
  graph: terraform("graph", "Print the graph of a folder in DOT form"),
  workspace: terraform("workspace", "Keep several states for one folder"),
  "force-unlock": terraform("force-unlock", "Take a lock away whose holder has died"),
  login: terraform("login", "Get a token of a host, and keep it"),
  logout: terraform("logout", "Remove the token of a host"),
  metadata: terraform("metadata", "List all functions with their types, as JSON"),
  version: terraform("version", "Show the versions of the program and of its providers"),
  provider: {
    help: "Serve a provider to Terraform and OpenTofu, or build it",
    group: "infrastructure",
    run: async (args, io) => (await import("./commands/provider.ts")).runProvider(args, io),
  },
  types: {
    help: "Write the types of a folder's providers for editors",
    group: "infrastructure",
    run: async (args, io) => (await import("./commands/types.ts")).runTypes(args, io),
  },
  dev: {
    help: "Run a server and an agent here, with data in .millwright",
    group: "services",
    run: async (args, io) => (await import("./commands/dev.ts")).runDev(args, io),
  },
  server: {
    help: "Run the built-in servers (-dev: in memory, on this machine)",
    group: "services",
    run: async (args, io) => (await import("./commands/server.ts")).runServer(args, io),
  },
  agent: {
    help: "Run a node: checks, names, Consul's HTTP API on this machine",
    group: "services",
    run: async (args, io) => (await import("./commands/agent.ts")).runAgent(args, io),
  },
  job: jobGroup("job", "Plan, run, show and stop jobs"),
  alloc: jobGroup("alloc", "Show allocations, their output and files; stop, restart them"),
  node: jobGroup("node", "Show nodes that run work, and take them out of use"),
  deployment: jobGroup("deployment", "Show how new versions of jobs are rolled out"),
  eval: jobGroup("eval", "Show what the scheduler decided, and why"),
  kv: {
    help: "Read and write keys",
    group: "services",
    run: async (args, io) => (await import("./commands/kv.ts")).runKv([...args], io, "millwright"),
  },
  services: discovery("services", "List, show, register and deregister services"),
  lock: discovery("lock", "Run a command while a lock is held"),
  watch: discovery("watch", "Run a command at each change of keys, services or checks"),
  template: {
    help: "Render templates from keys, services and secrets",
    group: "services",
    run: async (args, io) =>
      (await import("./consul-template/main.ts")).runConsulTemplate(args, io, "millwright template"),
  },
  secret: secretGroup("secret", "Read and write secrets, and get credentials"),
  lease: secretGroup("lease", "Renew, revoke and show leases"),
  policy: secretGroup("policy", "Read and write policies of the secrets server"),
  token: secretGroup("token", "Make, show, renew and end tokens"),
  auth: secretGroup("auth", "Enable and list ways to log in"),
  audit: secretGroup("audit", "Enable and list audit devices"),
  operator: secretGroup("operator", "Initialise, unseal and seal the secrets server"),
  terraform: {
    help: "Terraform's command line",
    group: "tools",
    run: async (args, io) => (await import("./terraform/main.ts")).runTerraform(args, io, "terraform"),
  },
  tofu: {
    help: "OpenTofu's command line",
    group: "tools",
    run: async (args, io) => (await import("./terraform/main.ts")).runTerraform(args, io, "tofu"),
  },
  consul: {
    help: "Consul's command line",
    group: "tools",
    run: async (args, io) => (await import("./commands/consul.ts")).runConsul(args, io),
  },
  "consul-template": {
    help: "consul-template's command line",
    group: "tools",
    run: async (args, io) => (await import("./consul-template/main.ts")).runConsulTemplate(args, io, "consul-template"),
  },
  nomad: {
    help: "Nomad's command line",
    group: "tools",
    run: async (args, io) => (await import("./nomad/main.ts")).runNomad(args, io),
  },
  vault: {
    help: "Vault's command line",
    group: "tools",
    run: async (args, io) => (await import("./vault/main.ts")).runVault(args, io),
  },
};

const groups = { infrastructure: "A folder of infrastructure", services: "Services", tools: "Known tools" } as const;

/** Runs one command line and gives its exit code. Operational errors are said on standard error; bugs too, with their stack. */
export async function main(args: readonly string[], version: string): Promise<number> {
  const io = processIo();
  const [name, ...rest] = args;
  enterFolder(args.slice(0, 2));
  if (name === undefined || name === "help" || name === "-h" || name === "-help" || name === "--help") {
    if (rest[0] !== undefined && Object.hasOwn(commands, rest[0])) return main([...rest, "-help"], version);
    await io.stdout(usage(version));
    return name === undefined ? 127 : 0;
  }
  if (/^--?chdir=/.test(name))
    return guarded(io, async () => (await import("./terraform/main.ts")).runTerraform(args, io, "millwright"));
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) return unknown(name, io);
  return guarded(io, () => command.run(rest, io));
}

/** Providers that run in this process find files as their users mean them: from the folder that -chdir names. */
function enterFolder(words: readonly string[]): void {
  const named = words.find((word) => /^--?chdir=/.test(word));
  const folder = named?.slice(named.indexOf("=") + 1);
  if (folder !== undefined && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) process.chdir(folder);
}

/** Runs a command; what it throws is said on standard error, with the stack where it is a bug. */
async function guarded(io: CommandIo, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (isInterrupt(error, io.signal))
      await io.stderr("\nInterrupted. What was not finished is not there; run the command again.\n");
    else if (error instanceof OperationalError) {
      const { renderDiagnostic } = await import("./views/diagnostics.ts");
      const { failureDiagnostic } = await import("./views/failure.ts");
      await io.stderr(renderDiagnostic(failureDiagnostic(error), io.view));
    } else {
      const what = error instanceof Error ? error.stack : String(error);
      await io.stderr(`This is a bug in Millwright, please report it:\n${what}\n`);
    }
    return 1;
  }
}

// What is waited for when ^C comes rejects with the signal's reason, or with an error of that name.
function isInterrupt(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}

async function unknown(name: string, io: CommandIo): Promise<number> {
  const near = similar(name, Object.keys(commands));
  const hint = near ? `Did you mean "millwright ${near}"?` : 'Run "millwright --help" for the list of commands.';
  await io.stderr(`There is no command "${name}". ${hint}\n`);
  return 127;
}

function usage(version: string): string {
  const lines = [
    `Millwright v${version}: one graph and one plan for a small data center.`,
    "",
    "Usage: millwright COMMAND [flags]",
    "",
  ];
  for (const [group, title] of Object.entries(groups)) {
    lines.push(`${title}:`);
    for (const [name, command] of Object.entries(commands))
      if (command.group === group) lines.push(`  ${name.padEnd(17)}${command.help}`);
    lines.push("");
  }
  lines.push(
    'Each command explains itself: "millwright plan --help".',
    "Example: millwright plan -out=change.plan && millwright apply change.plan",
    "",
  );
  return lines.join("\n");
}
