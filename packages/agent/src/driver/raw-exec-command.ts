import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { isAbsolute, join, sep } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { driverErrors } from "./errors.ts";

export interface CommandPlace {
  /** The node's name, for messages. */
  readonly node: string;
  /** The task's folder. */
  readonly folder: string;
  /** Where the task is to run. */
  readonly cwd: string;
  /** The task's PATH. */
  readonly path: string | undefined;
}

/**
 * The path of a task's program: looked for in the task's `local` folder and the task's folder, then, where the name has no
 * slash, on the task's PATH. One of the task's own is made executable. Rejects with `driverErrors.missing` or, where it is
 * there and nothing that can run, with `driverErrors.configuration`.
 */
export function findCommand(command: string, place: CommandPlace): string {
  const { node, folder, cwd } = place;
  if (!isFolder(cwd)) {
    const text = `There is no folder ${cwd} on node ${node} to run the task in. Make it there, or change work_dir.`;
    throw new OperationalError(driverErrors.missing, text);
  }
  const candidates = candidatesOf(command, place);
  const found = candidates.find(isFile);
  if (found === undefined) throw notFound(command, place, candidates);
  // A link may lead to a program of the machine's, which stays as it is.
  if (realpathSync(found).startsWith(realpathSync(folder) + sep)) chmodSync(found, statSync(found).mode | 0o111);
  if (!isExecutable(found)) {
    const text = `${found} on node ${node} is not executable by the agent's user. Make it so there (chmod +x), or change the task's command.`;
    throw new OperationalError(driverErrors.missing, text);
  }
  checkFormat(found, node);
  return found;
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function candidatesOf(command: string, { folder, path }: CommandPlace): readonly string[] {
  if (isAbsolute(command)) return [command];
  const own = [join(folder, "local", command), join(folder, command)];
  if (command.includes("/")) return own.reverse();
  const folders = (path ?? usualPath).split(":").filter((entry) => entry.startsWith("/"));
  return [...own, ...folders.map((entry) => join(entry, command))];
}

function notFound(command: string, place: CommandPlace, candidates: readonly string[]): OperationalError {
  const where = command.includes("/")
    ? candidates.join(", ")
    : `the task's folders and its PATH, ${place.path ?? usualPath}`;
  const advice = isAbsolute(command)
    ? "Install it there, correct the command, or keep the job to nodes that have it (constraint)."
    : "Install it there, bring it with an artifact, or name it by its whole path.";
  const text = `There is no program "${command}" on node ${place.node}; looked for in ${where}. ${advice}`;
  return new OperationalError(driverErrors.missing, text);
}

// A shell would take any text for its own language.
function checkFormat(path: string, node: string): void {
  const head = headOf(path);
  const first = head.subarray(0, 4).toString("latin1");
  if (first === "\x7fELF") return;
  if (!first.startsWith("#!")) {
    const text = `${path} on node ${node} is neither a program of Linux nor a script that begins with #!. Build it for this node, or name the interpreter as the command and the script in args.`;
    throw new OperationalError(driverErrors.configuration, text);
  }
  const interpreter = /^#!\s*(\S+)/.exec(head.toString("utf8"))?.[1] ?? "";
  if (existsSync(interpreter)) return;
  const text = `${path} is a script for ${interpreter || "no interpreter"}, which node ${node} does not have. Install it there, or correct the script's first line.`;
  throw new OperationalError(driverErrors.missing, text);
}

function headOf(path: string): Buffer {
  const head = Buffer.alloc(256);
  // One that may be run need not be one that may be read: then it is let run.
  if (!isReadable(path)) return Buffer.from("\x7fELF", "latin1");
  const descriptor = openSync(path, "r");
  try {
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

const isFile = (path: string) => may(path, constants.F_OK) && statSync(path).isFile();
const isFolder = (path: string) => may(path, constants.F_OK) && statSync(path).isDirectory();
const isExecutable = (path: string) => may(path, constants.X_OK);
const isReadable = (path: string) => may(path, constants.R_OK);

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
