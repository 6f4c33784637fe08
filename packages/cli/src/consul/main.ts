import { similar } from "@millwright/core/similar";
import type { CommandIo } from "../io.ts";
import { infoCommand, joinCommand, leaveCommand, versionCommand } from "./agent-control.ts";
import { datacentersCommand, nodesCommand, servicesCommand } from "./catalog.ts";
import { type ProgramName, runServiceCommand } from "./command.ts";
import { eventCommand } from "./event.ts";
import { lockCommand } from "./lock.ts";
import { membersCommand } from "./members.ts";
import { deregisterCommand, listCommand, registerCommand, showCommand } from "./services.ts";
import { watchCommand } from "./watch.ts";

/** Runs one command under the name it was called by; resolves to the exit code. */
type Runner = (args: readonly string[], io: CommandIo, program: ProgramName) => Promise<number>;

// Each command has flags of its own type, which only it knows.
const runners: Readonly<Record<string, Runner>> = {
  members: (args, io, program) => runServiceCommand(membersCommand, args, io, { program }),
  event: (args, io, program) => runServiceCommand(eventCommand, args, io, { program }),
  info: (args, io, program) => runServiceCommand(infoCommand, args, io, { program }),
  join: (args, io, program) => runServiceCommand(joinCommand, args, io, { program }),
  leave: (args, io, program) => runServiceCommand(leaveCommand, args, io, { program }),
  // What follows the prefix is the child's, flags included.
  lock: (args, io, program) => runServiceCommand(lockCommand, args, io, { program, order: "flags-first" }),
  watch: (args, io, program) => runServiceCommand(watchCommand, args, io, { program, order: "flags-first" }),
  version: (args, io, program) => runServiceCommand(versionCommand, args, io, { program }),
  catalog: group("catalog", {
    datacenters: (args, io, program) => runServiceCommand(datacentersCommand, args, io, { program }),
    nodes: (args, io, program) => runServiceCommand(nodesCommand, args, io, { program }),
    services: (args, io, program) => runServiceCommand(servicesCommand, args, io, { program }),
  }),
  services: group("services", {
    register: (args, io, program) => runServiceCommand(registerCommand, args, io, { program }),
    deregister: (args, io, program) => runServiceCommand(deregisterCommand, args, io, { program }),
    list: (args, io, program) => runServiceCommand(listCommand, args, io, { program }),
    show: (args, io, program) => runServiceCommand(showCommand, args, io, { program }),
  }),
};

export type ServiceCommandName =
  | "members"
  | "event"
  | "info"
  | "join"
  | "leave"
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

function group(name: string, commands: Readonly<Record<string, Runner>>): Runner {
  return async (args, io, program) => {
    const [command, ...rest] = args;
    const runner = command !== undefined && Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (runner) return runner(rest, io, program);
    const lines = Object.keys(commands).map((known) => `    ${program} ${name} ${known}\n`);
    const usage = `Usage: ${program} ${name} COMMAND [flags] [arguments]\n\nCommands:\n${lines.join("")}`;
    if (command === "-h" || command === "-help" || command === "--help") {
      await io.stdout(usage);
      return 0;
    }
    const near = command === undefined ? undefined : similar(command, Object.keys(commands));
    const unknown = command === undefined ? "" : `There is no command "${name} ${command}".`;
    const hint = near ? ` Did you mean "${name} ${near}"?` : "";
    await io.stderr(`${unknown}${hint}${unknown ? "\n\n" : ""}${usage}`);
    return 1;
  };
}
