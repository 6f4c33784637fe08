import { messageOf } from "@millwright/core/errors";
import type { Fields } from "@millwright/provider/fields";
import { computed, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { exactlyOneOf } from "@millwright/provider/rules";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { checksumsOf } from "./checksums.ts";

const checksums = {
  id: computed(string, { description: "SHA-1 of the content, in hexadecimal." }),
  content_md5: computed(string),
  content_sha1: computed(string),
  content_sha256: computed(string),
  content_base64sha256: computed(string),
  content_sha512: computed(string),
  content_base64sha512: computed(string),
} satisfies Fields;

const replaced = { replaceOnChange: true } as const;
const filename = required(string, { ...replaced, description: "Where the file is written; missing folders are made." });
const source = optional(string, { ...replaced, description: "A file to copy the content from." });

/** `local_file`: a file with a given content. Any change, also one made by hand, writes it anew. */
export const localFile = defineResource({
  schema: {
    filename,
    content: optional(string, { ...replaced, description: "The content, as text." }),
    content_base64: optional(string, { ...replaced, description: "The content, as base64." }),
    source,
    sensitive_content: optional(string, {
      ...replaced,
      sensitive: true,
      deprecated: "Use the `local_sensitive_file` resource instead",
    }),
    file_permission: permission("0777"),
    directory_permission: permission("0777"),
    ...checksums,
  },
  validate: ({ config }) => exactlyOneOf(config, ["content", "sensitive_content", "content_base64", "source"]),
  create: async ({ plan, signal }) => {
    const content = await contentOf({ ...plan, content: plan.sensitive_content ?? plan.content }, signal);
    await write(plan, content, signal);
    return { ...plan, ...checksumsOf(content) };
  },
  read: async ({ state, signal }) => ((await isAsWritten(state, signal)) ? state : null),
  delete: ({ state }) => remove(state.filename),
  interrupted: ({ sent, signal }) => findWritten(sent, signal),
});

/** `local_sensitive_file`: the same, with a content that is not shown and that only its owner may read. */
export const localSensitiveFile = defineResource({
  schema: {
    filename,
    content: optional(string, { ...replaced, sensitive: true, description: "The content, as text." }),
    content_base64: optional(string, { ...replaced, sensitive: true, description: "The content, as base64." }),
    source,
    file_permission: permission("0700"),
    directory_permission: permission("0700"),
    ...checksums,
  },
  validate: ({ config }) => exactlyOneOf(config, ["content", "content_base64", "source"]),
  create: async ({ plan, signal }) => {
    const content = await contentOf(plan, signal);
    await write(plan, content, signal);
    return { ...plan, ...checksumsOf(content) };
  },
  read: async ({ state, signal }) => ((await isAsWritten(state, signal)) ? state : null),
  delete: ({ state }) => remove(state.filename),
  // What was to be written is a secret and not kept: it is written again, to the same place.
  interrupted: () => null,
});

function permission(fallback: string) {
  return optional(string, {
    ...replaced,
    default: fallback,
    description: "Permissions in octal, before the umask is taken off.",
    check: (mode) => (/^[0-7]{3,4}$/.test(mode) && Number.parseInt(mode, 8) <= 0o777 ? undefined : badMode(mode)),
  });
}

function badMode(mode: string): string {
  return `${JSON.stringify(mode)} is no file permission: three or four octal digits are expected, such as "0644".`;
}

interface Content {
  readonly content: string | null;
  readonly content_base64: string | null;
  readonly source: string | null;
}

async function contentOf({ content, content_base64, source }: Content, signal: AbortSignal): Promise<Uint8Array> {
  if (content !== null) return Buffer.from(content, "utf8");
  if (content_base64 !== null) return fromBase64(content_base64);
  if (source === null) return new Uint8Array();
  return readFile(source, { signal }).catch((error: unknown) => {
    throw failure("Create local file error", `The source file cannot be read: ${messageOf(error)}.`, ["source"]);
  });
}

function fromBase64(text: string): Uint8Array {
  const packed = text.replace(/[\r\n]/g, "");
  const isBase64 = packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
  if (!isBase64)
    throw failure("Create local file error", "The value is no base64 (RFC 4648, with padding).", ["content_base64"]);
  return Buffer.from(packed, "base64");
}

interface Place {
  readonly filename: string;
  readonly file_permission: string;
  readonly directory_permission: string;
}

async function write(
  { filename, file_permission, directory_permission }: Place,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    await makeFolder(dirname(filename), Number.parseInt(directory_permission, 8));
    await writeFile(filename, content, { mode: Number.parseInt(file_permission, 8), signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw failure("Create local file error", `The file cannot be written: ${messageOf(error)}.`, ["filename"]);
  }
}

/**
 * Makes a folder with those above it. Node's own way never ends where a folder that is there says of a new one that it is not
 * (/proc does, and so do mounts that are made on demand).
 */
async function makeFolder(folder: string, mode: number): Promise<void> {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder), mode);
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    // Another file's folder may be the same, and made at the same time.
    if (!existsSync(folder)) throw error;
  }
}

/** Whether the file is there with the content that was written; any other content is as good as no file. */
async function isAsWritten(
  { filename, id }: { readonly filename: string; readonly id: string },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await stat(filename);
    return checksumsOf(await readFile(filename, { signal })).id === id;
  } catch (error) {
    if (isMissing(error)) return false;
    if (signal.aborted) throw error;
    throw failure("Read local file error", `The file cannot be read: ${messageOf(error)}.`, ["filename"]);
  }
}

type Sent = { readonly [K in keyof (Content & Place)]: (Content & Place)[K] | null };

/**
 * The file that a create without an answer has written. One with another content, or cut short, is as good as none: to create
 * it again writes the whole of it to the same place.
 */
async function findWritten<S extends Sent>(sent: S, signal: AbortSignal) {
  const { filename, file_permission, directory_permission } = sent;
  if (filename === null || file_permission === null || directory_permission === null) return null;
  if (sent.content === null && sent.content_base64 === null && sent.source === null) return null;
  const sums = checksumsOf(await contentOf(sent, signal));
  const place = { filename, file_permission, directory_permission };
  return (await isAsWritten({ filename, id: sums.id }, signal)) ? { ...sent, ...place, ...sums } : null;
}

async function remove(filename: string): Promise<void> {
  await rm(filename, { force: true }).catch((error: unknown) => {
    throw failure("Delete local file error", `The file cannot be removed: ${messageOf(error)}.`, ["filename"]);
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
