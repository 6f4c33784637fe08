import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { planBytes, savedPlanOf } from "@millwright/engine/plan-file";
import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

const folders: TestFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

/** A folder in which three runs have been. */
async function threeRuns(): Promise<TestFolder> {
  const folder = new TestFolder({ "main.tf": configuration("one") });
  folders.push(folder);
  await folder.must("apply", "-auto-approve", "-var=size=small");
  folder.write({ "main.tf": configuration("two") });
  await folder.must("apply", "-auto-approve", "-var=size=large");
  folder.write({ "main.tf": configuration("two", "") });
  await folder.must("apply", "-auto-approve", "-var=size=large");
  return folder;
}

const extra = 'resource "terraform_data" "extra" {\n  triggers_replace = var.size\n}\n';
const configuration = (value: string, more = extra) => `variable "size" {}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "a" {
  input = "${value} \${var.size}"
}
${more}output "a" {
  value = terraform_data.a.output
}
output "secret" {
  value     = var.secret
  sensitive = true
}
`;

test("revert -restore-files writes into the folder alone, whatever names a history has", async () => {
  const folder = await threeRuns();
  const kept = join(folder.path, ".millwright/history/terraform.tfstate/000001.plan");
  const saved = savedPlanOf(readFileSync(kept), kept);
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  symlinkSync(outside, join(folder.path, "linked"));
  symlinkSync(join(outside, "dangling.tf"), join(folder.path, "dangling.tf"));
  const names = [join(outside, "absolute.tf"), `sub/../../${basename(outside)}/up.tf`, "linked/by.tf", "dangling.tf"];
  const files = new Map([...saved.files, ...names.map((name) => [name, Buffer.from("# evil")] as const)]);
  writeFileSync(kept, planBytes({ ...saved, files }));
  await folder.run(["revert", "-auto-approve", "-restore-files", "1"]);
  expect(readdirSync(outside)).toEqual([]);
  expect(readFileSync(join(folder.path, "main.tf"), "utf8")).toBe(configuration("one"));
  rmSync(outside, { recursive: true });
});

describe("history", () => {
  test("lists runs: when, who, what, and what came of it", async () => {
    const folder = await threeRuns();
    const { out } = await folder.must("history");
    expect(out).toMatch(/^RUN {2}WHEN +WHO +WHAT +RESULT\n1 +\d{4}-\d\d-\d\d \d\d:\d\d +\S+@\S+ +apply +\+2 ~0 -0\n/);
    expect(out).toMatch(/\n2 .* apply +\+1 ~1 -1\n3 .* apply +\+0 ~0 -1\n$/);
    expect((await folder.must("history", "-n=1")).out).not.toMatch(/^2 /m);
  });

  test("shows one run with its plan and the outputs that changed", async () => {
    const folder = await threeRuns();
    const { out } = await folder.must("history", "2");
    expect(out).toMatch(/^Run 2: apply by /);
    expect(out).toContain("Outputs that changed: a\n");
    expect(out).toContain('~ input  = "one small" -> "two large"');
    expect(out).toContain("Plan: 1 to add, 1 to change, 1 to destroy.");
    expect(out).not.toContain("hunter2");
  });

  test("-json gives records, in which no sensitive value is", async () => {
    const folder = await threeRuns();
    const { out } = await folder.must("history", "-json");
    expect(out).not.toContain("hunter2");
    const [first, second] = JSON.parse(out) as readonly object[];
    expect(first).toMatchObject({
      number: 1,
      result: { complete: true, added: 2 },
      outputsAfter: { secret: { sensitive: true } },
    });
    expect(second).toMatchObject({ irreversible: [{ address: "terraform_data.extra" }] });
  });

  test("of a run that is not there says which are", async () => {
    const folder = await threeRuns();
    expect((await folder.run(["history", "9"])).err).toContain("Kept are runs 1 to 3.");
    expect((await folder.run(["history", "first"])).err).toContain("not the number of a run");
    const empty = new TestFolder({ "main.tf": "" });
    folders.push(empty);
    expect((await empty.must("history")).out).toContain("No run has changed this state yet");
  });

  test("is not kept with MILLWRIGHT_HISTORY=off", async () => {
    const folder = new TestFolder({ "main.tf": configuration("one") });
    folders.push(folder);
    await folder.run(["apply", "-auto-approve", "-var=size=s"], { env: { MILLWRIGHT_HISTORY: "off" } });
    expect(readdirSync(folder.path)).not.toContain(".millwright");
  });
});

describe("revert", () => {
  test("goes back to the run before the last, says what was lost, and that the files say otherwise", async () => {
    const folder = await threeRuns();
    const { code, out } = await folder.run(["revert", "-auto-approve"]);
    expect(code).toBe(0);
    expect(out).toContain("terraform_data.extra will be created");
    expect(out).toMatch(
      /\nWhat was lost since then does not come back:\n {2}- terraform_data\.extra: was destroyed since; what it held stays lost/,
    );
    expect(out.match(/what it held stays lost/g)).toHaveLength(1);
    expect(out.replace(/\s+/g, " ")).toContain("do not say so yet: main.tf.");
    expect((await folder.must("state", "list")).out).toBe("terraform_data.a\nterraform_data.extra\n");
    expect((await folder.must("history")).out).toMatch(/\n4 .* revert to 2 /);
  });

  test("with the variables of that run, and its files where that is asked for", async () => {
    const folder = await threeRuns();
    const { out } = await folder.must("revert", "-auto-approve", "-restore-files", "1");
    expect((await folder.must("output", "-raw", "a")).out).toBe("one small");
    expect(folder.read("main.tf")).toBe(configuration("one"));
    const [, aside = ""] = /what was there is in (\S+)/.exec(out.replace(/\n/g, " ")) ?? [];
    expect(readdirSync(aside)).toEqual(["main.tf"]);
    expect((await folder.run(["plan", "-detailed-exitcode", "-var=size=small"])).code).toBe(0);
  });

  test("to before the first run takes all down", async () => {
    const folder = await threeRuns();
    const { code, out } = await folder.run(["revert", "-auto-approve", "0"]);
    expect(code).toBe(0);
    expect(out.match(/annot be undone:/g)).toHaveLength(1);
    expect((await folder.must("state", "list")).out).toBe("");
  });

  test("back and forth ends where it began", async () => {
    const folder = await threeRuns();
    await folder.must("revert", "-auto-approve", "1");
    await folder.must("revert", "-auto-approve", "3");
    expect((await folder.run(["plan", "-detailed-exitcode", "-var=size=large"])).code).toBe(0);
  });

  test("of a folder with a TypeScript stack, as that was", async () => {
    const stack = (text: string) =>
      `import { output, resource } from "millwright";\nresource("terraform_data", "a", { input: "${text}" });\noutput("text", "${text}");\n`;
    const folder = new TestFolder({ "main.stack.ts": stack("one") });
    folders.push(folder);
    await folder.must("apply", "-auto-approve");
    folder.write({ "main.stack.ts": stack("two") });
    await folder.must("apply", "-auto-approve");
    await folder.must("revert", "-auto-approve", "1");
    expect((await folder.must("output", "-raw", "text")).out).toBe("one");
    await folder.must("revert", "-auto-approve", "2");
    await folder.must("revert", "-auto-approve", "3");
    expect((await folder.must("output", "-raw", "text")).out).toBe("one");
  });

  test("-out saves the plan, and changes nothing", async () => {
    const folder = await threeRuns();
    await folder.must("revert", "-out=back", "1");
    expect((await folder.must("output", "-raw", "a")).out).toBe("two large");
    await folder.must("apply", "back");
    expect((await folder.must("output", "-raw", "a")).out).toBe("one small");
  });

  test("without an answer changes nothing", async () => {
    const folder = await threeRuns();
    const before = folder.everything();
    const { code, out } = await folder.run(["revert"]);
    expect(code).toBe(1);
    expect(out).toContain("Nothing was changed.");
    expect(folder.everything()).toEqual(before);
  });

  test("of what is not there is refused", async () => {
    const folder = await threeRuns();
    expect((await folder.run(["revert", "7"])).err).toContain("There is no run 7");
    expect((await folder.run(["revert", "x"])).err).toContain("not the number of a run");
    expect((await folder.run(["revert", "-json"])).out).toContain("-auto-approve or -out=FILE");
    folder.write({ [join(".millwright", "history", "terraform.tfstate", "000002.plan")]: "cut" });
    const damaged = await folder.run(["revert", "2"]);
    expect(damaged.err).toContain("run 2");
    expect(damaged.code).toBe(1);
  });
});
