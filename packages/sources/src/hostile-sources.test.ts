import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { fetchModulePackage } from "./fetch-module.ts";
import { cloneRepository } from "./git.ts";
import { SourceHttp, wholeOf } from "./http.ts";
import { maskedSource, parseModuleSource, shownSource } from "./module-source.ts";

/* What those may try whose modules and registries one uses, or who share the machine. */

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function folder(files: Readonly<Record<string, string>> = {}): TemporaryFolder {
  const made = new TemporaryFolder(files);
  ends.push(() => made.remove());
  return made;
}

async function serving(answer: RequestListener): Promise<URL> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const signal = new AbortController().signal;
const asker = () => new SourceHttp({ env: { PATH: process.env["PATH"], HOME: "/nonexistent" }, signal });

describe("a repository", () => {
  test("cannot lead outside by a link that goes over another one", async () => {
    const repo = folder({ "main.tf": "" });
    mkdirSync(repo.at("x/y"), { recursive: true });
    symlinkSync("../..", repo.at("x/y/top"));
    symlinkSync("x/y/top/..", repo.at("out"));
    for (const args of [
      ["init", "-q"],
      ["add", "."],
      ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"],
    ])
      spawnSync("git", args, { cwd: repo.path });
    const source = {
      kind: "remote",
      getter: "git",
      address: `file://${repo.path}`,
      subfolder: "",
    } as const;
    await expect(fetchModulePackage(source, folder().at("into"), asker())).rejects.toThrow("outside the package");
  });

  test("is cloned with its login in no argument and in none of its settings, and git is given it all the same", async () => {
    const into = folder();
    const program = into.at("git");
    const log = into.at("log");
    into.write(
      "git",
      `#!/bin/sh\necho "$@" >> ${log}\nprintf 'protocol=https\\nhost=git.example.com\\n\\n' | PATH=$REAL_PATH git credential fill >> ${log}.login\n`,
    );
    chmodSync(program, 0o755);
    const env = { PATH: into.path, REAL_PATH: process.env["PATH"], HOME: into.path, GIT_TERMINAL_PROMPT: "0" };
    await cloneRepository("https://me:p%40ss@git.example.com/x.git?ref=v1", into.at("clone"), { env, signal });
    expect(readFileSync(log, "utf8")).toContain("https://git.example.com/x.git");
    expect(readFileSync(log, "utf8")).not.toMatch(/p%40ss|p@ss/);
    expect(readFileSync(`${log}.login`, "utf8")).toContain("username=me\npassword=p@ss\n");
  });

  test.each([
    { text: "git::https://me:secret@git.example.com/x.git?ref=v1", want: "git::https://git.example.com/x.git?ref=v1" },
    { text: "git::ssh://git:secret@h/x.git?sshkey=secret", want: "git::ssh://git@h/x.git?sshkey=..." },
    { text: "https://h/x.zip?archive=zip&token=secret", want: "https://h/x.zip?archive=zip&token=..." },
    { text: "git::ssh://git@github.com/a/b.git", want: "git::ssh://git@github.com/a/b.git" },
    {
      text: "s3::https://h/b/k.zip?aws_access_key_secret=secret",
      want: "s3::https://h/b/k.zip?aws_access_key_secret=...",
    },
  ])("is shown as $want", ({ text, want }) => {
    expect(shownSource(text)).toBe(want);
    expect(maskedSource(text)).toHaveLength(text.length);
    expect(maskedSource(text)).not.toContain("secret@");
    expect(maskedSource(text)).not.toContain("=secret");
  });

  test("of a kind that nothing fetches is refused without telling its keys", () => {
    const source = parseModuleSource("s4::https://me:secret@h/k.zip?aws_access_key_secret=secret");
    expect(source).toEqual({ kind: "bad", reason: expect.not.stringMatching("me|=secret") as string });
  });

  test.each([
    "s3::https://h/b/%zz.zip",
    "gcs::https://www.googleapis.com/storage/v1/b/%zz.zip",
    "hg::https://me:%zz@h/x",
    "git::https://me:%zz@h/x.git",
    "file:///x/%zz.zip",
    "s3::https://[::1/x",
    "git::https://",
    "https://",
  ])("%s is no address, and no bug", (text) => {
    expect(parseModuleSource(text)).toMatchObject({ kind: "bad", reason: "what it names is no whole address" });
  });
});

describe("a server", () => {
  test("that redirects to another origin is not followed with the token", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serving((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    const first = await serving((_, response) => response.writeHead(302, { location: other.href }).end());
    await asker().json(first, "answer", { headers: { authorization: "Bearer t0ken" } });
    expect(seen).toEqual([undefined]);
  });

  test("that never ends its answer is not read for ever", async () => {
    const endless = await serving((_, response) => {
      const piece = Buffer.alloc(1 << 20, " ");
      const more = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on("drain", more);
      more();
    });
    await expect(asker().json(endless, "answer")).rejects.toThrow("is more than 50000000 bytes");
    await expect(asker().bytes(endless, "file")).rejects.toThrow("is more than 50000000 bytes");
  });
});

describe("a server", () => {
  const s3 = (at: URL) =>
    ({ kind: "remote", getter: "s3", address: new URL("bucket/module", at).href, subfolder: "" }) as const;
  const keyed = () =>
    new SourceHttp({ env: { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", HOME: "/nonexistent" }, signal });

  test("whose list of objects has no end is left", async () => {
    const at = await serving((_, answer) => answer.end("<NextContinuationToken>again</NextContinuationToken>"));
    await expect(fetchModulePackage(s3(at), folder().at("into"), keyed())).rejects.toThrow("which is no module");
  });

  test("whose list, or page, is made to be read for ever is read at once", async () => {
    const at = await serving(({ url }, answer) =>
      answer.end(url?.includes("list-type") ? "<Key>".repeat(1_000_000) : "<meta name ".repeat(500_000)),
    );
    await expect(fetchModulePackage(s3(at), folder().at("into"), keyed())).rejects.toThrow("there are no objects");
    const page = { kind: "remote", getter: "http", address: new URL("module", at).href, subfolder: "" } as const;
    await expect(fetchModulePackage(page, folder().at("into"), asker())).rejects.toThrow("nor in a meta tag");
  });

  test("that means to fill the disk is not listened to", async () => {
    const at = await serving((_, answer) => answer.writeHead(200, { "content-length": "30000000000" }).write("x"));
    const source = { kind: "remote", getter: "http", address: new URL("x.zip", at).href, subfolder: "" } as const;
    await expect(fetchModulePackage(source, folder().at("into"), asker())).rejects.toThrow(
      "more than 20000000000 bytes",
    );
  });

  test("that gives a byte now and then is left", async () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
    async function* drips() {
      for (;;) {
        now += 9_000;
        yield new Uint8Array(1);
      }
    }
    const url = new URL("https://registry.example.com/x");
    await expect(wholeOf(drips(), url, "list of versions", clock)).rejects.toThrow("takes more than 60 s");
  });

  test("that sends elsewhere by no address is told of", async () => {
    const at = await serving((_, answer) => answer.writeHead(200, { "x-terraform-get": "//[" }).end());
    const source = { kind: "remote", getter: "http", address: new URL("module", at).href, subfolder: "" } as const;
    await expect(fetchModulePackage(source, folder().at("into"), asker())).rejects.toThrow("nothing to be fetched");
  });
});
