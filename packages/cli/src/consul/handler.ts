import { type Command, type ProcessSpec, type RunningProcess, startProcess } from "@millwright/process/process";
import type { FlagTable } from "../flags.ts";
import type { CommandIo } from "../io.ts";

export const shellFlag = {
  shell: {
    kind: "bool",
    help: "Run the command with a shell (SHELL, else /bin/sh); on by default. -shell=false runs it as it is.",
  },
} as const satisfies FlagTable;

/** How long a child that was asked to end has before it is killed. */
export const graceMilliseconds = 5_000;

export interface HandlerRequest {
  readonly argv: readonly string[];
  readonly shell: boolean;
  /** Beside the environment of this program. */
  readonly env: Readonly<Record<string, string>>;
  /** `inherit` lets it read what this program would. */
  readonly stdin: "ignore" | "inherit" | "pipe";
}

/** Starts a command that the user named, with its output where this program's goes. It ends with this program. */
export function startHandler(request: HandlerRequest, io: CommandIo): Promise<RunningProcess> {
  const write = (piece: Uint8Array, from: "stdout" | "stderr") =>
    from === "stdout" ? io.stdout(piece) : io.stderr(piece);
  return startProcess({
    command: commandOf(request, io),
    env: { ...io.env, ...request.env },
    cwd: io.cwd,
    stdin: request.stdin,
    // A child at a terminal is to see that it is at one.
    output: io.isTerminal ? { kind: "inherit" } : { kind: "pump", write },
    ...placeOf(request),
  });
}

// A child that reads the terminal has to stay in the group that the terminal belongs to.
function placeOf({ stdin }: HandlerRequest): Pick<ProcessSpec, "group" | "lifetime"> {
  return { group: stdin === "inherit" ? "callers" : "own", lifetime: "bound" };
}

function commandOf({ argv, shell }: HandlerRequest, io: CommandIo): Command {
  const [program = "", ...args] = argv;
  if (!shell) return { kind: "program", argv: [program, ...args] };
  const line = argv.join(" ");
  const { SHELL } = io.env;
  return SHELL ? { kind: "program", argv: [SHELL, "-c", line] } : { kind: "shell", line };
}
