import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";

/* TypeScript stacks by the command line, in a folder with nothing installed. */

const launcher = join(import.meta.dirname, "../packages/cli/bin/millwright");
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "millwright-cli-stacks-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function millwright(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(launcher, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
  return { status, stdout, stderr };
}

const stack = `import { derive, output, resource } from "millwright";

const pet = resource("random_pet", "pet", { length: 1 });
console.log("planning", pet.id);
output("shout", derive(pet.id, (id) => id.toUpperCase()));
`;

test("a saved plan of a stack is applied without its source, and computes what was unknown", () => {
  const folder = folderWith({ "main.stack.ts": stack, "more.tf": 'output "pet" { value = random_pet.pet.id }\n' });
  const planned = millwright(folder, "plan", "-out=change.plan");
  expect(planned).toMatchObject({ status: 0, stderr: "planning ${random_pet.pet.id}\n" });
  expect(planned.stdout).toContain("Plan: 1 to add, 0 to change, 0 to destroy.");
  rmSync(join(folder, "main.stack.ts"));
  rmSync(join(folder, "more.tf"));
  expect(millwright(folder, "apply", "change.plan")).toMatchObject({ status: 0, stderr: "" });
  const { pet, shout } = JSON.parse(millwright(folder, "output", "-json").stdout) as Record<string, { value: string }>;
  expect(shout!.value).toBe(pet!.value.toUpperCase());
  writeFileSync(join(folder, "main.stack.ts"), stack);
  writeFileSync(join(folder, "more.tf"), 'output "pet" { value = random_pet.pet.id }\n');
  expect(millwright(folder, "plan", "-detailed-exitcode")).toMatchObject({ status: 0 });
  expect(millwright(folder, "destroy", "-auto-approve")).toMatchObject({ status: 0 });
});

test("a mistake shows the stack's line with a mark under the place, and changes nothing", () => {
  const folder = folderWith({
    "main.stack.ts": 'import { resource } from "millwright";\n\nresource("random_pet", "pet", {\n  lenght: 2,\n});\n',
  });
  const { status, stderr } = millwright(folder, "apply", "-auto-approve", "-no-color");
  expect(status).toBe(1);
  expect(stderr).toContain("on main.stack.ts line 4:\n│    4:   lenght: 2,\n│         ^^^^^^\n");
  expect(stderr).toContain('Did you mean "length"?');
  expect(existsSync(join(folder, "terraform.tfstate"))).toBe(false);
});

test("validate and init take stacks as they take .tf files", () => {
  const folder = folderWith({ "main.stack.ts": stack });
  expect(millwright(folder, "init")).toMatchObject({ status: 0 });
  expect(millwright(folder, "validate")).toMatchObject({ status: 0 });
});

test("types writes what editors need, and says what it wrote", () => {
  const folder = folderWith({ "main.stack.ts": stack });
  const { status, stdout } = millwright(folder, "types");
  expect(status).toBe(0);
  expect(stdout).toContain(".millwright/types/provider-consul.d.ts");
  expect(readFileSync(join(folder, ".millwright/types/provider-random.d.ts"), "utf8")).toContain("random_pet");
  // The types are no part of the program that a plan runs.
  expect(millwright(folder, "plan")).toMatchObject({ status: 0 });
  expect(millwright(folder, "types", "consul")).toMatchObject({ status: 1 });
});
