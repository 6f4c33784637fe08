import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "@millwright/core/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listFolder, modeText, statFile } from "./file-info.ts";
import { openInside, openThere, type Visible } from "./inside.ts";

let folder: string;
let visible: Visible;

beforeAll(async () => {
  const outer = await mkdtemp(join(tmpdir(), "inside-"));
  folder = join(outer, "allocation");
  visible = { folder, tasks: new Set(["web", "web.tidy"]) };
  for (const path of ["alloc/logs", "web/local", "web/secrets", "alloc/data/secrets", "private", ".millwright/web"])
    await mkdir(join(folder, path), { recursive: true });
  for (const path of ["web/local/a.txt", "web/secrets/token", "alloc/data/secrets/open", "private/key", "state.json"])
    await writeFile(join(folder, path), `${path}\n`);
  await writeFile(join(outer, "outside"), "outside\n");
  await symlink("../../../outside", join(folder, "web/local/out"));
  await symlink("../secrets/token", join(folder, "web/local/peek"));
  await symlink("../../private", join(folder, "web/local/keep"));
  await symlink("a.txt", join(folder, "web/local/near"));
  await symlink("/dev/zero", join(folder, "web/local/zero"));
  execFileSync("mkfifo", [join(folder, "web/local/fifo")]);
});

afterAll(() => rm(join(folder, ".."), { recursive: true }));

async function read(path: string): Promise<string> {
  try {
    const file = await openInside(visible, path);
    try {
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    return messageOf(error);
  }
}

describe("a path of a client", () => {
  const cases: readonly { readonly name: string; readonly input: string; readonly want: RegExp }[] = [
    { name: "leads to a file", input: "web/local/a.txt", want: /^web\/local\/a.txt\n$/ },
    { name: "may begin with slashes, and go up within", input: "//web/../web/local/./a.txt", want: /a.txt\n$/ },
    { name: "may go over a link within", input: "web/local/near", want: /a.txt\n$/ },
    { name: "may name what only looks like secrets", input: "alloc/data/secrets/open", want: /open\n$/ },
    { name: "does not leave by going up", input: "web/../../outside", want: /escapes/ },
    { name: "does not leave by a link", input: "web/local/out", want: /escapes/ },
    { name: "does not reach devices by a link", input: "web/local/zero", want: /escapes/ },
    { name: "does not reach secrets", input: "web/secrets/token", want: /secret file prohibited/ },
    { name: "does not reach secrets by going up", input: "alloc/../web/secrets/token", want: /secret file prohibited/ },
    { name: "does not reach secrets by a link", input: "web/local/peek", want: /secret file prohibited/ },
    { name: "does not reach what the agent keeps", input: "private/key", want: /There is no "private\/key"/ },
    { name: "does not reach it by a link", input: "web/local/keep/key", want: /There is no/ },
    { name: "does not reach the state", input: "state.json", want: /There is no/ },
    { name: "does not wait at a FIFO", input: "web/local/fifo", want: /no ordinary file|cannot be read/ },
    { name: "that is a folder is no file", input: "web/local", want: /is a directory/ },
    { name: "that is not there is said", input: "web/local/none", want: /There is no "web\/local\/none"/ },
  ];
  for (const { name, input, want } of cases) test(name, async () => expect(await read(input)).toMatch(want));
});

test("what a task has put in the place of a file since it was looked at is not opened", async () => {
  for (const [swapped, want] of [
    ["web/local/out", /ELOOP/],
    ["web/local/keep/key", /There is no/],
    ["web/local/fifo", /^$/],
  ] as const) {
    const opened = await openThere(visible, join(folder, swapped), "web/local/a.txt").catch(messageOf);
    expect(typeof opened === "string" ? opened : "").toMatch(want);
    if (typeof opened !== "string") await opened.close();
  }
});

test("a listing shows what is the tasks', and neither what the agent keeps nor what is behind secrets", async () => {
  expect((await listFolder(visible, "/")).map(({ Name, IsDir }) => `${Name} ${IsDir}`)).toEqual([
    "alloc true",
    "web true",
  ]);
  expect((await listFolder(visible, "web")).map(({ Name }) => Name)).toEqual(["local", "secrets"]);
  await expect(listFolder(visible, "web/secrets")).rejects.toThrow(/prohibited/);
  const files = await listFolder(visible, "web/local");
  expect(files.find(({ Name }) => Name === "a.txt")).toMatchObject({ IsDir: false, Size: 16, FileMode: "-rw-r--r--" });
  expect(files.find(({ Name }) => Name === "out")?.FileMode).toMatch(/^L/);
});

test("nothing is told of what links lead to outside", async () => {
  for (const path of ["web/local/out", "web/local/zero"])
    await expect(statFile(visible, path)).rejects.toThrow(/escapes/);
  await expect(statFile(visible, "web/local/peek")).rejects.toThrow(/prohibited/);
  await expect(listFolder(visible, "web/local/keep")).rejects.toThrow(/There is no/);
});

test("a file's kind is told with what it seems to hold", async () => {
  expect(await statFile(visible, "web/local/a.txt")).toMatchObject({
    Name: "a.txt",
    ContentType: "text/plain; charset=utf-8",
  });
  await writeFile(join(folder, "web/local/b.bin"), Buffer.from([0, 1, 2, 255]));
  expect((await statFile(visible, "web/local/b.bin")).ContentType).toBe("application/octet-stream");
  expect(await statFile(visible, "web")).toMatchObject({ Name: "web", IsDir: true });
});

test("modes are written as Go writes them", () => {
  const of = (mode: number, kind: string) =>
    modeText({
      mode,
      isDirectory: () => kind === "folder",
      isSymbolicLink: () => kind === "link",
      isBlockDevice: () => false,
      isCharacterDevice: () => kind === "device",
      isFIFO: () => kind === "pipe",
      isSocket: () => kind === "socket",
    } as Parameters<typeof modeText>[0]);
  expect([of(0o755, "folder"), of(0o1777, "folder"), of(0o644, "file"), of(0o4755, "file")]).toEqual([
    "drwxr-xr-x",
    "dtrwxrwxrwx",
    "-rw-r--r--",
    "urwxr-xr-x",
  ]);
  expect([of(0o777, "link"), of(0o600, "pipe"), of(0o666, "device")]).toEqual([
    "Lrwxrwxrwx",
    "prw-------",
    "Dcrw-rw-rw-",
  ]);
});
