import { OperationalError } from "@millwright/core/errors";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestEntry, tarOf, zipOf } from "../../test/archives.ts";
import { artifactErrors } from "@millwright/artifact/errors";
import { type ArtifactContext, type ArtifactRequest, fetchArtifact } from "./fetch-artifact.ts";

let base: string;
let taskFolder: string;
let server: Server | undefined;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "artifact-"));
  taskFolder = join(base, "alloc-1", "api");
  for (const folder of ["api/local", "api/secrets", "alloc/data"])
    mkdirSync(join(base, "alloc-1", folder), { recursive: true });
});

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = undefined;
  rmSync(base, { recursive: true, force: true });
});

function fetch(request: Partial<ArtifactRequest>, context: Partial<ArtifactContext> = {}): Promise<void> {
  const artifact = {
    source: "",
    options: {},
    headers: {},
    mode: "any",
    insecure: false,
    destination: "local/",
    chown: false,
  };
  return fetchArtifact(
    { ...artifact, ...request },
    {
      taskFolder,
      allocationFolder: join(base, "alloc-1"),
      env: {},
      signal: new AbortController().signal,
      progress: () => undefined,
      ...context,
    },
  );
}

async function refusal(fetching: Promise<void>): Promise<OperationalError> {
  const error = await fetching.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof OperationalError) return error;
  throw new Error(`no operational error, but ${String(error)}`);
}

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function serveFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  return serve((request, response) => {
    const path = request.url!.replace(/\?.*/, "");
    if (path in files) response.end(files[path]);
    else response.writeHead(404).end();
  });
}

function kept(name: string, bytes: string | Uint8Array): string {
  const path = join(base, name);
  writeFileSync(path, bytes);
  return path;
}

/** All below a folder, with what they hold; nothing temporary may be among it. */
function below(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => !entry.isDirectory());
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), entry.isFile() ? readFileSync(path, "utf8") : "(link)"];
    }),
  );
}

const hex = (algorithm: string, bytes: string | Uint8Array) => createHash(algorithm).update(bytes).digest("hex");

describe("a file", () => {
  test("from http goes into local/ under its name", async () => {
    const address = await serveFiles({ "/app/config.json": "{}" });
    await fetch({ source: `${address}/app/config.json?version=2` });
    expect(below(taskFolder)).toEqual({ "local/config.json": "{}" });
  });

  test.each([
    { name: "an absolute path", source: (path: string) => path },
    { name: "a file:// address", source: (path: string) => `file://${path}` },
    { name: "the getter's own prefix", source: (path: string) => `file::${path}` },
  ])("from $name is copied with its permissions, and without set-user-ID", async ({ source }) => {
    const path = kept("run.sh", "#!/bin/sh\n");
    spawnSync("chmod", ["4755", path]);
    await fetch({ source: source(path) });
    expect(below(taskFolder)).toEqual({ "local/run.sh": "#!/bin/sh\n" });
    expect(statSync(join(taskFolder, "local/run.sh")).mode & 0o7777).toBe(0o755);
  });

  test("goes to the destination, which in mode file is the file itself", async () => {
    const address = await serveFiles({ "/a": "A" });
    await fetch({ source: `${address}/a`, destination: "local/deep/er" });
    await fetch({ source: `${address}/a`, destination: "local/named.txt", mode: "file" });
    await fetch({ source: `${address}/a`, options: { filename: "b" } });
    expect(below(taskFolder)).toEqual({ "local/deep/er/a": "A", "local/named.txt": "A", "local/b": "A" });
  });

  test("goes to the shared folder by its path, or as containers see it", async () => {
    const address = await serveFiles({ "/a": "A" });
    await fetch({ source: `${address}/a`, destination: join(base, "alloc-1/alloc/data") });
    await fetch({ source: `${address}/a`, destination: "/alloc/data/2" });
    await fetch({ source: `${address}/a`, destination: "/secrets" });
    expect(below(base)).toEqual({
      "alloc-1/alloc/data/a": "A",
      "alloc-1/alloc/data/2/a": "A",
      "alloc-1/api/secrets/a": "A",
    });
  });

  test("replaces the one of a start before", async () => {
    const path = kept("a", "1");
    await fetch({ source: path });
    writeFileSync(path, "2");
    await fetch({ source: path });
    expect(below(taskFolder)).toEqual({ "local/a": "2" });
  });

  test("is asked for with the job's headers and the options that are not ours", async () => {
    const asked: unknown[] = [];
    const address = await serve((request, response) => {
      asked.push([request.url, request.headers["x-token"]]);
      response.end();
    });
    await fetch({ source: `${address}/a?archive=false`, options: { ref: "1" }, headers: { "X-Token": "t" } });
    expect(asked).toEqual([["/a?ref=1", "t"]]);
  });

  test("goes into secrets/ where the agent has put that elsewhere", async () => {
    const elsewhere = join(base, "tmpfs");
    mkdirSync(elsewhere);
    rmSync(join(taskFolder, "secrets"), { recursive: true });
    symlinkSync(elsewhere, join(taskFolder, "secrets"));
    await fetch({ source: kept("key", "k"), destination: "secrets/tls" });
    expect(below(elsewhere)).toEqual({ "tls/key": "k" });
  });
});

describe("an archive", () => {
  const entries: readonly TestEntry[] = [
    { name: "app/", folder: true },
    { name: "app/run", text: "run", mode: 0o6755 },
    { name: "app/current", link: "run" },
    { name: "etc/app/conf", text: "c" },
  ];
  const want = { "local/app/run": "run", "local/app/current": "(link)", "local/etc/app/conf": "c" };
  const byProgram = (program: string, bytes: Uint8Array) => spawnSync(program, ["-c"], { input: bytes }).stdout;

  test.each<{ name: string; bytes: () => Promise<Uint8Array> | Uint8Array; options?: Record<string, string> }>([
    { name: "a.tar", bytes: () => tarOf(entries) },
    { name: "a.tar.gz", bytes: async () => gzipSync(await tarOf(entries)) },
    { name: "a.tgz", bytes: async () => gzipSync(await tarOf(entries)) },
    { name: "a.tar.zst", bytes: async () => zstdCompressSync(await tarOf(entries)) },
    { name: "a.tar.xz", bytes: async () => byProgram("xz", await tarOf(entries)) },
    { name: "a.tar.bz2", bytes: async () => byProgram("bzip2", await tarOf(entries)) },
    { name: "a.zip", bytes: () => zipOf(entries) },
    { name: "download", bytes: async () => gzipSync(await tarOf(entries)), options: { archive: "tar.gz" } },
  ])("is unpacked: $name", async ({ name, bytes, options = {} }) => {
    const address = await serveFiles({ [`/${name}`]: await bytes() });
    await fetch({ source: `${address}/${name}`, options });
    expect(below(taskFolder)).toEqual(want);
    expect(statSync(join(taskFolder, "local/app/run")).mode & 0o7777).toBe(0o755);
  });

  test("of a real tar, with long names, is unpacked", async () => {
    const long = "n".repeat(120);
    mkdirSync(join(base, "src", long), { recursive: true });
    writeFileSync(join(base, "src", long, `${long}2`), "x");
    spawnSync("tar", ["-C", join(base, "src"), "-czf", join(base, "a.tar.gz"), "."]);
    await fetch({ source: join(base, "a.tar.gz") });
    expect(below(taskFolder)).toEqual({ [`local/${long}/${long}2`]: "x" });
  });

  test("is merged into what is there", async () => {
    writeFileSync(join(taskFolder, "local/rendered.yml"), "r");
    await fetch({ source: kept("1.tar", await tarOf([{ name: "d/one", text: "1" }])) });
    await fetch({ source: kept("2.tar", await tarOf([{ name: "d/two", text: "2" }])) });
    expect(below(taskFolder)).toEqual({ "local/rendered.yml": "r", "local/d/one": "1", "local/d/two": "2" });
  });

  test("stays packed where the job says so", async () => {
    await fetch({ source: kept("a.zip", "not looked at"), options: { archive: "false" } });
    expect(below(taskFolder)).toEqual({ "local/a.zip": "not looked at" });
  });

  test("gives one of its folders alone", async () => {
    await fetch({ source: `${kept("a.tar", await tarOf(entries))}//app` });
    expect(below(taskFolder)).toEqual({ "local/run": "run", "local/current": "(link)" });
  });

  test("of one compressed file gives that file", async () => {
    await fetch({ source: kept("words.txt.gz", gzipSync("words")) });
    await fetch({ source: kept("words.txt.gz", gzipSync("words")), mode: "file", destination: "local/w" });
    expect(below(taskFolder)).toEqual({ "local/words.txt": "words", "local/w": "words" });
  });

  test("may hold a hard link to a file of its own", async () => {
    const bytes = await tarOf([
      { name: "a", text: "A" },
      { name: "b", hardLink: "a" },
    ]);
    await fetch({ source: kept("a.tar", bytes) });
    expect(below(taskFolder)).toEqual({ "local/a": "A", "local/b": "A" });
  });

  test("in place of which there is a folder on the node is copied", async () => {
    mkdirSync(join(base, "site/css"), { recursive: true });
    writeFileSync(join(base, "site/css/a.css"), "a");
    symlinkSync("css/a.css", join(base, "site/main.css"));
    await fetch({ source: join(base, "site") });
    expect(below(taskFolder)).toEqual({ "local/css/a.css": "a", "local/main.css": "(link)" });
  });
});

describe("nothing gets outside its folder", () => {
  const attacks: readonly { readonly name: string; readonly entries: readonly TestEntry[]; readonly says?: RegExp }[] =
    [
      { name: "a name that goes up", entries: [{ name: "../../evil", text: "e" }] },
      { name: "a name that goes up in the middle", entries: [{ name: "a/../../evil", text: "e" }] },
      { name: "an absolute name", entries: [{ name: "/evil", text: "e" }] },
      { name: "a link that goes up", entries: [{ name: "evil", link: "../x" }] },
      { name: "an absolute link", entries: [{ name: "evil", link: "/etc" }] },
      {
        name: "a file behind a link",
        entries: [
          { name: "d", link: "e" },
          { name: "d/evil", text: "e" },
        ],
      },
      {
        name: "a link that goes up behind another link",
        entries: [
          { name: "1/2/", folder: true },
          { name: "1/2/root", link: "../.." },
          { name: "evil", link: "1/2/root/../x" },
        ],
      },
    ];
  const onlyTar: typeof attacks = [
    { name: "a hard link to a file outside", entries: [{ name: "evil", hardLink: "../../../secret" }] },
    { name: "a hard link to an absolute name", entries: [{ name: "evil", hardLink: "/etc/passwd" }] },
    {
      name: "a hard link to a link",
      entries: [
        { name: "d", link: "e" },
        { name: "evil", hardLink: "d" },
      ],
    },
    { name: "a device", entries: [{ name: "null", special: "character-device" }], says: /"null", which is a device/ },
    { name: "a pipe", entries: [{ name: "pipe", special: "fifo" }], says: /"pipe", which is a named pipe/ },
  ];

  test.each([...attacks, ...onlyTar])("by tar: $name", async ({ entries, says = /reaches outside its folder/ }) => {
    const bytes = await tarOf([{ name: "first", text: "1" }, ...entries]);
    const error = await refusal(fetch({ source: kept("a.tar", bytes) }));
    expect(error.message).toMatch(says);
    expect(error.kind).toBe(artifactErrors.refused);
    expect(below(base)).toEqual({ "a.tar": expect.any(String) });
  });

  test.each(attacks)("by zip: $name", async ({ entries }) => {
    const bytes = zipOf([{ name: "first", text: "1" }, ...entries]);
    await refusal(fetch({ source: kept("a.zip", bytes) }));
    expect(below(base)).toEqual({ "a.zip": expect.any(String) });
  });

  test.each(["../../elsewhere", "local/../../../x", "../../alloc-2", "local/escape/x"])(
    "by destination: %s",
    async (destination) => {
      symlinkSync(base, join(taskFolder, "local/escape"));
      const error = await refusal(fetch({ source: kept("a", "A"), destination }));
      expect(error.message).toContain("is outside the task's folders");
      expect(readdirSync(base).toSorted()).toEqual(["a", "alloc-1"]);
    },
  );

  test("a link that a task has made in place of a folder is replaced, not followed", async () => {
    mkdirSync(join(base, "victim"));
    symlinkSync(join(base, "victim"), join(taskFolder, "local/app"));
    await fetch({ source: kept("a.tar", await tarOf([{ name: "app/run", text: "r" }])) });
    expect(below(join(base, "victim"))).toEqual({});
    expect(below(taskFolder)).toEqual({ "local/app/run": "r" });
  });

  test("more files or bytes than allowed are refused", async () => {
    const many = await tarOf(Array.from({ length: 6 }, (_, i) => ({ name: `f${i}`, text: "12345" })));
    const source = kept("a.tar", many);
    expect((await refusal(fetch({ source }, { limits: { files: 5 } }))).message).toContain("more than 5 files");
    const bomb = kept("b.tar.gz", gzipSync(await tarOf([{ name: "big", text: "0".repeat(1_000_000) }])));
    expect((await refusal(fetch({ source: bomb }, { limits: { unpackedBytes: 100_000 } }))).message).toContain(
      "more than 100.0 kB",
    );
    expect((await refusal(fetch({ source }, { limits: { downloadedBytes: 100 } }))).message).toContain(
      "larger than 100 B",
    );
    expect(below(taskFolder)).toEqual({});
  });
});

describe("a checksum", () => {
  test.each(["md5", "sha1", "sha256", "sha512"])("of %s fits, with its type or without", async (algorithm) => {
    const source = kept("a", "A");
    await fetch({ source, options: { checksum: `${algorithm}:${hex(algorithm, "A")}` } });
    await fetch({ source: `${source}?checksum=${hex(algorithm, "A").toUpperCase()}`, destination: "local/2" });
    expect(below(taskFolder)).toEqual({ "local/a": "A", "local/2/a": "A" });
  });

  test("that is another one shows both, and nothing is unpacked or kept", async () => {
    const bytes = gzipSync(await tarOf([{ name: "../evil", text: "e" }]));
    const address = await serveFiles({ "/a.tgz": bytes });
    const checksum = `sha256:${"0".repeat(64)}`;
    const error = await refusal(fetch({ source: `${address}/a.tgz`, options: { checksum } }));
    expect(error.message).toBe(
      `What came from ${address}/a.tgz has another sha256 checksum than was asked for:\n` +
        `  expected ${"0".repeat(64)}\n       got ${hex("sha256", bytes)}\n` +
        "Nothing of it was kept. If the new file is the one you want, correct the checksum that is asked for.",
    );
    expect(error.kind).toBe(artifactErrors.wrongChecksum);
    expect(below(taskFolder)).toEqual({});
  });

  test.each([
    { name: "lines of sha256sum", text: `${hex("sha256", "B")}  other\n${hex("sha256", "A")} *dist/a\n` },
    { name: "BSD's lines", text: `SHA1 (b) = ${hex("sha1", "B")}\nSHA1 (a) = ${hex("sha1", "A")}\n` },
    { name: "one digest alone", text: `${hex("md5", "A")}\n` },
  ])("comes from a file with $name", async ({ text }) => {
    const address = await serveFiles({ "/a": "A", "/sums": text });
    await fetch({ source: `${address}/a`, options: { checksum: `file:${address}/sums` } });
    expect(below(taskFolder)).toEqual({ "local/a": "A" });
  });

  test("that a file does not name is refused", async () => {
    const address = await serveFiles({ "/a": "A", "/sums": `${hex("md5", "B")}  b\n${hex("md5", "C")}  c\n` });
    const error = await refusal(fetch({ source: `${address}/a`, options: { checksum: `file:${address}/sums` } }));
    expect(error.message).toContain(`The checksum file ${address}/sums does not name a`);
  });

  test("that is none is refused before anything is asked for", async () => {
    const error = await refusal(fetch({ source: "http://127.0.0.1:1/a", options: { checksum: "sha256:abc" } }));
    expect(error.message).toContain('The checksum "sha256:abc" is none');
  });
});

describe("the operator's mirrors", () => {
  test("stand in for an address that cannot be reached, and the job stays as it is", async () => {
    const bytes = gzipSync(await tarOf([{ name: "myapp.tar", text: "image" }]));
    const address = await serveFiles({ "/myorg/myapp.tar.gz": bytes });
    await fetch(
      { source: "https://s3.amazonaws.com/myorg/myapp.tar.gz", options: { archive: "tar.gz" } },
      { mirrors: { "https://s3.amazonaws.com/": `${address}/`, "https://": "http://127.0.0.1:1/" } },
    );
    expect(below(taskFolder)).toEqual({ "local/myapp.tar": "image" });
  });

  test("are named where they do not have it", async () => {
    const address = await serveFiles({});
    const error = await refusal(
      fetch({ source: "https://s3.amazonaws.com/a" }, { mirrors: { "https://s3.amazonaws.com/": `${address}/b/` } }),
    );
    expect(error.message).toBe(
      `https://s3.amazonaws.com/a (asked for at ${address}/b/a) is not there (HTTP 404). Look at the artifact's source.`,
    );
  });
});

describe("what goes wrong is said", () => {
  test("nobody listens; the login and the query are not shown", async () => {
    const error = await refusal(fetch({ source: "http://user:pass@127.0.0.1:1/a?token=s3cret" }));
    expect(error.message).toBe(
      "http://127.0.0.1:1/a cannot be downloaded: no answer from 127.0.0.1:1 (connection refused). " +
        "Look whether it runs, and whether this node may reach it (a proxy is set with HTTPS_PROXY).",
    );
    expect(error.kind.retryable).toBe(true);
  });

  test.each([
    { source: "git::https://example.com/repo.git", says: "begins with git::, which nothing here fetches" },
    { source: "s3::https://s3.amazonaws.com/b/k", says: "https://BUCKET.s3.amazonaws.com/KEY" },
    { source: "s3://bucket/key", says: "begins with s3://" },
    { source: "gcs::https://www.googleapis.com/storage/v1/b/k", says: "begins with gcs::" },
    { source: "github.com/hashicorp/go-getter", says: "Did you mean https://github.com/hashicorp/go-getter?" },
    { source: "./local.tar", says: "has no scheme" },
    { source: "git@github.com:a/b.git", says: "has no scheme" },
    { source: "http://", says: "is no address" },
  ])("a source that nothing here fetches: $source", async ({ source, says }) => {
    const error = await refusal(fetch({ source }));
    expect(error.message).toContain(says);
    expect(error.kind).toBe(artifactErrors.refused);
  });

  test("redirects that go in a circle, or that never end", async () => {
    const address = await serve((request, response) => {
      const next = request.url === "/a" ? "/b" : request.url === "/b" ? "/a" : `${request.url}x`;
      response.writeHead(302, { location: next }).end();
    });
    expect((await refusal(fetch({ source: `${address}/a` }))).message).toContain("redirects in a circle, back to");
    expect((await refusal(fetch({ source: `${address}/x` }))).message).toContain("redirects more than 10 times");
  });

  test("a redirect to another server is followed without the job's headers", async () => {
    const seen: unknown[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers["x-token"]);
      response.end("A");
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const to = `http://127.0.0.1:${(other.address() as AddressInfo).port}/real`;
    const address = await serve((_, response) => response.writeHead(307, { location: to }).end());
    await fetch({ source: `${address}/a`, headers: { "X-Token": "t" } });
    other.close();
    expect(seen).toEqual([undefined]);
    expect(below(taskFolder)).toEqual({ "local/a": "A" });
  });

  test("a connection that breaks in the middle leaves nothing behind", async () => {
    const address = await serve((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setTimeout(() => response.destroy(), 20);
    });
    const error = await refusal(fetch({ source: `${address}/a` }));
    expect(error.message).toContain("broke while");
    expect(below(taskFolder)).toEqual({});
  });

  test("a server that sends nothing for long, and a download that takes too long", async () => {
    const address = await serve(() => undefined);
    const idle = await refusal(fetch({ source: `${address}/a` }, { limits: { idleMilliseconds: 50 } }));
    expect(idle.message).toContain("nothing came for");
    const late = await refusal(fetch({ source: `${address}/a` }, { limits: { milliseconds: 50 } }));
    expect(late.kind).toBe(artifactErrors.late);
  });

  test("the end of a wait that the caller has ended is the caller's reason", async () => {
    const address = await serve(() => undefined);
    const controller = new AbortController();
    const fetching = fetch({ source: `${address}/a` }, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("stopped")), 20);
    await expect(fetching).rejects.toThrow("stopped");
    expect(below(taskFolder)).toEqual({});
  });

  test.each([
    { name: "a.tar.gz", bytes: "<html>", says: "cannot be unpacked as tar.gz" },
    { name: "a.tar", bytes: "x".repeat(2_048), says: "cannot be unpacked as tar" },
    { name: "a.zip", bytes: "PK nothing", says: "cannot be unpacked as zip" },
    { name: "a.tar.xz", bytes: "nothing", says: "cannot be unpacked as tar.xz" },
  ])("a damaged $name", async ({ name, bytes, says }) => {
    const error = await refusal(fetch({ source: kept(name, bytes) }));
    expect(error.message).toContain(says);
    expect(error.kind).toBe(artifactErrors.damaged);
    expect(below(taskFolder)).toEqual({});
  });

  test("an archive that is cut off", async () => {
    const bytes = await tarOf([{ name: "a", text: "0".repeat(10_000) }]);
    const error = await refusal(fetch({ source: kept("a.tar", bytes.subarray(0, 5_000)) }));
    expect(error.message).toContain("truncated");
    expect(below(taskFolder)).toEqual({});
  });

  test("a file that is not on the node", async () => {
    const error = await refusal(fetch({ source: join(base, "nothing") }));
    expect(error.message).toContain("has to be on every node");
  });
});

test("a long download tells how far it is", async () => {
  const address = await serve((_, response) => {
    response.writeHead(200, { "content-length": "2000000" });
    response.write("0".repeat(1_000_000));
    setTimeout(() => response.end("0".repeat(1_000_000)), 20);
  });
  const said: string[] = [];
  let now = 0;
  const clock = { now: () => now, monotonic: () => (now += 2_000), sleep: () => Promise.resolve() };
  await fetch({ source: `${address}/a` }, { clock, progress: (text) => said.push(text) });
  expect(said.at(-1)).toMatch(/^Downloading http:\/\/127\.0\.0\.1:\d+\/a: [\d.]+ MB of 2\.0 MB \(\d+ %\)$/);
});

test("what an agent that was killed has left is removed", async () => {
  mkdirSync(join(taskFolder, "local/.millwright-artifact-1-abc"));
  writeFileSync(join(taskFolder, "local/.millwright-artifact-1-abc/file"), "half");
  await fetch({ source: kept("a", "A") });
  expect(below(taskFolder)).toEqual({ "local/a": "A" });
});

test("a proxy of the environment is asked", async () => {
  const asked: string[] = [];
  const proxy = await serve((request, response) => {
    asked.push(request.url!);
    response.end("A");
  });
  await fetch({ source: "http://artifacts.example/a" }, { env: { HTTP_PROXY: proxy } });
  expect(asked).toEqual(["http://artifacts.example/a"]);
});

test("artifacts of one task may be fetched at once", async () => {
  const sources = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => kept(`${i}.tar`, await tarOf([{ name: `d/${i}`, text: `${i}` }]))),
  );
  await Promise.all(sources.map((source) => fetch({ source })));
  expect(Object.keys(below(taskFolder)).toSorted()).toEqual(["0", "1", "2", "3", "4"].map((i) => `local/d/${i}`));
});
