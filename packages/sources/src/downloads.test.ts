import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@millwright/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { type FakeContents, FakeRegistry } from "../test/fake-registry.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { SourceHttp } from "./http.ts";
import { currentPlatform, platformText } from "./platform.ts";

/* What servers do wrong, and what kills leave behind: the program itself beside a registry that fails. */

const millwright = fileURLToPath(new URL("../../cli/bin/millwright", import.meta.url));
const platform = platformText(currentPlatform);
const packed = `terraform-provider-thing_1.0.0_${platform}.zip`;
const thing = { name: "acme/thing", versions: ["1.0.0"] };

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(contents: FakeContents): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start({ providers: [thing], ...contents });
  ends.push(() => registry.close());
  return registry;
}

function folder(registry: FakeRegistry): TemporaryFolder {
  const main = `terraform {
  required_providers {
    thing = {
      source = "${registry.host}/acme/thing"
    }
  }
}
`;
  const made = new TemporaryFolder({ "main.tf": main, "authority.pem": registry.certificate, "empty.tfrc": "" });
  ends.push(() => made.remove());
  return made;
}

function init(into: TemporaryFolder, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(millwright, ["terraform", "init"], {
    cwd: into.path,
    env: {
      ...process.env,
      TF_CLI_CONFIG_FILE: into.at("empty.tfrc"),
      SSL_CERT_FILE: into.at("authority.pem"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  ends.push(() => void child.kill("SIGKILL"));
  const said = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said.text += String(piece)));
  return { child, said, ended: endOf(child, said) };
}

async function endOf(child: ChildProcess, said: { readonly text: string }) {
  const [code] = (await once(child, "close")) as [number | null];
  return { code, text: said.text };
}

const programIn = (registry: FakeRegistry, providers: string) =>
  join(providers, registry.host, "acme/thing/1.0.0", platform, "terraform-provider-thing_v1.0.0");
const versionFolder = (registry: FakeRegistry, providers: string) => join(providers, registry.host, "acme/thing/1.0.0");

describe("an init", () => {
  test("goes on where servers are busy for a moment and connections break", async () => {
    const faults = { versions: [503], "terraform.json": [429], [packed]: ["broken", 502] } as const;
    const registry = await started({ faults });
    const into = folder(registry);
    const { code, text } = await init(into).ended;
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("Installed") });
    expect(registry.log.filter((line) => line.endsWith(packed))).toHaveLength(3);
    expect(existsSync(programIn(registry, into.at(".terraform/providers")))).toBe(true);
  });

  test("fails where they go on failing, and leaves nothing", async () => {
    const registry = await started({ faults: { [packed]: ["broken", "broken"] } });
    const into = folder(registry);
    const { code, text } = await init(into, { TF_PROVIDER_DOWNLOAD_RETRY: "1" }).ended;
    expect({ code, text }).toMatchObject({
      code: 1,
      text: expect.stringMatching(/broke while[\s\S]*was[\s│]+downloaded/),
    });
    expect(readdirSync(versionFolder(registry, into.at(".terraform/providers")))).toEqual([]);
    expect(existsSync(into.at(".terraform.lock.hcl"))).toBe(false);
  });

  test("that is killed within a download is run again, and nothing of the first is left", async () => {
    const registry = await started({ faults: { [packed]: ["stalled"] } });
    const into = folder(registry);
    const { child, ended } = init(into);
    const place = versionFolder(registry, into.at(".terraform/providers"));
    await expect.poll(() => existsSync(place) && readdirSync(place).length, { timeout: 20_000 }).toBe(1);
    child.kill("SIGKILL");
    await ended;
    expect(readdirSync(place)).toEqual([expect.stringMatching(/^\./)]);
    expect((await init(into).ended).code).toBe(0);
    expect(readdirSync(place)).toEqual([platform]);
    expect(existsSync(programIn(registry, into.at(".terraform/providers")))).toBe(true);
  });

  test("and others at once share a cache", async () => {
    const registry = await started({});
    const cache = new TemporaryFolder();
    ends.push(() => cache.remove());
    const folders = [1, 2, 3, 4].map(() => folder(registry));
    const runs = folders.map((into) => init(into, { TF_PLUGIN_CACHE_DIR: cache.path }).ended);
    for (const { code, text } of await Promise.all(runs)) expect({ code, text }).toMatchObject({ code: 0 });
    expect(readdirSync(versionFolder(registry, cache.path))).toEqual([platform]);
    const programs = folders.map((into) => readFileSync(programIn(registry, into.at(".terraform/providers")), "utf8"));
    expect(new Set(programs).size).toBe(1);
  });
});

test("a server that is busy is asked again when it says so; a long download is told of", async () => {
  const pauses: number[] = [];
  let asked = 0;
  let now = 0;
  const server = createServer((_, response) => {
    if (asked++ === 0) response.writeHead(429, { "retry-after": "7" }).end();
    else response.writeHead(200, { "content-length": 9 }).end("something");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const told: unknown[] = [];
  const http = new SourceHttp({
    env: {},
    signal: new AbortController().signal,
    // Each look at it is six seconds later.
    clock: { ...systemClock, monotonic: () => (now += 6_000), sleep: async (pause) => void pauses.push(pause) },
  }).telling(async (progress) => void told.push(progress));
  const into = new TemporaryFolder();
  ends.push(() => into.remove());
  await http.download(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`), into.at("x"), "thing");
  expect(pauses).toEqual([7_000]);
  expect(readFileSync(into.at("x"), "utf8")).toBe("something");
  expect(told.at(-1)).toEqual({ received: 9, total: 9 });
});
