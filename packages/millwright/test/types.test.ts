import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ProviderSchema } from "@millwright/provider/schema";
import { builtinProviders } from "@millwright/providers/registry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTypes } from "../src/types/write.ts";

const testdata = join(import.meta.dirname, "../testdata");
const schemas = new Map<string, ProviderSchema>();
const folders: string[] = [];

beforeAll(async () => {
  for (const { address, load } of builtinProviders) {
    const provider = await load();
    schemas.set(address.split("/").at(-1)!, await provider.schema());
    await provider.close();
  }
});
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millwright-types-"));
  folders.push(folder);
  return folder;
}

/** What the TypeScript compiler says of a folder, a line each. */
function check(folder: string): string {
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
  return stdout + stderr;
}

test("stacks of all forms pass the types that are written for a folder, and each misuse is refused", {
  timeout: 60_000,
}, () => {
  const folder = newFolder();
  for (const name of ["good.ts", "bad.ts"])
    copyFileSync(join(testdata, "types", name), join(folder, name.replace(".ts", ".stack.ts")));
  const steps = readdirSync(join(testdata, "steps")).filter((name) => name.endsWith(".stack.ts"));
  for (const name of steps) copyFileSync(join(testdata, "steps", name), join(folder, name));
  expect(writeTypes(folder, schemas)).toMatchObject({ ownSettings: false });
  expect(check(folder)).toBe("");
});

test("without the types of any provider every resource type is taken, and its references fit anywhere", {
  timeout: 60_000,
}, () => {
  const folder = newFolder();
  writeTypes(folder, new Map());
  writeFileSync(
    join(folder, "main.stack.ts"),
    'import { output, resource } from "millwright";\nconst a = resource("aws_thing", "a", { size: 1 });\nresource("aws_other", "b", { id: a.id });\noutput("x", a.tags.name[0]);\n// @ts-expect-error\nconst text: string = a.id;\nconsole.log(text);\n',
  );
  expect(check(folder)).toBe("");
});

test("settings that the folder has already are left as they are, and it is said", () => {
  const folder = newFolder();
  writeFileSync(join(folder, "tsconfig.json"), "{}");
  expect(writeTypes(folder, schemas).ownSettings).toBe(true);
  expect(readFileSync(join(folder, "tsconfig.json"), "utf8")).toBe("{}");
  const own = '{ "extends": "./.millwright/types/tsconfig.json" }';
  writeFileSync(join(folder, "tsconfig.json"), own);
  expect(writeTypes(folder, schemas).ownSettings).toBe(false);
});
