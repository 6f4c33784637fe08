import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { FilePort } from "./file-port.ts";
import { isFault } from "./file-port.ts";
import { memoryFiles } from "./memory-files.ts";
import { nodeFiles } from "./node-files.ts";

const folder = mkdtempSync(join(tmpdir(), "millwright-files-"));
mkdirSync(join(folder, "folder"));
writeFileSync(join(folder, "a.txt"), "text");
writeFileSync(join(folder, "folder", "b.bin"), Uint8Array.of(0xff, 0x00));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What every file port does; each has the same files. */
const ports: { name: string; files: FilePort }[] = [
  { name: "memoryFiles", files: memoryFiles({ "a.txt": "text", "folder/b.bin": Uint8Array.of(0xff, 0x00) }) },
  { name: "nodeFiles", files: nodeFiles(folder) },
];

describe.each(ports)("$name", ({ files }) => {
  test("reads files, also by absolute paths and through folders", () => {
    expect(new TextDecoder().decode(files.read("a.txt") as Uint8Array)).toBe("text");
    expect(new TextDecoder().decode(files.read(`${files.workingFolder()}/a.txt`) as Uint8Array)).toBe("text");
    expect(files.read("folder/../folder/b.bin")).toEqual(Uint8Array.of(0xff, 0x00));
  });

  test("tells files from folders", () => {
    expect(files.kind("a.txt")).toBe("file");
    expect(files.kind("folder")).toBe("folder");
    expect(files.kind(".")).toBe("folder");
  });

  test("lists folders", () => {
    expect(files.list(".")).toEqual(
      new Map([
        ["a.txt", "file"],
        ["folder", "folder"],
      ]),
    );
    expect(files.list("folder")).toEqual(new Map([["b.bin", "file"]]));
  });

  test("says why something cannot be read", () => {
    expect(files.read("nope")).toEqual({ fault: "missing", message: "no such file or directory", step: "open" });
    expect(files.read("folder")).toEqual({ fault: "folder", message: "is a directory", step: "read" });
    expect(files.read("a.txt/x")).toEqual({ fault: "other", message: "not a directory", step: "open" });
    expect(files.kind("nope")).toEqual({ fault: "missing", message: "no such file or directory", step: "stat" });
    expect(files.kind("a.txt/x")).toEqual({ fault: "other", message: "not a directory", step: "stat" });
    expect(isFault(files.list("nope"))).toBe(true);
    expect(isFault(files.list("a.txt"))).toBe(true);
  });
});

describe("nodeFiles", () => {
  test("follows links, and shows one to nothing as missing", () => {
    mkdirSync(join(folder, "links"));
    symlinkSync("../a.txt", join(folder, "links", "file"));
    symlinkSync("../folder", join(folder, "links", "folder"));
    symlinkSync("nowhere", join(folder, "links", "broken"));
    symlinkSync("loop", join(folder, "links", "loop"));
    const kinds = nodeFiles(folder).list("links");
    expect(kinds).toEqual(
      new Map([
        ["broken", "missing"],
        ["file", "file"],
        ["folder", "folder"],
        ["loop", "other"],
      ]),
    );
    rmSync(join(folder, "links"), { recursive: true });
  });

  test("knows what is no file at all", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, "socket"), resolve));
    expect(["pipe", "socket", "/dev/null"].map((path) => nodeFiles(folder).kind(path))).toEqual([
      "pipe",
      "socket",
      "device",
    ]);
    await new Promise((resolve) => server.close(resolve));
    rmSync(join(folder, "pipe"));
  });

  test("starts from the working folder of the process", () => {
    expect(nodeFiles().workingFolder()).toBe(process.cwd());
  });
});
