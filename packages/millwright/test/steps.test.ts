import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { TestFolder } from "./test-folder.ts";

const stacks = join(import.meta.dirname, "../testdata/steps");
const originals = join(import.meta.dirname, "../../../examples/kv");
const folders: TestFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

function folderOf(name: string): TestFolder {
  const read = (file: string) => readFileSync(join(file.endsWith(".stack.ts") ? stacks : originals, file), "utf8");
  const folder = new TestFolder({ [name]: read(name), "yow2016.tfvars": read("yow2016.tfvars") });
  folders.push(folder);
  return folder;
}

test.for(["1-literal", "2-leader-follower", "3-service-name", "4-terminology", "5-tags"])(
  "step %s written as a stack gives the plan of its .tf file",
  async (step) => {
    const native = await folderOf(`${step}.tf`).plan("yow2016.tfvars");
    const stack = await folderOf(`${step}.stack.ts`).plan("yow2016.tfvars");
    expect(stack.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(native.plan?.changes).toHaveLength(1);
    expect(stack.plan?.changes).toEqual(native.plan?.changes);
    expect(stack.plan?.variables).toEqual(native.plan?.variables);
    expect(stack.plan?.outputs).toEqual(native.plan?.outputs);
  },
);
