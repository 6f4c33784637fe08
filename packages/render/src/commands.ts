import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Command } from "@millwright/process/process";
import { startProcess } from "@millwright/process/process";
import type { CommandSpec } from "./config.ts";
import { filterEnvironment } from "./environment.ts";

export interface CommandPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Runs commands one after another, all of them, and tells what went wrong with each that did. */
export async function runCommands(commands: readonly CommandSpec[], ports: CommandPorts): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const command of commands) {
    if (ports.signal.aborted) break;
    const failure = await runCommand(command, ports);
    if (failure !== undefined) failures.push(failure);
  }
  return failures;
}

async function runCommand(spec: CommandSpec, ports: CommandPorts): Promise<string | undefined> {
  const name = commandText(spec.command);
  try {
    const running = await startProcess({
      command: spec.command,
      env: filterEnvironment(ports.environment, spec.environment),
      cwd: ports.folder,
      stdin: "inherit",
      output: { kind: "inherit" },
      group: "own",
      lifetime: "bound",
    });
    const end = () => void running.end({ signal: spec.killSignal, graceMilliseconds: spec.killTimeout });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, spec.timeout);
    ports.signal.addEventListener("abort", end, { once: true });
    const exit = await running.ended;
    clearTimeout(timer);
    ports.signal.removeEventListener("abort", end);
    if (timedOut) {
      const limit = `${spec.timeout / 1000} s`;
      return `The command ${name} was ended as it took over ${limit}. Make it faster, or let command_timeout be longer.`;
    }
    if (exit.kind === "signal")
      return ports.signal.aborted ? undefined : `The command ${name} was ended by ${exit.signal}.`;
    return exit.code === 0 ? undefined : `The command ${name} failed with exit code ${exit.code}. Its output says why.`;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return `The command ${name} did not run. ${messageOf(error)}`;
  }
}

function commandText(command: Command): string {
  return JSON.stringify(command.kind === "shell" ? command.line : command.argv.join(" "));
}
