import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackTar } from "modern-tar";
import { expect, onTestFinished, test } from "vitest";
import { makeImageArchive } from "./image-archive.ts";

test("an image archive holds its files, the folders above them, and the same bytes each time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "image-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "app/sub"), { recursive: true });
  writeFileSync(join(folder, "app/run"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(folder, "app/sub/data"), "d");
  symlinkSync("run", join(folder, "app/start"));
  const recipe = {
    name: "app:1",
    path: join(folder, "app.tar"),
    files: {
      "/opt/app": { from: join(folder, "app") },
      "/etc/conf": { text: "c" },
      "/bin": { link: "opt" },
      "/tmp": { folder: true, mode: 0o1777 },
    },
    entrypoint: ["/opt/app/run"],
    env: { A: "1" },
  } as const;
  const first = readFileSync(await makeImageArchive(recipe));
  expect(readFileSync(await makeImageArchive(recipe)).equals(first)).toBe(true);
  const entries = await unpackTar(first);
  const read = (name: string) => entries.find(({ header }) => header.name === name)!.data!;
  const [{ Config, RepoTags }] = JSON.parse(Buffer.from(read("manifest.json")).toString());
  expect(RepoTags).toEqual(["app:1"]);
  expect(JSON.parse(Buffer.from(read(Config)).toString()).config).toMatchObject({ Entrypoint: ["/opt/app/run"] });
  const layer = await unpackTar(read("layer.tar"));
  expect(layer.map(({ header: { name, mode, type } }) => `${type} ${mode!.toString(8)} ${name}`)).toEqual([
    "symlink 644 bin",
    "directory 755 etc/",
    "file 644 etc/conf",
    "directory 755 opt/",
    "directory 755 opt/app/",
    "file 755 opt/app/run",
    "symlink 644 opt/app/start",
    "directory 755 opt/app/sub/",
    "file 644 opt/app/sub/data",
    "directory 1777 tmp/",
  ]);
});
