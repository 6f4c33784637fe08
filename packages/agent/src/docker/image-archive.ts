import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, open, readdir, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createTarPacker } from "modern-tar";

export interface ImageRecipe {
  /** With its tag: `widget:1`. */
  readonly name: string;
  /** Where the archive is written; replaced where it is there. */
  readonly path: string;
  /** Files, folders and links of the image, by absolute paths inside. Folders above them are made. */
  readonly files: Readonly<Record<string, ImageFile>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workFolder?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export type ImageFile =
  | { readonly text: string; readonly mode?: number }
  /** A file of this machine, or a whole folder; permissions are kept. */
  | { readonly from: string; readonly mode?: number }
  | { readonly link: string }
  | { readonly folder: true; readonly mode?: number };

/**
 * Writes a container image as an archive that `docker load` takes, of one layer, without any engine. The same files make the
 * same image. Source: Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
 */
export async function makeImageArchive(recipe: ImageRecipe): Promise<string> {
  const layer = `${recipe.path}.layer`;
  try {
    const { digest, size } = await writeLayer(layer, recipe.files);
    const config = JSON.stringify(configOf(recipe, digest));
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    const manifest = JSON.stringify([{ Config: configName, RepoTags: [recipe.name], Layers: ["layer.tar"] }]);
    await writeTar(recipe.path, async (add) => {
      await add({ name: configName, size: Buffer.byteLength(config) }, [Buffer.from(config)]);
      await add({ name: "layer.tar", size }, createReadStream(layer, { highWaterMark: pieceBytes }));
      await add({ name: "manifest.json", size: Buffer.byteLength(manifest) }, [Buffer.from(manifest)]);
    });
    return recipe.path;
  } finally {
    await rm(layer, { force: true });
  }
}

const pieceBytes = 256 * 1024;
const longAgo = new Date(0);

function configOf(recipe: ImageRecipe, digest: string): unknown {
  const { entrypoint, command, env = {}, workFolder = "", labels = {} } = recipe;
  return {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    created: longAgo.toISOString(),
    config: {
      Env: Object.entries({ PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...env }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      WorkingDir: workFolder,
      Labels: labels,
      ...(entrypoint && { Entrypoint: entrypoint }),
      ...(command && { Cmd: command }),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    history: [{ created: longAgo.toISOString(), created_by: "millwright" }],
  };
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly mode?: number;
  readonly type?: "file" | "directory" | "symlink";
  readonly linkname?: string;
}

type Add = (header: Header, bytes?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => Promise<void>;

async function writeLayer(path: string, files: ImageRecipe["files"]): Promise<{ digest: string; size: number }> {
  const made = new Set<string>();
  await writeTar(path, async (add) => {
    for (const [name, file] of Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      await addFile(name.replace(/^\/+/, ""), file, async (header, bytes) => {
        await addParents(header.name, made, add);
        await add(header, bytes);
      });
  });
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) hash.update(piece as Uint8Array);
  return { digest: hash.digest("hex"), size: (await stat(path)).size };
}

async function addParents(name: string, made: Set<string>, add: Add): Promise<void> {
  const parts = name.replace(/\/$/, "").split("/");
  const folders = parts.slice(0, -1).map((_, i) => `${parts.slice(0, i + 1).join("/")}/`);
  for (const folder of folders) {
    if (made.has(folder)) continue;
    made.add(folder);
    await add({ name: folder, size: 0, mode: 0o755, type: "directory" });
  }
  if (name.endsWith("/")) made.add(name);
}

async function addFile(name: string, file: ImageFile, add: Add): Promise<void> {
  if ("text" in file) {
    const bytes = Buffer.from(file.text);
    return add({ name, size: bytes.length, mode: file.mode ?? 0o644 }, [bytes]);
  }
  if ("link" in file) return add({ name, size: 0, type: "symlink", linkname: file.link });
  if ("folder" in file) return add({ name: `${name}/`, size: 0, mode: file.mode ?? 0o755, type: "directory" });
  const found = await lstat(file.from);
  if (found.isSymbolicLink()) return add({ name, size: 0, type: "symlink", linkname: await readlink(file.from) });
  const mode = file.mode ?? found.mode & 0o777;
  if (found.isFile())
    return add({ name, size: found.size, mode }, createReadStream(file.from, { highWaterMark: pieceBytes }));
  await add({ name: `${name}/`, size: 0, mode, type: "directory" });
  for (const child of (await readdir(file.from)).toSorted())
    await addFile(`${name}/${child}`, { from: join(file.from, child) }, add);
}

// Owners and times are left out, so that the same files are the same image.
async function writeTar(path: string, fill: (add: Add) => Promise<void>): Promise<void> {
  const { readable, controller } = createTarPacker();
  const output = await open(path, "w");
  const filling = (async () => {
    await fill(async (header, bytes = []) => {
      const body = controller.add({ uid: 0, gid: 0, mtime: longAgo, ...header }).getWriter();
      for await (const piece of bytes) await body.write(piece);
      await body.close();
    });
    controller.finalize();
  })();
  filling.catch((error: unknown) => controller.error(error));
  try {
    for await (const piece of readable) await output.writeFile(piece);
    await filling;
  } finally {
    await output.close();
  }
}
