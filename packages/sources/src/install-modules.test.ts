import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { wholeFile } from "@millwright/core/source";
import { afterEach, describe, expect, test } from "vitest";
import { type FakeContents, FakeRegistry } from "../test/fake-registry.ts";
import { sourcesOf } from "../test/sources-of.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { zipOf } from "../test/zip-file.ts";
import { ModuleInstaller, type ModuleInstallOptions, type ModuleNeed } from "./install-modules.ts";
import type { InstalledModule } from "./module-manifest.ts";
import { ModuleRegistry } from "./module-registry.ts";

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function started(contents: FakeContents): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(contents);
  ends.push(() => registry.close());
  return registry;
}

function folder(files: Readonly<Record<string, string>> = {}): TemporaryFolder {
  const made = new TemporaryFolder(files);
  ends.push(() => made.remove());
  return made;
}

/** A git repository of these files, with a tag `v1`, and a later commit in which `main.tf` is other. */
function repository(files: Readonly<Record<string, string>>): TemporaryFolder {
  const made = folder(files);
  const git = (...args: readonly string[]) => {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    const { status, stderr } = spawnSync("git", [...identity, ...args], { cwd: made.path, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  };
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "first");
  git("tag", "v1");
  made.write("main.tf", "# later\n");
  git("commit", "-qam", "second");
  return made;
}

function installer(registry: FakeRegistry, into: TemporaryFolder, options: Partial<ModuleInstallOptions> = {}) {
  const { http, discovery } = sourcesOf(registry, {}, { PATH: process.env["PATH"] ?? "" });
  return new ModuleInstaller({
    folder: into.path,
    data: into.at(".terraform"),
    registry: new ModuleRegistry(discovery),
    http,
    installed: new Map(),
    upgrade: false,
    tell: async () => undefined,
    ...options,
  });
}

const need = (source: string, version?: string, key = "net"): ModuleNeed => ({
  key,
  source,
  range: wholeFile("main.tf"),
  ...(version === undefined ? {} : { version }),
});

function installed(answer: Awaited<ReturnType<ModuleInstaller["install"]>>): InstalledModule {
  if ("severity" in answer) throw new Error(`${answer.summary}: ${answer.detail}`);
  return answer;
}

const net = {
  name: "acme/net/aws",
  versions: {
    "1.0.0": { "main.tf": "# 1.0\n", "modules/s/main.tf": "# s\n" },
    "1.1.0": { "main.tf": "# 1.1\n" },
    "2.0.0-rc1": { "main.tf": "# 2\n" },
  },
};

describe("a module of a registry", () => {
  test("is installed in the newest version that is allowed", async () => {
    const registry = await started({ modules: [net] });
    const into = folder();
    const source = `${registry.host}/acme/net/aws`;
    const module = installed(await installer(registry, into).install(need(source, "~> 1.0")));
    expect(module).toEqual({ key: "net", source, version: "1.1.0", folder: ".terraform/modules/net" });
    expect(readFileSync(into.at(".terraform/modules/net/main.tf"), "utf8")).toBe("# 1.1\n");
  });

  test("may be a part of its package, which is fetched once for all that want it", async () => {
    const registry = await started({ modules: [net] });
    const into = folder();
    const modules = installer(registry, into);
    const source = `${registry.host}/acme/net/aws`;
    installed(await modules.install(need(source, "1.0.0", "a")));
    const part = installed(await modules.install(need(`${source}//modules/s`, "1.0.0", "b")));
    expect(part.folder).toBe(".terraform/modules/b/modules/s");
    expect(registry.log.filter((line) => line.endsWith("/1.0.0.zip"))).toHaveLength(1);
  });

  test("that is there is fetched again only for an upgrade", async () => {
    const registry = await started({ modules: [net] });
    const into = folder();
    const source = `${registry.host}/acme/net/aws`;
    const first = installed(await installer(registry, into).install(need(source, "1.0.0")));
    const there = new Map([["net", first]]);
    expect(installed(await installer(registry, into, { installed: there }).install(need(source))).version).toBe(
      "1.0.0",
    );
    const upgraded = installer(registry, into, { installed: there, upgrade: true });
    expect(installed(await upgraded.install(need(source))).version).toBe("1.1.0");
  });
});

describe("a module from elsewhere", () => {
  test("comes out of a git repository, at the ref that is asked for", async () => {
    const repo = repository({ "main.tf": "# first\n", "s/main.tf": "# s\n" });
    const into = folder();
    const modules = installer(await started({}), into);
    installed(await modules.install(need(`git::file://${repo.path}?ref=v1`)));
    expect(readFileSync(into.at(".terraform/modules/net/main.tf"), "utf8")).toBe("# first\n");
    const shallow = need(`git::file://${repo.path}//s?ref=v1&depth=1`, undefined, "s");
    expect(installed(await modules.install(shallow)).folder).toBe(".terraform/modules/s/s");
  });

  test("comes out of an archive, and has its checksum", async () => {
    const archive = zipOf({ "main.tf": "# packed\n" }, 0o644);
    const sum = createHash("sha256").update(archive).digest("hex");
    const registry = await started({ wrong: { "net.zip": archive } });
    const into = folder();
    const modules = installer(registry, into);
    installed(await modules.install(need(`https://${registry.host}/net.zip?checksum=sha256:${sum}`)));
    expect(readFileSync(into.at(".terraform/modules/net/main.tf"), "utf8")).toBe("# packed\n");
    const other = need(`https://${registry.host}/net.zip?checksum=sha256:${"0".repeat(64)}`, undefined, "other");
    expect(await modules.install(other)).toMatchObject({ detail: expect.stringMatching(/another sha256 checksum/) });
    expect(existsSync(into.at(".terraform/modules/other"))).toBe(false);
  });

  test("is where its server says in a page", async () => {
    const page = Buffer.from('<html><head><meta name="terraform-get" content="/net.zip"></head></html>');
    const wrong = { net: page, "net.zip": zipOf({ "main.tf": "# packed\n" }, 0o644) };
    const registry = await started({ wrong });
    const into = folder();
    installed(await installer(registry, into).install(need(`https://${registry.host}/net`)));
    expect(registry.log).toEqual(["GET /net?terraform-get=1", "GET /net.zip"]);
  });
});

describe("a module is not installed", () => {
  const cases: readonly { name: string; source: string; version?: string; want: RegExp }[] = [
    { name: "whose source says nothing", source: "net", want: /^Invalid module source address: .*"\.\/net"/ },
    {
      name: "that nothing here fetches",
      source: "oci://x.example.com/net",
      want: /is fetched by oci, which is not there\. There are git, hg/,
    },
    {
      name: "whose constraints are none",
      source: "acme/net/aws",
      version: "=> 1",
      want: /^Invalid version constraint/,
    },
    {
      name: "that is in no registry and has a version",
      source: "git::https://git.example.com/net.git",
      version: "1.0",
      want: /is for modules of a registry/,
    },
  ];
  for (const { name, source, version, want } of cases)
    test(name, async () => {
      const answer = await installer(await started({}), folder()).install(need(source, version));
      expect("severity" in answer ? `${answer.summary}: ${answer.detail}` : answer).toMatch(want);
    });

  const reason = async (registry: FakeRegistry, into: TemporaryFolder, wanted: ModuleNeed) => {
    const answer = await installer(registry, into).install(wanted);
    return "severity" in answer ? answer.detail : "installed";
  };

  test("of which no version is allowed", async () => {
    const registry = await started({ modules: [net] });
    const wanted = need(`${registry.host}/acme/net/aws`, "~> 3.0");
    expect(await reason(registry, folder(), wanted)).toMatch(/No version .* The newest one is 2\.0\.0-rc1/);
  });

  test("where the machine keeps no files", async () => {
    const into = folder({ ".terraform": "a file" });
    const answer = await reason(await started({}), into, need(`git::file://${repository({ "main.tf": "" }).path}`));
    expect(answer).toMatch(/ENOTDIR.*Look at that path, and who may write there/);
  });

  test("that has no such part", async () => {
    const repo = repository({ "main.tf": "" });
    const wanted = need(`git::file://${repo.path}//none`);
    expect(await reason(await started({}), folder(), wanted)).toMatch(/no folder none in the package/);
  });

  test("at a ref that is not there", async () => {
    const repo = repository({ "main.tf": "" });
    const wanted = need(`git::file://${repo.path}?ref=none`);
    expect(await reason(await started({}), folder(), wanted)).toMatch(/git ended with 1: .*none/);
  });

  test("whose link leads outside", async () => {
    const source = folder({ "main.tf": "" });
    symlinkSync("/etc/passwd", source.at("secrets.txt"));
    spawnSync("git", ["init", "-q"], { cwd: source.path });
    spawnSync("git", ["add", "."], { cwd: source.path });
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    spawnSync("git", [...identity, "commit", "-qm", "first"], { cwd: source.path });
    const into = folder();
    expect(await reason(await started({}), into, need(`git::file://${source.path}`))).toMatch(
      /link secrets\.txt leads outside/,
    );
    expect(existsSync(into.at(".terraform/modules/net"))).toBe(false);
  });

  test("whose archive reaches outside", async () => {
    const registry = await started({ wrong: { "net.zip": zipOf({ "../evil.tf": "" }) } });
    const into = folder();
    expect(await reason(registry, into, need(`https://${registry.host}/net.zip`))).not.toBe("installed");
    expect(existsSync(into.at(".terraform/modules/evil.tf"))).toBe(false);
  });
});
