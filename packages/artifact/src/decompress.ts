import { invariant, OperationalError } from "@millwright/core/errors";
import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "./archive-kind.ts";
import { artifactErrors } from "./errors.ts";

/** A file's bytes, decompressed as they are read. bzip2 and xz are read by the machine's programs of these names. */
export function decompressed(path: string, compression: Compression): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return createReadStream(path, { highWaterMark: 256 * 1024 });
    case "gzip":
      return through(path, createGunzip());
    case "zstd":
      return through(path, createZstdDecompress());
    case "bzip2":
      return throughProgram(path, { program: "bzip2", debian: "bzip2" });
    case "xz":
      return throughProgram(path, { program: "xz", debian: "xz-utils" });
  }
}

function through(path: string, decompressor: NodeJS.ReadWriteStream): AsyncIterable<Uint8Array> {
  // A failure of either destroys both; whoever reads the second one is told.
  const ignore = () => undefined;
  pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), decompressor, ignore);
  return decompressor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
}

async function* throughProgram(
  path: string,
  { program, debian }: { readonly program: string; readonly debian: string },
): AsyncGenerator<Uint8Array> {
  const input = await open(path, "r");
  try {
    const stdio: StdioOptions = [input.fd, "pipe", "pipe"];
    const child = spawn(program, ["-dc"], { stdio, env: { PATH: process.env["PATH"] } });
    invariant(child.stdout && child.stderr, "both are pipes");
    const failed = new Promise<never>((_, reject) => child.once("error", () => reject(missing(program, debian))));
    failed.catch(() => undefined);
    const ended = once(child, "close") as Promise<[number | null]>;
    ended.catch(() => undefined);
    let said = "";
    child.stderr.on("data", (piece: Buffer) => {
      said = (said + piece.toString()).slice(0, 500);
    });
    let isRead = false;
    try {
      for await (const piece of child.stdout) yield piece as Uint8Array;
      isRead = true;
    } finally {
      // Who has said all ends by itself, and with the code that says whether that was all.
      if (!isRead) child.kill("SIGKILL");
    }
    const [code] = await Promise.race([ended, failed]);
    if (code !== 0) throw new OperationalError(artifactErrors.damaged, said.trim() || `${program} ended with ${code}`);
  } finally {
    await input.close();
  }
}

function missing(program: string, debian: string): OperationalError {
  return new OperationalError(
    artifactErrors.machine,
    `This machine has no program ${program}, which unpacks it. Install it (on Debian: apt-get install ${debian}), or pack with gzip or zstd.`,
  );
}
