import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { root, runCommand } from "./support/commands.ts";

const millwright = join(root, "packages/cli/bin/millwright");
const terraform = onPath("terraform");

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find((place) => {
      try {
        accessSync(place, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const configuration = `
variable "secret" {
  default   = "hidden"
  sensitive = true
}

resource "terraform_data" "list" {
  count = 3
  input = "value \${count.index}"
}

resource "terraform_data" "map" {
  for_each         = { a = 1, "b c" = 2.5, "d.e" = 12345678901234567890123 }
  input            = { number = each.value, from = terraform_data.list[0].id, none = null, flags = [true, false] }
  triggers_replace = [each.key]
}

resource "terraform_data" "secret" {
  input = { password = var.secret }

  lifecycle {
    create_before_destroy = true
  }
}

output "all" {
  value = { for key, one in terraform_data.map : key => one.output }
}

output "secret" {
  value     = var.secret
  sensitive = true
}
`;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millwright-test-"));
  writeFileSync(join(folder, "main.tf"), configuration);
  folders.push(folder);
  return folder;
}

async function run(program: string, folder: string, ...args: string[]) {
  const ended = await runCommand(program, args, {
    cwd: folder,
    env: { ...process.env, TF_CLI_CONFIG_FILE: "/dev/null" },
  });
  expect([0, 2], `${args.join(" ")}\n${ended.out}${ended.err}`).toContain(ended.code);
  return ended;
}

describe.skipIf(terraform === undefined)("a state goes between the real terraform and ours", () => {
  const both = [
    { name: "ours writes it, and terraform finds nothing to do", first: millwright, second: terraform! },
    { name: "terraform writes it, and ours finds nothing to do", first: terraform!, second: millwright },
  ];
  test.each(both)("$name", async ({ first, second }) => {
    const folder = newFolder();
    await run(terraform!, folder, "init");
    await run(first, folder, "apply", "-auto-approve");
    const before = readFileSync(join(folder, "terraform.tfstate"), "utf8");
    const plan = await run(second, folder, "plan", "-detailed-exitcode", "-no-color");
    expect(plan.out).toContain("No changes.");
    expect(plan.code).toBe(0);
    await run(second, folder, "apply", "-auto-approve");
    const after = JSON.parse(readFileSync(join(folder, "terraform.tfstate"), "utf8")) as { readonly lineage: string };
    expect(after.lineage).toBe((JSON.parse(before) as { readonly lineage: string }).lineage);
    await run(second, folder, "destroy", "-auto-approve");
    expect((await run(first, folder, "state", "list")).out).toBe("");
  });

  test("a change by one is drift to nobody, and the other goes on from it", async () => {
    const folder = newFolder();
    await run(terraform!, folder, "init");
    await run(millwright, folder, "apply", "-auto-approve");
    await run(terraform!, folder, "apply", "-auto-approve", "-replace=terraform_data.list[1]", "-var=secret=other");
    const plan = await run(millwright, folder, "plan", "-detailed-exitcode", "-no-color", "-var=secret=other");
    expect(plan.code, plan.out).toBe(0);
  });
});
