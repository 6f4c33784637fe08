import { similar } from "@millwright/core/similar";
import type { FlagOrder, FlagTable } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { type ProgramName, runServiceCommand, type ServiceCommand } from "./command.ts";

/** Runs one command under the name it was called by; resolves to the exit code. */
type Runner = (args: readonly string[], io: CommandIo, program: ProgramName) => Promise<number>;

/** A command of a group: its line in the overview, and where it is. */
interface Member {
  readonly about: string;
  readonly run: Runner;
}

const control = () => import("./agent-control.ts");
const catalog = () => import("./catalog.ts");
const services = () => import("./services.ts");

const runners: Readonly<Record<string, Runner>> = {
  members: command(async () => (await import("./members.ts")).membersCommand),
  event: command(async () => (await import("./event.ts")).eventCommand),
  info: command(async () => (await control()).infoCommand),
  join: command(async () => (await control()).joinCommand),
  leave: command(async () => (await control()).leaveCommand),
  maint: command(async () => (await import("./maintenance.ts")).maintenanceCommand),
  reload: command(async () => (await control()).reloadCommand),
  // What follows the prefix is the child's, flags included.
  lock: command(async () => (await import("./lock.ts")).lockCommand, "flags-first"),
  watch: command(async () => (await import("./watch.ts")).watchCommand, "flags-first"),
  version: command(async () => (await import("./version.ts")).versionCommand),
  catalog: group("catalog", "catalog services -tags", {
    datacenters: {
      about: "Datacenters that are known",
      run: command(async () => (await catalog()).datacentersCommand),
    },
    nodes: { about: "Nodes of the catalog", run: command(async () => (await catalog()).nodesCommand) },
    services: { about: "Names of the catalog's services", run: command(async () => (await catalog()).servicesCommand) },
  }),
  services: group("services", "services register -name=web -port=80", {
    register: {
      about: "Register services with the agent that is asked",
      run: command(async () => (await services()).registerCommand),
    },
    deregister: {
      about: "Deregister services of that agent",
      run: command(async () => (await services()).deregisterCommand),
    },
    list: {
      about: "All services, with how many instances are healthy",
      run: command(async () => (await services()).listCommand),
    },
    show: { about: "The instances of one service", run: command(async () => (await services()).showCommand) },
  }),
};

export type ServiceCommandName =
  | "members"
  | "event"
  | "info"
  | "join"
  | "leave"
  | "maint"
  | "reload"
  | "lock"
  | "watch"
  | "version"
  | "catalog"
  | "services";

/** Carries out a command of the discovery server's API; resolves to the exit code. */
export function runDiscoveryCommand(
  name: ServiceCommandName,
  args: readonly string[],
  io: CommandIo,
  program: ProgramName,
): Promise<number> {
  return runners[name]!(args, io, program);
}

// Each command has flags of its own type, which only it knows, and is loaded when it is asked for.
function command<const T extends FlagTable>(load: () => Promise<ServiceCommand<T>>, order?: FlagOrder): Runner {
  return async (args, io, program) =>
    runServiceCommand(await load(), args, io, { program, ...(order === undefined ? {} : { order }) });
}

function group(name: string, example: string, commands: Readonly<Record<string, Member>>): Runner {
  return async (args, io, program) => {
    const [word, ...rest] = args;
    const found = word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (found) return found.run(rest, io, program);
    const lines = Object.entries(commands).map(([known, { about }]) => `    ${known.padEnd(14)}${about}\n`);
    const usage = [
      `Usage: ${program} ${name} COMMAND [flags] [arguments]\n\n`,
      ...lines,
      `\nEach command explains itself: "${program} ${name} ${Object.keys(commands)[0]} -help".\n`,
      `Example: ${program} ${example}\n`,
    ].join("");
    if (word === "-h" || word === "-help" || word === "--help") {
      await io.stdout(usage);
      return 0;
    }
    const near = word === undefined ? undefined : similar(word, Object.keys(commands));
    const unknown = word === undefined ? "" : `There is no command "${program} ${name} ${word}".`;
    const hint = near ? ` Did you mean "${program} ${name} ${near}"?` : "";
    await io.stderr(`${unknown}${hint}${unknown ? "\n\n" : ""}${usage}`);
    return 1;
  };
}
