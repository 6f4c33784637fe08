import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeImageArchive } from "@millwright/agent/image-archive";
import { programFiles } from "@millwright/agent/program-files";
import { build } from "esbuild";
import { packTar } from "modern-tar";
import { examples } from "./stage.ts";

/**
 * What the factory's jobs fetch, as archives in a folder: each release of the program, by itself or as an image with the Node that runs
 * it, and what starts the database.
 */
export async function buildArchives(
  folder: string,
  releases: readonly Release[],
  driver: "raw_exec" | "docker" = "raw_exec",
): Promise<void> {
  const factory = join(examples, "widget-factory");
  mkdirSync(folder, { recursive: true });
  const bundle = await build({
    entryPoints: [join(factory, "program", "widgets.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    write: false,
    // A faster driver in C that the database's client uses where it is there.
    external: ["pg-native"],
  });
  const program = bundle.outputFiles[0]?.text ?? "";
  for (const release of releases) {
    const files = { "widgets.cjs": program, "release.json": JSON.stringify(release) };
    if (driver === "docker") await writeImage(folder, release, files);
    else await writeArchive(join(folder, `widgets-${release.release}.tar.gz`), files);
  }
  const database = (name: string) => readFileSync(join(factory, "database", name), "utf8");
  const files = { "start.sh": database("start.sh"), "schema.sql": database("schema.sql") };
  await writeArchive(join(folder, "database.tar.gz"), files);
}

export interface Release {
  readonly release: string;
  /** Its health check fails. */
  readonly broken?: boolean;
}

async function writeImage(
  folder: string,
  { release }: Release,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const inApp = Object.entries(files).map(([name, text]) => [`/app/${name}`, { text }] as const);
  const image = await makeImageArchive({
    name: `widgets:${release}`,
    path: join(folder, "widgets.tar"),
    files: { ...(await programFiles(process.execPath, "/usr/bin/node")), ...Object.fromEntries(inApp) },
  });
  await writeArchive(join(folder, `widgets-image-${release}.tar.gz`), { "widgets.tar": readFileSync(image) });
  rmSync(image);
}

async function writeArchive(path: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const entries = Object.entries(files).map(([name, body]) => {
    return { header: { name, size: Buffer.byteLength(body), mode: 0o644, type: "file" as const }, body };
  });
  writeFileSync(path, gzipSync(await packTar(entries), { level: 1 }));
}
