import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

/* A real file system that is full: a tmpfs of a few KiB, in a mount namespace of its own. */

const program = fileURLToPath(new URL("../bin/millwright", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const configuration = `resource "terraform_data" "all" {
  count = 100
  input = "value \${count.index}"
}
resource "local_file" "all" {
  count    = 100
  filename = "${"${path.module}"}/../outside/file-\${count.index}"
  content  = terraform_data.all[count.index].id
}
`;

/** Applies on a disk of so many KiB until it is full, makes room, and goes on; everything that was printed. */
function onFullDisk(kibibytes: number): string {
  const script = `
mkdir -p disk outside && mount -t tmpfs -o size=${kibibytes}k tmpfs disk && cd disk || exit 77
printf '%s' "$CONFIGURATION" > main.tf
"$PROGRAM" apply -auto-approve -no-color >../first.log 2>&1; echo "first: $?"
cat ../first.log
echo "files made: $(ls ../outside | wc -l)"
mount -o remount,size=10m "$PWD"
"$PROGRAM" plan -no-color | grep -c 'local_file.*will be created' | sed 's/^/files to make: /'
"$PROGRAM" apply -auto-approve -no-color >../second.log 2>&1; echo "second: $?"
"$PROGRAM" plan -detailed-exitcode >/dev/null; echo "plan: $?"
echo "left: $(ls -A | sort | tr '\\n' ' ')"
cat ../outside/* | sed 's/.\\{36\\}/&\\n/g' | sort -u | wc -l | sed 's/^/ids: /'
`;
  const flags = process.getuid?.() === 0 ? ["-m"] : ["-rm"];
  const env = { ...process.env, PROGRAM: program, CONFIGURATION: configuration };
  const { stdout, stderr, status } = spawnSync("unshare", [...flags, "sh", "-c", script], {
    cwd: folder,
    encoding: "utf8",
    env,
  });
  if (status === 77 || stdout === "")
    throw new Error(`A tmpfs cannot be mounted (${stderr.trim()}). Run this as root, or allow user namespaces.`);
  return stdout + stderr;
}

test.each([8, 24, 48, 96, 140, 180])("on a disk of %i KiB nothing is lost, and nothing is made twice", (kibibytes) => {
  const said = onFullDisk(kibibytes);
  const figure = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(said)?.[1] ?? Number.NaN);
  expect(said).not.toMatch(/bug in Millwright/);
  if (figure("first") !== 0)
    expect(said).toMatch(/cannot be written|could errored\.tfstate be written|No space left|ENOSPC/);
  expect(figure("files to make")).toBe(100 - figure("files made"));
  expect([figure("second"), figure("plan")], said).toEqual([0, 0]);
  expect(figure("ids")).toBe(100);
  expect(said).not.toMatch(/left: .*(journal|\.tmp)/);
});
