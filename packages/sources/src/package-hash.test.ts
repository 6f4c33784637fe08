import { symlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { zipOf } from "../test/zip-file.ts";
import { hashFolder, hashPackedFile, hashZipContents, isPackageHash, matchesAny } from "./package-hash.ts";

const files = { "terraform-provider-thing": "program", "docs/LICENSE.txt": "free" };
// As `terraform init` 1.11.4 notes a folder of these files.
const known = "h1:3T4REg6kyKAaVCJ0F+F+054XvROLYpZzVR5AtJLNX9A=";

let folder: TemporaryFolder;
beforeEach(() => {
  const unpacked = Object.entries(files).map(([name, text]) => [`p/${name}`, text] as const);
  folder = new TemporaryFolder({ ...Object.fromEntries(unpacked), "p.zip": zipOf(files) });
});
afterEach(() => folder.remove());

describe("the hash of a package", () => {
  test("is that of its files, packed or not, also behind a link", async () => {
    symlinkSync(folder.at("p"), folder.at("link"));
    expect(await hashFolder(folder.at("p"))).toBe(known);
    expect(await hashFolder(folder.at("link"))).toBe(known);
    expect(await hashZipContents(folder.at("p.zip"))).toBe(known);
  });

  test("is of one of two kinds", () => {
    expect([known, `zh:${"0".repeat(64)}`, "h1:short", "md5:0"].map(isPackageHash)).toEqual([true, true, false, false]);
  });

  test("of either kind tells a packed one", async () => {
    const path = folder.at("p.zip");
    expect(await matchesAny(path, "packed", [known])).toBe(true);
    expect(await matchesAny(path, "packed", [await hashPackedFile(path)])).toBe(true);
    expect(await matchesAny(path, "packed", [`zh:${"0".repeat(64)}`])).toBe(false);
  });
});
