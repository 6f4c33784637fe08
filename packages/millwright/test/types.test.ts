import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkTypes, writeBuiltinTypes } from "./check-types.ts";
import { dynamicType, numberType, stringType, type Type } from "@millwright/value/types";
import type { TemplateShape } from "../src/types/template-types.ts";
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

test("lists of instances are checked against the templates: inputs, their types, and outputs", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  const network: TemplateShape = {
    inputs: new Map([
      ["region", { type: stringType, required: true, nullable: false, description: "Where it is" }],
      ["size", { type: numberType, required: false, nullable: true }],
      ["extra", { type: dynamicType, required: false, nullable: true }],
    ]),
    outputs: new Map<string, Type>([
      ["id", stringType],
      ["ports", { kind: "list", element: numberType }],
      ["any", dynamicType],
    ]),
  };
  const empty: TemplateShape = { inputs: new Map(), outputs: new Map() };
  writeTypes(
    folder,
    new Map(),
    new Map([
      ["./network", network],
      ["../shared/empty", empty],
    ]),
  );
  writeFileSync(
    join(folder, "all.instances.ts"),
    `import { instance } from "millwright";
const a = instance("a", "./network", { region: "eu", extra: [1, { b: true }] });
const none = instance("none", "../shared/empty");
instance("b", "./network", { region: a.id, size: a.ports[0], extra: a.any.x }, { depends_on: [none] });
instance("c", "./network", { region: \`\${a.id}-c\`, size: null });
// @ts-expect-error
instance("d", "./network", { regoin: "eu" });
// @ts-expect-error
instance("e", "./network");
// @ts-expect-error
instance("f", "./network", { region: a.ports });
// @ts-expect-error
instance("g", "./network", { region: a.nothing });
// @ts-expect-error
instance("h", "./netwrk", { region: "eu" });
`,
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
