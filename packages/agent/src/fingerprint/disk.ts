import { readFile, realpath, statfs } from "node:fs/promises";
import { dirname } from "node:path";

export interface Disk {
  /** Bytes that an ordinary user may still fill. */
  readonly free: number;
  readonly total: number;
  /** The device or the kind of the file system: `/dev/vda`. */
  readonly volume: string;
}

/** The file system that a folder is on, or will be. */
export async function readDisk(folder: string): Promise<Disk> {
  const path = await deepest(folder);
  const [{ bavail, blocks, bsize }, mounts] = await Promise.all([
    statfs(path),
    readFile("/proc/self/mountinfo", "utf8").catch(() => ""),
  ]);
  return { free: bavail * bsize, total: blocks * bsize, volume: volumeOf(path, mounts) };
}

/** The source of the mount that a path is below; of several at one place the last, which hides the others. Source: proc(5). */
export function volumeOf(path: string, mounts: string): string {
  let best = { point: "", source: "unknown" };
  for (const line of mounts.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const point = unescaped(left.split(" ")[4] ?? "");
    const isAbove = point === "/" || path === point || path.startsWith(`${point}/`);
    if (point === "" || !isAbove || point.length < best.point.length) continue;
    best = { point, source: unescaped(right.split(" ")[1] ?? "unknown") };
  }
  return best.source;
}

async function deepest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    // It is not there yet: what it will be on is what its parent is on.
    return deepest(dirname(path));
  }
}

// Blanks and other separators are in octal.
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
