import { describe, expect, test } from "vitest";
import { loadConfiguration } from "./load/load.ts";
import { filesOf } from "./node-files.ts";
import { checkTerraformVersion } from "./requirements.ts";
import { messages } from "./testing/test-engine.ts";

function check(files: Readonly<Record<string, string>>): string[] {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  const { value } = loadConfiguration(filesOf(bytes), { tofuFiles: true });
  return messages(checkTerraformVersion(value));
}

const core = (constraint: string) => ({ "main.tf": `terraform {\n required_version = "${constraint}"\n}\n` });
describe("a configuration's requirements are met", () => {
  const cases: readonly { name: string; files: Readonly<Record<string, string>> }[] = [
    { name: "where there are none", files: { "main.tf": "" } },
    { name: "by the Terraform version that is served", files: core("~> 1.11") },
  ];
  for (const { name, files } of cases) test(name, () => expect(check(files)).toEqual([]));
});

describe("a configuration's requirements are not met", () => {
  const cases: readonly {
    name: string;
    files: Readonly<Record<string, string>>;
    want: RegExp;
  }[] = [
    {
      name: "by an older Terraform",
      files: core(">= 99.0"),
      want: /^error: Unsupported Terraform Core version: .*asks for Terraform >= 99.0, .* serves Terraform 1\.11\.4/,
    },
    { name: "where a constraint on Terraform is none", files: core("one"), want: /Invalid version constraint: "one"/ },
    {
      name: "in a module",
      files: {
        "main.tf": 'module "m" {\n source = "./m"\n}\n',
        "m/main.tf": core("< 1.0")["main.tf"],
      },
      want: /asks for Terraform < 1\.0/,
    },
  ];
  for (const { name, files, want } of cases) {
    test(name, () => expect(check(files)).toEqual([expect.stringMatching(want)]));
  }
});

test("everything that is not met is said at once", () => {
  const both = { "main.tf": core("< 1.0")["main.tf"], "other.tf": core("> 2.0")["main.tf"] };
  expect(check(both)).toHaveLength(2);
});
