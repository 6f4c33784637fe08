import { identify, isAlive } from "@millwright/process/identity";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** After how long what another machine began counts as left behind; milliseconds. */
const leftBehind = 24 * 60 * 60 * 1000;

/**
 * Makes a folder beside `path`, on the same disk, for what becomes `path` once it is whole. What killed runs have left of such
 * folders for the same path is taken away; those of runs that are at work stay.
 */
export async function unfinishedFor(path: string): Promise<string> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const prefix = `.${basename(path)}.`;
  for (const name of await readdir(folder)) {
    const left = name.startsWith(prefix) ? /^(\d+)\.(\d+)\.([0-9a-f-]*)\.\w{6}$/.exec(name.slice(prefix.length)) : null;
    if (left && (await isLeft(left, join(folder, name))))
      await rm(join(folder, name), { recursive: true, force: true });
  }
  const own = identify(process.pid);
  return mkdtemp(join(folder, `${prefix}${process.pid}.${own?.startTime ?? 0}.${own?.boot ?? ""}.`));
}

// Of another start of the machine, or of another machine that shares the disk, only the time tells.
async function isLeft([, pid, startTime = "", boot = ""]: RegExpExecArray, path: string): Promise<boolean> {
  const here = identify(process.pid);
  if (here && here.boot === boot) return !isAlive({ pid: Number(pid), startTime, boot });
  const begun = await stat(path).catch(() => undefined);
  return begun !== undefined && Date.now() - begun.mtimeMs > leftBehind;
}
