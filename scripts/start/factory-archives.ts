import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { packTar } from "modern-tar";
import { examples } from "./stage.ts";

/** What the factory's jobs fetch: each release of the program, and what starts the database, as archives in a folder. */
export async function buildArchives(folder: string, releases: readonly Release[]): Promise<void> {
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
    await writeArchive(join(folder, `widgets-${release.release}.tar.gz`), files);
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

async function writeArchive(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries(files).map(([name, body]) => {
    return { header: { name, size: Buffer.byteLength(body), mode: 0o644, type: "file" as const }, body };
  });
  writeFileSync(path, gzipSync(await packTar(entries)));
}
