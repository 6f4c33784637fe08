import { messageOf, OperationalError } from "@millwright/core/errors";
import { createTarDecoder } from "modern-tar";
import { text } from "node:stream/consumers";
import { openPromise } from "yauzl";
import type { ArchiveKind } from "./archive-kind.ts";
import { decompressed } from "./decompress.ts";
import { artifactErrors } from "./errors.ts";
import type { UnpackedTree } from "./tree.ts";

/** Unpacks an archive, or decompresses a single file under `filename`, into a tree. Throws `refused`, `damaged`, `machine`. */
export async function unpack(
  path: string,
  kind: ArchiveKind,
  to: { readonly tree: UnpackedTree; readonly filename: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    if (kind.form === "zip") await unpackZip(path, to.tree, to.signal);
    else if (kind.form === "tar") await unpackTar(decompressed(path, kind.compression), to.tree, to.signal);
    else {
      const name = to.filename.replace(new RegExp(`\\.${kind.name}$`, "i"), "");
      await to.tree.file(name, 0o644, decompressed(path, kind.compression));
    }
  } catch (error) {
    to.signal.throwIfAborted();
    if (error instanceof OperationalError && error.kind.code !== artifactErrors.damaged.code) throw error;
    if (isSystemError(error)) throw error;
    throw new OperationalError(
      artifactErrors.damaged,
      `It cannot be unpacked as ${kind.name}: ${withoutStop(messageOf(error))}. Look at the file, or say archive = "false" to keep it as it is.`,
    );
  }
}

async function unpackTar(bytes: AsyncIterable<Uint8Array>, tree: UnpackedTree, signal: AbortSignal): Promise<void> {
  const entries = streamOf(bytes).pipeThrough(createTarDecoder({ strict: true }));
  for await (const { header, body } of entries) {
    signal.throwIfAborted();
    const { name, mode = 0, linkname = "" } = header;
    switch (header.type ?? "file") {
      case "file":
        // An old tar says so with a slash.
        if (name.endsWith("/")) await tree.folder(name, mode);
        else await tree.file(name, mode, body);
        break;
      case "directory":
        await tree.folder(name, mode);
        break;
      case "symlink":
        await tree.symlink(name, linkname);
        break;
      case "link":
        await tree.hardLink(name, linkname);
        break;
      case "character-device":
      case "block-device":
        tree.refuse(name, "device");
        break;
      case "fifo":
        tree.refuse(name, "named pipe");
        break;
      // Names and attributes of the entries that follow; the decoder has used them.
      case "pax-header":
      case "pax-global-header":
      case "gnu-long-name":
      case "gnu-long-link-name":
        break;
    }
    if (!body.locked) await body.cancel();
  }
}

function streamOf(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const pieces = bytes[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = await pieces.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: async () => {
      await pieces.return?.();
    },
  });
}

/** The kinds of file in the upper half of a zip entry's attributes, as POSIX has them. */
const formats = { mask: 0o170000, link: 0o120000, folder: 0o040000, file: 0o100000, none: 0 } as const;

async function unpackZip(path: string, tree: UnpackedTree, signal: AbortSignal): Promise<void> {
  const zip = await openPromise(path, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted();
      if (entry.isEncrypted()) tree.refuse(entry.fileName, "encrypted file");
      const mode = entry.externalFileAttributes >>> 16;
      const format = mode & formats.mask;
      if (format === formats.folder || entry.fileName.endsWith("/")) await tree.folder(entry.fileName, mode);
      else if (format === formats.link) {
        if (entry.uncompressedSize > 4_096) tree.refuse(entry.fileName, "link with an endless target");
        await tree.symlink(entry.fileName, await text(await zip.openReadStreamPromise(entry)));
      } else if (format === formats.file || format === formats.none)
        await tree.file(entry.fileName, mode, await zip.openReadStreamPromise(entry));
      else tree.refuse(entry.fileName, "device");
    }
  } finally {
    zip.close();
  }
}

// Of the disk, not of the archive; errors of zlib have a code too, but no call.
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}
