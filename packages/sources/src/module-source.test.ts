import { describe, expect, test } from "vitest";
import { moduleSourceText, parseModuleSource } from "./module-source.ts";

describe("the source of a module", () => {
  const cases: readonly { source: string; kind: string; text?: string; subfolder?: string }[] = [
    { source: "./shop", kind: "local", text: "./shop" },
    { source: "../../", kind: "local", text: "../.." },
    { source: "./a/../b/", kind: "local", text: "./b" },
    {
      source: "terraform-aws-modules/vpc/aws",
      kind: "registry",
      text: "registry.terraform.io/terraform-aws-modules/vpc/aws",
    },
    {
      source: "example.com/acme/net/aws//modules/s",
      kind: "registry",
      text: "example.com/acme/net/aws//modules/s",
      subfolder: "modules/s",
    },
    { source: "github.com/acme/net", kind: "remote", text: "git::https://github.com/acme/net.git" },
    {
      source: "github.com/acme/net//modules/s?ref=v1",
      kind: "remote",
      text: "git::https://github.com/acme/net.git//modules/s?ref=v1",
      subfolder: "modules/s",
    },
    { source: "git@example.com:acme/net.git", kind: "remote", text: "git::ssh://git@example.com/acme/net.git" },
    {
      source: "git::https://example.com/net.git//s?ref=v1&depth=1",
      kind: "remote",
      text: "git::https://example.com/net.git//s?ref=v1&depth=1",
      subfolder: "s",
    },
    {
      source: "https://example.com/net.zip//s",
      kind: "remote",
      text: "https://example.com/net.zip//s",
      subfolder: "s",
    },
    { source: "/srv/net", kind: "remote", text: "file:///srv/net" },
    { source: "net", kind: "bad" },
    { source: "git::/srv/net//s", kind: "remote", text: "git::file:///srv/net//s", subfolder: "s" },
    { source: "hg::https://example.com/net?rev=v1", kind: "remote", text: "hg::https://example.com/net?rev=v1" },
    { source: "hg::/srv/net", kind: "remote", text: "hg::file:///srv/net" },
    {
      source: "s3::https://s3.amazonaws.com/b/net.zip//s?version=x",
      kind: "remote",
      text: "s3::https://s3.amazonaws.com/b/net.zip//s?version=x",
      subfolder: "s",
    },
    {
      source: "b.s3-eu-west-1.amazonaws.com/net.zip",
      kind: "remote",
      text: "s3::https://s3-eu-west-1.amazonaws.com/b/net.zip",
    },
    {
      source: "b.s3.us-west-2.amazonaws.com/a/net.zip",
      kind: "remote",
      text: "s3::https://s3.us-west-2.amazonaws.com/b/a/net.zip",
    },
    {
      source: "www.googleapis.com/storage/v1/b/net.zip",
      kind: "remote",
      text: "gcs::https://www.googleapis.com/storage/v1/b/net.zip",
    },
    { source: "s3::b/net.zip", kind: "bad" },
    { source: "gcs::http://example.com/b/net.zip", kind: "bad" },
    { source: "oci://example.com/b/net", kind: "bad" },
    { source: "git::ext::sh -c true", kind: "bad" },
  ];
  for (const { source, kind, text, subfolder } of cases)
    test(`${source} is ${kind === "bad" ? "fetched by nothing" : kind}`, () => {
      const parsed = parseModuleSource(source);
      expect(parsed.kind).toBe(kind);
      if (parsed.kind === "bad") return;
      expect(moduleSourceText(parsed)).toBe(text);
      if (parsed.kind !== "local") expect(parsed.subfolder).toBe(subfolder ?? "");
    });
});
