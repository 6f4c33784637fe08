import { realpath } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { artifactErrors } from "@millwright/artifact/errors";

/** Folders of no files that anybody has written: in there are the environments of other programs, and devices. */
const ofTheSystem: readonly string[] = ["/proc", "/sys", "/dev"];

/**
 * Checks that a path on the node is one that a job may have copied: not what the agent keeps, nor another allocation's, by whichever
 * links; from its own allocation's shared folder and its task's it may. Throws `refused`.
 */
export async function checkSourcePath(
  path: string,
  place: {
    readonly taskFolder: string;
    readonly allocationFolder?: string | undefined;
    readonly agentFolder?: string | undefined;
  },
): Promise<void> {
  const { taskFolder, allocationFolder, agentFolder } = place;
  const real = await realOf(path);
  const own = await Promise.all(
    [taskFolder, ...(allocationFolder === undefined ? [] : [join(allocationFolder, "alloc")])].map(realOf),
  );
  if (own.some((folder) => contains(folder, real))) return;
  const closed = [...ofTheSystem, ...(agentFolder === undefined ? [] : [await realOf(agentFolder)])];
  // A folder above one of them would bring it along.
  if (!closed.some((folder) => contains(folder, real) || contains(real, folder))) return;
  const text = `${path} is, or holds, what is the agent's own or the system's, and nothing that a job may copy. Put the file elsewhere on the node, or serve it over HTTP.`;
  throw new OperationalError(artifactErrors.refused, text);
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep);
}

// One that is not there is told of by whoever opens it.
async function realOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
