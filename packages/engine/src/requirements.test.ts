import { describe, expect, test } from "vitest";
import { loadConfiguration } from "./load/load.ts";
import { filesOf } from "./node-files.ts";
import type { ProviderOffer, ProviderRegistry } from "./ports.ts";
import { checkRequirements } from "./requirements.ts";
import { messages } from "./testing/test-engine.ts";

/** Offers `millwright/test` 1.4.2 and nothing else. */
function registry(origin: ProviderOffer["origin"]): ProviderRegistry {
  return {
    find: (source) =>
      source.type === "test"
        ? { source, version: "1.4.2", origin, start: () => Promise.reject(new Error("nothing is started here")) }
        : undefined,
    known: () => [],
  };
}

function check(files: Readonly<Record<string, string>>, origin: ProviderOffer["origin"] = "built-in"): string[] {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  const { value } = loadConfiguration(filesOf(bytes), { tofuFiles: true });
  return messages(checkRequirements(value, registry(origin)));
}

const core = (constraint: string) => ({ "main.tf": `terraform {\n required_version = "${constraint}"\n}\n` });
const provider = (constraint: string, type = "test") => ({
  "main.tf": `terraform {\n required_providers {\n p = {\n source = "millwright/${type}"\n version = "${constraint}"\n }\n }\n}\n`,
});

describe("a configuration's requirements are met", () => {
  const cases: readonly { name: string; files: Readonly<Record<string, string>> }[] = [
    { name: "where there are none", files: { "main.tf": "" } },
    { name: "by the Terraform version that is served", files: core("~> 1.11") },
    { name: "by the version of the provider", files: provider(">= 1.0, < 2.0") },
    { name: "by a provider that is not there, whose absence is told elsewhere", files: provider("9.9.9", "none") },
  ];
  for (const { name, files } of cases) test(name, () => expect(check(files)).toEqual([]));
});

describe("a configuration's requirements are not met", () => {
  const cases: readonly {
    name: string;
    files: Readonly<Record<string, string>>;
    origin?: ProviderOffer["origin"];
    want: RegExp;
  }[] = [
    {
      name: "by an older Terraform",
      files: core(">= 99.0"),
      want: /^error: Unsupported Terraform Core version: .*asks for Terraform >= 99.0, .* serves Terraform 1\.11\.4/,
    },
    {
      name: "by the provider that is built in",
      files: provider("~> 2.0"),
      want: /^error: Unsuitable provider version: .*millwright\/test ~> 2\.0, .*built in is version 1\.4\.2/,
    },
    {
      name: "by the provider that is installed",
      files: provider("1.4.1"),
      origin: "installed",
      want: /installed is version 1\.4\.2/,
    },
    { name: "where a constraint on Terraform is none", files: core("one"), want: /Invalid version constraint: "one"/ },
    {
      name: "where a constraint on a provider is none",
      files: provider("=> 1"),
      want: /Invalid version constraint: "=> 1"/,
    },
    {
      name: "in a module",
      files: {
        "main.tf": 'module "m" {\n source = "./m"\n}\n',
        "m/main.tf": core("< 1.0")["main.tf"],
      },
      want: /asks for Terraform < 1\.0/,
    },
  ];
  for (const { name, files, origin, want } of cases) {
    test(name, () => expect(check(files, origin)).toEqual([expect.stringMatching(want)]));
  }
});

test("everything that is not met is said at once", () => {
  const both = { "main.tf": core("< 1.0")["main.tf"] + provider("> 2.0")["main.tf"] };
  expect(check(both)).toHaveLength(2);
});
