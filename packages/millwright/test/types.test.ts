import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkTypes, writeBuiltinTypes } from "./check-types.ts";
import { writeTypes } from "../src/types/write.ts";

const testdata = join(import.meta.dirname, "../testdata");
const folders: string[] = [];

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millwright-types-"));
  folders.push(folder);
  return folder;
}

test("stacks of all forms pass the types that are written for a folder, and each misuse is refused", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  for (const name of ["good.ts", "bad.ts"])
    copyFileSync(join(testdata, "types", name), join(folder, name.replace(".ts", ".stack.ts")));
  const steps = readdirSync(join(testdata, "steps")).filter((name) => name.endsWith(".stack.ts"));
  for (const name of steps) copyFileSync(join(testdata, "steps", name), join(folder, name));
  expect(await writeBuiltinTypes(folder)).toMatchObject({ ownSettings: false });
  expect(checkTypes(folder)).toBe("");
});

test("without the types of any provider every resource type is taken, and its references fit anywhere", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  writeTypes(folder, new Map());
  writeFileSync(
    join(folder, "main.stack.ts"),
    'import { output, resource } from "millwright";\nconst a = resource("aws_thing", "a", { size: 1 });\nresource("aws_other", "b", { id: a.id });\noutput("x", a.tags.name[0]);\n// @ts-expect-error\nconst text: string = a.id;\nconsole.log(text);\n',
  );
  expect(checkTypes(folder)).toBe("");
});

test("settings that the folder has already are left as they are, and it is said", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "tsconfig.json"), "{}");
  expect((await writeBuiltinTypes(folder)).ownSettings).toBe(true);
  expect(readFileSync(join(folder, "tsconfig.json"), "utf8")).toBe("{}");
  const own = '{ "extends": "./.millwright/types/tsconfig.json" }';
  writeFileSync(join(folder, "tsconfig.json"), own);
  expect((await writeBuiltinTypes(folder)).ownSettings).toBe(false);
});
