import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";
import type { ImageFile } from "./image-archive.ts";

/**
 * What a program of this machine needs to run in an image that has nothing else: itself at `inside`, and the shared libraries
 * that the machine's loader gives it, where it looks for them. Rejects where `ldd` is not there.
 */
export async function programFiles(program: string, inside: string): Promise<Readonly<Record<string, ImageFile>>> {
  const files: Record<string, ImageFile> = { [inside]: { from: await realpath(program), mode: 0o755 } };
  const { stdout } = await run("ldd", [program]).catch((error: unknown) => {
    // Of a program without libraries it says so, and fails.
    if (error instanceof Error && "stderr" in error && /not a dynamic executable/.test(String(error.stderr)))
      return { stdout: "" };
    throw error;
  });
  for (const [, path] of stdout.matchAll(/(?:=>\s*|^\s*)(\/\S+)\s+\(0x/gm))
    files[path!] = { from: await realpath(path!), mode: 0o755 };
  return files;
}

const run = promisify(execFile);
