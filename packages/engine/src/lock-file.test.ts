import { describe, expect, test } from "vitest";
import type { Files, ProviderRegistry } from "./ports.ts";
import { installedVersions, lockFileName, readLockFile, unservedInstalls, unservedLocks } from "./lock-file.ts";
import { parseProviderSource, providerSourceText } from "./addresses.ts";

const folder = (text?: string): Files => ({
  read: (path) => (path === lockFileName && text !== undefined ? new TextEncoder().encode(text) : undefined),
  list: () => [],
});

const consul = parseProviderSource("hashicorp/consul")!;
const registry: ProviderRegistry = {
  find: (source) =>
    providerSourceText(source) === providerSourceText(consul)
      ? { source, version: "2.21.0", origin: "built-in", start: () => Promise.reject(new Error("not started here")) }
      : undefined,
  known: () => [consul],
};

const entry = (version: string) => `provider "registry.terraform.io/hashicorp/consul" {
  version     = "${version}"
  constraints = "~> 2.20"
  hashes = [
    "h1:AAAA=",
  ]
}
`;

describe("a provider lock file", () => {
  test("that is not there pins nothing", () => {
    expect(readLockFile(folder())).toEqual({ value: [], diagnostics: [] });
  });

  test("gives the version of each provider, with its place", () => {
    const { value, diagnostics } = readLockFile(folder(entry("2.21.0")));
    expect(diagnostics).toEqual([]);
    expect(value.map(({ source, version, range }) => [source.type, version, range.start.line])).toEqual([
      ["consul", "2.21.0", 2],
    ]);
  });

  test.each([
    { name: "a version that is served", version: "2.21.0", want: [] },
    { name: "another version", version: "2.20.0", want: ["Locked provider version is not available"] },
  ])("with $name", ({ version, want }) => {
    expect(unservedLocks(readLockFile(folder(entry(version))).value, registry).map((d) => d.summary)).toEqual(want);
  });

  test.each([
    { name: "a block of another kind", text: "module {}\n" },
    { name: "no version", text: 'provider "hashicorp/consul" {}\n' },
    { name: "half a block", text: 'provider "hashicorp/consul" {\n' },
  ])("with $name is refused", ({ text }) => {
    expect(readLockFile(folder(text)).diagnostics.some((d) => d.severity === "error")).toBe(true);
  });
});

describe("a provider binary that is installed in the folder", () => {
  const installed = (...versions: string[]): Files => ({
    read: () => undefined,
    list: (path) => (path === ".terraform/providers/registry.terraform.io/hashicorp/consul" ? versions : undefined),
  });

  test.each([
    { name: "none", versions: [], want: [] },
    { name: "the version that is served", versions: ["2.20.0", "2.21.0"], want: [] },
    { name: "another version", versions: ["2.20.0"], want: ["Installed provider cannot be run"] },
  ])("$name", ({ versions, want }) => {
    expect(installedVersions(installed(...versions), consul)).toEqual(versions);
    expect(unservedInstalls(installed(...versions), registry).map((d) => d.summary)).toEqual(want);
  });
});
