import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkTypes, writeBuiltinTypes } from "./check-types.ts";
import { TestFolder } from "./test-folder.ts";

/*
 * The examples of docs/stacks.md: those of one section are the files of one folder, by the names in their first lines, and
 * plan without a fault; those that are marked as refused are refused.
 */

interface Example {
  readonly section: string;
  readonly file: string;
  readonly refused: boolean;
  readonly text: string;
}

function examples(): Example[] {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/stacks.md"), "utf8");
  return document.split(/^## /m).flatMap((text) => {
    const section = text.slice(0, text.indexOf("\n"));
    return [...text.matchAll(/^```(ts|ts refused|hcl)\n(?:\/\/|#) (\S+)\n([\s\S]*?)^```/gm)].map(
      ([, kind, file, body]) => ({
        section,
        file: file!,
        refused: kind === "ts refused",
        text: body!,
      }),
    );
  });
}

const folders: TestFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

function folderWith(files: readonly Example[]): TestFolder {
  const folder = new TestFolder(Object.fromEntries(files.map(({ file, text }) => [file, text])));
  folders.push(folder);
  return folder;
}

const good = Map.groupBy(
  examples().filter(({ refused }) => !refused),
  ({ section }) => section,
);

test.for([...good])(
  "the examples of %s plan without a fault, and have no fault of types",
  { timeout: 60_000 },
  async ([, files]) => {
    const folder = folderWith(files);
    const { plan, diagnostics } = await folder.plan();
    expect(diagnostics).toEqual([]);
    expect(plan?.changes.length).toBeGreaterThan(0);
    await writeBuiltinTypes(folder.path);
    expect(checkTypes(folder.path)).toBe("");
  },
);

test.for(examples().filter(({ refused }) => refused))("$file is refused in the line that says so", async (example) => {
  const { diagnostics } = await folderWith([example]).plan();
  const line = example.text.split("\n").findIndex((text) => text.includes("// ")) + 1;
  expect(diagnostics[0]).toMatchObject({ severity: "error", subject: { filename: example.file, start: { line } } });
});

test("there are examples of both kinds", () => {
  expect(good.size).toBeGreaterThan(4);
  expect(examples().filter(({ refused }) => refused).length).toBeGreaterThan(2);
});
