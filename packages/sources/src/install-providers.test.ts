import { lstatSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { type FakeContents, FakeRegistry } from "../test/fake-registry.ts";
import { sourcesOf } from "../test/sources-of.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { originOfFolders, originOfMirror, originOfRegistries } from "./chosen-origin.ts";
import { type InstallOptions, type InstallResult, installProviders } from "./install-providers.ts";
import { type LockedProvider, lockFileText, type Locks } from "./lock-file.ts";
import { currentPlatform, platformText } from "./platform.ts";
import { parseProviderConstraints } from "./provider-constraints.ts";
import { ProviderFolder, programIn } from "./provider-folder.ts";
import { parseProviderSource, providerSourceText } from "./provider-source.ts";

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function started(contents: FakeContents): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(contents);
  ends.push(() => registry.close());
  return registry;
}

function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): TemporaryFolder {
  const made = new TemporaryFolder(files);
  ends.push(() => made.remove());
  return made;
}

const thing = { name: "acme/thing", versions: ["1.0.0", "1.2.0", "2.0.0", "2.1.0-beta1"] };

interface Run {
  readonly result: InstallResult;
  readonly told: readonly string[];
}

/** Installs `acme/thing` of a registry into a folder. */
async function install(
  registry: FakeRegistry,
  into: TemporaryFolder,
  options: Partial<InstallOptions> & { readonly constraints?: string } = {},
): Promise<Run> {
  const { http, discovery } = sourcesOf(registry);
  const told: string[] = [];
  const result = await installProviders(
    [{ source: sourceIn(registry), constraints: parseProviderConstraints(options.constraints ?? "")! }],
    {
      origin: originOfRegistries(discovery),
      http,
      locks: new Map(),
      installed: new ProviderFolder(into.path),
      upgrade: false,
      tell: async (event) => {
        told.push("version" in event ? `${event.kind} ${event.version}` : event.kind);
      },
      ...options,
    },
  );
  return { result, told };
}

const sourceIn = ({ host }: FakeRegistry) => parseProviderSource(`${host}/acme/thing`)!;
const lockOf = (registry: FakeRegistry, { locks }: InstallResult) => locks.get(providerSourceText(sourceIn(registry)))!;
const faultsOf = ({ failures }: InstallResult) => failures.map(({ error }) => error.message);

function locked(registry: FakeRegistry, lock: Partial<LockedProvider>): Locks {
  const source = sourceIn(registry);
  return new Map([[providerSourceText(source), { source, version: "1.0.0", constraints: "", hashes: [], ...lock }]]);
}

describe("a provider from its registry", () => {
  test("is installed in the newest version that is allowed, with the signed checksums of all platforms", async () => {
    const registry = await started({ providers: [thing] });
    const into = folder();
    const { result, told } = await install(registry, into, { constraints: "~> 1.0" });
    expect(told).toEqual(["finding", "installing 1.2.0", "installed 1.2.0"]);
    const { version, constraints, hashes } = lockOf(registry, result);
    expect({ version, constraints }).toEqual({ version: "1.2.0", constraints: "~> 1.0" });
    expect(hashes.map((hash) => hash.slice(0, 3)).sort()).toEqual(["h1:", "zh:", "zh:", "zh:"]);
    expect(result.incomplete).toEqual([]);
    const program = programIn(
      new ProviderFolder(into.path).packagePath(sourceIn(registry), "1.2.0"),
      sourceIn(registry),
    );
    expect(readFileSync(program!, "utf8")).toContain(`acme/thing 1.2.0 ${platformText(currentPlatform)}`);
    expect(lstatSync(program!).mode & 0o111).not.toBe(0);
  });

  test("that is there as it is locked is asked for nowhere", async () => {
    const registry = await started({ providers: [thing] });
    const into = folder();
    const first = await install(registry, into);
    registry.log.length = 0;
    const { result, told } = await install(registry, into, { locks: first.result.locks });
    expect(told).toEqual(["reusing", "there 2.0.0"]);
    expect(registry.log).toEqual([]);
    expect(lockFileText(result.locks)).toBe(lockFileText(first.result.locks));
  });

  test("stays at its locked version until an upgrade is asked for", async () => {
    const registry = await started({ providers: [thing] });
    const locks = locked(registry, { version: "1.0.0" });
    expect((await install(registry, folder(), { locks })).told).toContain("installed 1.0.0");
    expect((await install(registry, folder(), { locks, upgrade: true })).told).toContain("installed 2.0.0");
  });

  test("is sent the token of its host", async () => {
    const registry = await started({ providers: [thing], token: "s3cret" });
    const credentials = new Map([[registry.host, "s3cret"]]);
    const { http, discovery } = sourcesOf(registry, { credentials });
    const origin = originOfRegistries(discovery);
    expect(await origin.versions(sourceIn(registry))).toMatchObject({ versions: thing.versions });
    const without = await install(registry, folder());
    expect(faultsOf(without.result)).toEqual([expect.stringMatching(/refused with 401.*TF_TOKEN_/)]);
    expect(http.signal.aborted).toBe(false);
  });

  test("may be said to be old by its registry", async () => {
    const registry = await started({ providers: [{ ...thing, warnings: ["use another"] }] });
    expect((await install(registry, folder())).told).toContain("warning");
  });
});

describe("a provider is not installed", () => {
  const sums = "terraform-provider-thing_2.0.0_SHA256SUMS";
  const archive = `terraform-provider-thing_2.0.0_${platformText(currentPlatform)}.zip`;
  const cases: readonly { name: string; contents: FakeContents; constraints?: string; want: RegExp }[] = [
    { name: "that its registry does not know", contents: {}, want: /There is no provider .*answered with 404/ },
    {
      name: "of which no version is allowed",
      contents: { providers: [thing] },
      constraints: "~> 3.0",
      want: /no available releases match the given constraints ~> 3\.0; there are 1\.0\.0, 1\.2\.0, 2\.0\.0/,
    },
    {
      name: "that is not made for this platform",
      contents: { providers: [{ ...thing, platforms: ["plan9_386"] }] },
      want: /is not available for /,
    },
    {
      name: "whose package is another one than its registry says",
      contents: { providers: [thing], wrong: { [archive]: Buffer.from("PK") } },
      want: /is not what its registry says: its SHA-256 is /,
    },
    {
      name: "whose list of checksums does not have it",
      contents: { providers: [thing], wrong: { [sums]: Buffer.from(`${"0".repeat(64)}  other.zip\n`) } },
      want: /list of checksums .* does not have /,
    },
    {
      name: "whose list of checksums nobody has signed",
      contents: { providers: [thing], wrong: { [`${sums}.sig`]: Buffer.from("no signature") } },
      want: /signature of the .* cannot be read/,
    },
    {
      name: "whose registry answers with an error",
      contents: { providers: [thing], wrong: { versions: 503 } },
      want: /answered with 503.*Try again later/,
    },
    {
      name: "whose registry answers with no JSON",
      contents: { providers: [thing], wrong: { versions: Buffer.from("<html>") } },
      want: /is no JSON/,
    },
  ];
  for (const { name, contents, constraints, want } of cases)
    test(name, async () => {
      const registry = await started(contents);
      const into = folder();
      const { result } = await install(registry, into, constraints === undefined ? {} : { constraints });
      expect(faultsOf(result)).toEqual([expect.stringMatching(want)]);
      expect(result.locks.size).toBe(0);
      expect(new ProviderFolder(into.path).versions(sourceIn(registry))).toEqual([]);
    });

  test("whose checksums another key has signed", async () => {
    const [registry, other] = await Promise.all([started({ providers: [thing] }), started({ providers: [thing] })]);
    const name = "terraform-provider-thing_2.0.0_SHA256SUMS.sig";
    const { http } = sourcesOf(other);
    const forged = await http.bytes(new URL(`https://${other.host}/files/acme/thing/${name}`), "signature");
    const lying = await started({ providers: [thing], wrong: { [name]: Buffer.from(forged) } });
    const { result } = await install(lying, folder());
    expect(faultsOf(result)).toEqual([expect.stringMatching(/signed by none of the keys that its registry names/)]);
    expect((await install(registry, folder())).result.failures).toEqual([]);
  });

  test("that has none of the checksums of the lock file", async () => {
    const registry = await started({ providers: [thing] });
    const locks = locked(registry, { version: "2.0.0", hashes: [`zh:${"0".repeat(64)}`] });
    const { result } = await install(registry, folder(), { locks });
    expect(faultsOf(result)).toEqual([
      expect.stringMatching(/any of the checksums previously recorded.*providers lock/),
    ]);
  });

  test("whose locked version is not allowed any more", async () => {
    const registry = await started({ providers: [thing] });
    const { result } = await install(registry, folder(), { locks: locked(registry, {}), constraints: "~> 2.0" });
    expect(faultsOf(result)).toEqual([expect.stringMatching(/does not match configured .* -upgrade/)]);
    expect(registry.log).toEqual([]);
  });
});

describe("a provider from elsewhere", () => {
  test("comes from a network mirror, with the checksum that the mirror says", async () => {
    const registry = await started({ providers: [thing] });
    const { discovery } = sourcesOf(registry);
    const origin = originOfMirror(discovery, new URL(`https://${registry.host}/mirror/`));
    const { result, told } = await install(registry, folder(), { origin });
    expect(told).toEqual(["finding", "installing 2.0.0", "installed 2.0.0"]);
    expect(lockOf(registry, result).hashes).toEqual([expect.stringMatching(/^h1:/)]);
    expect(result.incomplete).toHaveLength(1);
    expect(registry.log).not.toContain("GET /.well-known/terraform.json");
  });

  test("is unpacked from a folder of packed ones", async () => {
    const registry = await started({ providers: [thing] });
    const platform = platformText(currentPlatform);
    const name = `${registry.host}/acme/thing/terraform-provider-thing_1.2.0_${platform}.zip`;
    const mirror = folder({ [name]: registry.packageOf("acme/thing", "1.2.0", platform) });
    const into = folder();
    const { told } = await install(registry, into, { origin: originOfFolders([mirror.path]) });
    expect(told).toEqual(["finding", "installing 1.2.0", "installed 1.2.0"]);
    expect(new ProviderFolder(into.path).versions(sourceIn(registry))).toEqual(["1.2.0"]);
  });

  test("is linked to where a folder has it unpacked", async () => {
    const registry = await started({});
    const place = `${registry.host}/acme/thing/1.2.0/${platformText(currentPlatform)}`;
    const mirror = folder({ [`${place}/terraform-provider-thing`]: "program" });
    const into = folder();
    await install(registry, into, { origin: originOfFolders([mirror.path]) });
    const path = new ProviderFolder(into.path).packagePath(sourceIn(registry), "1.2.0");
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });
});

describe("a cache that folders share", () => {
  test("is filled, and taken from where the lock file says that it is right", async () => {
    const registry = await started({ providers: [thing] });
    const cache = { folder: folder().path, mayBreakLockFile: false };
    const first = await install(registry, folder(), { cache });
    registry.log.length = 0;
    const second = await install(registry, folder(), { cache, locks: first.result.locks });
    expect(second.told).toEqual(["reusing", "cached 2.0.0"]);
    expect(registry.log).toEqual([]);
    expect(lockFileText(second.result.locks)).toBe(lockFileText(first.result.locks));
  });

  test("is not taken from where nothing is locked, unless that is allowed", async () => {
    const registry = await started({ providers: [thing] });
    const cache = { folder: folder().path, mayBreakLockFile: false };
    await install(registry, folder(), { cache });
    expect((await install(registry, folder(), { cache })).told).toContain("installed 2.0.0");
    const free = await install(registry, folder(), { cache: { ...cache, mayBreakLockFile: true } });
    expect(free.told).toEqual(["finding", "cached 2.0.0"]);
    expect(lockOf(registry, free.result).hashes).toEqual([expect.stringMatching(/^h1:/)]);
  });
});
