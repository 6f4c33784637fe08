import { describe, expect, test } from "vitest";
import { lockFileText, parseLockFile, sameLocks } from "./lock-file.ts";

const parse = (text: string) => parseLockFile(new TextEncoder().encode(text));

const whole = `# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "example.com/a/b" {
  version = "1.0.0-beta1"
}

provider "registry.terraform.io/hashicorp/consul" {
  version     = "2.21.0"
  constraints = ">= 2.0.0, ~> 2.20"
  hashes = [
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
    "zh:0000000000000000000000000000000000000000000000000000000000000000",
  ]
}
`;

describe("a provider lock file", () => {
  test("that holds nothing pins nothing", () => {
    expect(parse("")).toEqual({ value: new Map(), diagnostics: [] });
  });

  test("gives the version of each provider, with its place", () => {
    const { value, diagnostics } = parse(whole);
    expect(diagnostics).toEqual([]);
    const consul = value.get("registry.terraform.io/hashicorp/consul");
    expect(consul).toMatchObject({
      version: "2.21.0",
      constraints: ">= 2.0.0, ~> 2.20",
      range: { start: { line: 9 } },
    });
    expect(consul?.hashes).toHaveLength(2);
  });

  test("is written as it was read", () => {
    expect(lockFileText(parse(whole).value)).toBe(whole);
  });

  test("has its providers, its hashes and its constraints in one order, whatever order they came in", () => {
    const text = `provider "registry.terraform.io/hashicorp/consul" {
      hashes = ["zh:0000000000000000000000000000000000000000000000000000000000000000", "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=", "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0="]
      constraints = "~> 2.20, >= 2"
      version = "2.21.0"
    }
    provider "example.com/a/b" { version = "1.0.0-beta1" }
    `;
    const { value } = parse(text);
    expect(lockFileText(value)).toBe(whole);
    expect(sameLocks(value, parse(whole).value)).toBe(true);
  });

  test.each([
    { name: "a block of another kind", text: "module {}\n" },
    { name: "an address without a host", text: 'provider "hashicorp/consul" {\n version = "1.0.0"\n}\n' },
    { name: "no version", text: 'provider "registry.terraform.io/hashicorp/consul" {}\n' },
    { name: "a version that is none", text: 'provider "registry.terraform.io/hashicorp/consul" { version = "x" }\n' },
    {
      name: "constraints that are none",
      text: 'provider "registry.terraform.io/hashicorp/consul" {\n version = "1.0.0"\n constraints = "=> 1"\n}\n',
    },
    { name: "an entry twice", text: whole + whole },
    { name: "half a block", text: 'provider "hashicorp/consul" {\n' },
  ])("with $name is refused", ({ text }) => {
    expect(parse(text).diagnostics.some((d) => d.severity === "error")).toBe(true);
  });
});
