import type { Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isShown, openInside, openThere, resolveInside, type Visible } from "./inside.ts";

/** A file or folder in the form of Nomad's API. */
export interface FileInfoWire {
  readonly Name: string;
  readonly IsDir: boolean;
  readonly Size: number;
  /** `drwxr-xr-x`. */
  readonly FileMode: string;
  readonly ModTime: string;
  readonly ContentType?: string;
}

/** What is in a folder, by name. Rejects as {@link resolveInside}. */
export async function listFolder(visible: Visible, path: string): Promise<readonly FileInfoWire[]> {
  const folder = await resolveInside(visible, path);
  const isTop = folder === (await resolveInside(visible, ""));
  const opened = await openThere(visible, folder, path);
  try {
    if (!(await opened.stat()).isDirectory()) return [];
    // By what is open, and not by its name: a task may put another folder in its place.
    const there = `/proc/self/fd/${opened.fd}`;
    const names = (await readdir(there)).sort();
    const shown = isTop ? names.filter((name) => isShown(visible, name)) : names;
    const infos = await Promise.all(shown.map((name) => lstat(join(there, name)).then(infoOf(name), () => undefined)));
    return infos.filter((info) => info !== undefined);
  } finally {
    await opened.close();
  }
}

/** One file or folder; of a file also what it seems to hold. Rejects as {@link resolveInside}. */
export async function statFile(visible: Visible, path: string): Promise<FileInfoWire> {
  const real = await resolveInside(visible, path);
  const found = await stat(real);
  const info = infoOf(basename(real))(found);
  return found.isFile() ? { ...info, ContentType: await contentType(visible, path) } : info;
}

function infoOf(name: string) {
  return (found: Stats): FileInfoWire => ({
    Name: name,
    IsDir: found.isDirectory(),
    Size: found.size,
    FileMode: modeText(found),
    ModTime: found.mtime.toISOString(),
  });
}

/** A mode as Go's `fs.FileMode` writes it, whose letters Nomad's users see. */
export function modeText(found: Stats): string {
  const kinds = [
    found.isDirectory() ? "d" : "",
    found.isSymbolicLink() ? "L" : "",
    found.isBlockDevice() || found.isCharacterDevice() ? "D" : "",
    found.isFIFO() ? "p" : "",
    found.isSocket() ? "S" : "",
    found.mode & 0o4000 ? "u" : "",
    found.mode & 0o2000 ? "g" : "",
    found.isCharacterDevice() ? "c" : "",
    found.mode & 0o1000 ? "t" : "",
  ].join("");
  const rights = [..."rwxrwxrwx"].map((letter, i) => (found.mode & (1 << (8 - i)) ? letter : "-"));
  return `${kinds || "-"}${rights.join("")}`;
}

async function contentType(visible: Visible, path: string): Promise<string> {
  const file = await openInside(visible, path).catch(() => undefined);
  if (!file) return "";
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(512) });
    const text = new TextDecoder().decode(buffer.subarray(0, bytesRead), { stream: true });
    return [...text].every(isOfText) ? "text/plain; charset=utf-8" : "application/octet-stream";
  } finally {
    await file.close();
  }
}

// Of the characters below the blank, texts have tabs, the ends of lines and pages, and escapes.
function isOfText(character: string): boolean {
  return character >= " " ? character !== "\ufffd" : "\t\n\f\r\u001b".includes(character);
}
