import { afterEach, describe, expect, test } from "vitest";
import { decisionsIn } from "./decisions.ts";
import { TestFolder } from "./folder.ts";
import { Process } from "./process.ts";

const folders: TestFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  const folder = new TestFolder(files);
  folders.push(folder);
  return folder;
}

const things = (value: string, count = 4) => `resource "terraform_data" "a" {
  count = ${count}
  input = "${value}"
}
check "third" {
  assert {
    condition     = try(terraform_data.a[2].output, "") != "bad"
    error_message = "the third is bad"
  }
}
`;
const back = 'gate "conditions" "checks" {\n  otherwise = "back"\n}\n';

async function values(folder: TestFolder): Promise<unknown[]> {
  const state = JSON.parse((await folder.must("state", "pull")).out) as {
    readonly resources: readonly {
      readonly instances: readonly { readonly attributes: { readonly input: { readonly value: string } } }[];
    }[];
  };
  return state.resources.flatMap(({ instances }) =>
    instances.map(({ attributes }) => attributes.input.value ?? attributes.input),
  );
}

describe("apply -waves", () => {
  test("shows waves, gates and ways back first, and goes on as long as gates are for it", async () => {
    const folder = folderWith({ "main.tf": things("one") });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=1,50%"]);
    expect(code).toBe(0);
    expect(out).toContain(`In 3 waves. Gates between them: conditions (else stop).
  1: 1 change; back: destroy 1
  2: 2 changes; back: destroy 2
  3: 1 change; back: destroy 1
`);
    expect(out).toMatch(/Wave 1 of 3: 1 done\.\n {2}on to wave 2: conditions: all conditions hold\n/);
    expect(out).toContain("Apply complete! Resources: 4 added, 0 changed, 0 destroyed.");
  });

  test("stops where a gate is against the next wave; what was done stays, and the rest can be gone on with", async () => {
    const folder = folderWith({ "main.tf": things("one") });
    await folder.must("apply", "-auto-approve");
    folder.write({ "main.tf": things("bad") });
    const stopped = await folder.run(["apply", "-auto-approve", "-waves=3"]);
    expect(stopped.code).toBe(1);
    expect(stopped.err).toContain("Stopped after wave 1 of 2");
    expect(stopped.err).toContain("check.third: the third is bad");
    expect(await values(folder)).toEqual(["bad", "bad", "bad", "one"]);
    folder.write({ "main.tf": things("good") });
    // The third is still bad after the first wave, so that this one takes all at once.
    expect((await folder.run(["apply", "-auto-approve", "-waves=100%"])).code).toBe(0);
    expect(await values(folder)).toEqual(["good", "good", "good", "good"]);
  });

  test("goes back where a gate asks for that, to the configuration of the last whole run", async () => {
    const folder = folderWith({ "main.tf": things("one"), "waves.hcl": back });
    await folder.must("apply", "-auto-approve");
    folder.write({ "main.tf": things("bad") });
    const { code, out, err } = await folder.run(["apply", "-auto-approve", "-waves=3"]);
    expect(code).toBe(1);
    expect(err).toContain("Going back after wave 1 of 2");
    expect(out).toContain("What the waves had done is taken back.");
    expect(await values(folder)).toEqual(["one", "one", "one", "one"]);
    expect((await folder.must("history")).out).toMatch(/back to 1/);
  });

  test("a first apply is taken back by destroying what it made", async () => {
    const folder = folderWith({ "main.tf": things("bad"), "waves.hcl": back });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=3"]);
    expect(code).toBe(1);
    expect(out).toContain("back: destroy 3");
    expect((await folder.must("state", "list")).out).toBe("");
  });

  test("where the last whole run was a destroy, going back is to destroy what was made", async () => {
    const folder = folderWith({ "main.tf": things("bad"), "waves.hcl": back });
    await folder.must("apply", "-auto-approve");
    await folder.must("destroy", "-auto-approve");
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=3"]);
    expect(code).toBe(1);
    expect(out).toContain("back: destroy 3");
    expect((await folder.must("state", "list")).out).toBe("");
  });

  test("without a whole run in the history what was changed stays, and that is said", async () => {
    const folder = folderWith({ "main.tf": things("one"), "waves.hcl": back });
    const env = { MILLWRIGHT_HISTORY: "off" };
    await folder.run(["apply", "-auto-approve"], { env });
    folder.write({ "main.tf": things("bad") });
    const { code, out, err } = await folder.run(["apply", "-auto-approve", "-waves=3"], { env });
    expect(code).toBe(2);
    expect(out).toContain("back: none for 3");
    expect(err).toContain("Nothing can be taken back");
    expect(await values(folder)).toEqual(["bad", "bad", "bad", "one"]);
  });

  test("a way back that needs more than was shown stops and asks", async () => {
    const needed = 'resource "terraform_data" "needed" {}\n';
    const first = things("one", 3).replace("count = 3", "count = 3\n  depends_on = [terraform_data.needed]");
    const folder = folderWith({ "main.tf": first + needed, "waves.hcl": back });
    await folder.must("apply", "-auto-approve");
    // What it was made after is no longer known of, so that going back would make another one.
    await folder.must("state", "rm", "terraform_data.needed");
    folder.write({
      "main.tf": things("bad", 3) + 'resource "terraform_data" "more" {\n  depends_on = [terraform_data.a]\n}\n',
    });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=3"], { stdin: "no\n" });
    expect(code).toBe(2);
    expect(out).toContain("Going back needs more than was shown before the first wave:");
    expect(out).toContain("create of terraform_data.needed");
    expect(await values(folder)).toEqual(["bad", "bad", "bad"]);
  });

  test("a saved plan goes in waves, too, and -json tells each decision", async () => {
    const folder = folderWith({ "main.tf": things("one") });
    await folder.must("plan", "-out=p");
    const decisions = [
      { wave: 1, event: "end", waves: 2 },
      { wave: 1, event: "go", gate: "conditions", waves: 2 },
    ];
    const { code, out } = await folder.run(["apply", "-json", "-waves=2", "p"]);
    expect(code).toBe(0);
    expect(decisionsIn(out)).toEqual(decisions);
    await folder.must("destroy", "-auto-approve", "-waves=2", "-json-into=lines");
    expect(decisionsIn(folder.read("lines"))).toEqual(decisions);
  });

  test("what is wrong in waves.hcl or in the sizes changes nothing", async () => {
    const folder = folderWith({ "main.tf": things("one"), "waves.hcl": 'gate "htp" "a" {}\n' });
    const wrong = await folder.run(["apply", "-auto-approve", "-waves"]);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('Did you mean "http"?');
    folder.write({ "waves.hcl": "" });
    const sizes = await folder.run(["apply", "-auto-approve", "-waves=some"]);
    expect(sizes.code).toBe(1);
    expect((await folder.run(["state", "list"])).err).toContain("No state file was found");
  });

  test("an interrupt between two waves ends the wait at once, and is told as an interrupt", async () => {
    const gate = 'gate "command" "smoke" {\n  command = ["false"]\n  every = "1s"\n  within = "1m"\n}\n';
    const folder = folderWith({ "main.tf": things("one"), "waves.hcl": gate });
    const run = Process.start(["apply", "-auto-approve", "-waves=1,2"], { cwd: folder.path });
    await expect.poll(() => run.out, { timeout: 20_000 }).toContain("waiting: smoke");
    run.signal("SIGINT");
    await run.ended;
    expect(run.err).toContain("Error: Interrupted");
    expect(run.err).not.toContain("Wave not begun");
    expect((await folder.must("history")).out).toMatch(/\+1 ~0 -0, interrupted|stopped after wave 1 of 3/);
  });

  test("what is wrong with waves.hcl is said before anything is planned, also where nothing changes", async () => {
    const folder = folderWith({ "main.tf": "", "waves.hcl": 'gate "htp" "x" {\n}\n' });
    const { code, out, err } = await folder.run(["apply", "-auto-approve", "-waves"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("waves.hcl line 1");
  });

  test("a run that is killed between two waves is gone on with there, once the gates are for it", async () => {
    const gate = (command: string) =>
      `gate "command" "smoke" {\n  command = ["sh", "-c", "${command}"]\n  every = "1s"\n  within = "1m"\n}\n`;
    const folder = folderWith({ "main.tf": things("one"), "waves.hcl": gate("exit 1") });
    const run = Process.start(["apply", "-auto-approve", "-waves=1,2"], { cwd: folder.path });
    await expect.poll(() => run.out, { timeout: 20_000 }).toContain("waiting: smoke");
    run.signal("SIGKILL");
    await run.ended;
    expect((await folder.must("history")).out).toContain("did not end");
    folder.write({ "waves.hcl": gate("exit 0") });
    const { code, out } = await folder.run(["apply", "-auto-approve"]);
    expect(code).toBe(0);
    expect(out).toContain("Run 1 was killed in wave 1 of 3. It is gone on with:");
    expect(out).toContain("on to wave 1: conditions");
    expect(out).toContain("In 2 waves.");
    expect(await values(folder)).toEqual(["one", "one", "one", "one"]);
    // It has ended: nothing is gone on with any more.
    folder.write({ "main.tf": things("two") });
    expect((await folder.run(["apply", "-auto-approve"])).out).not.toContain("waves");
  });
});

describe("the measure of a change", () => {
  test("says what it touches, what depends on that, and what cannot be undone; Terraform's own words stay as they are", async () => {
    const folder = folderWith({
      "main.tf": `resource "terraform_data" "a" {\n  triggers_replace = "one"\n}
resource "terraform_data" "b" {\n  depends_on = [terraform_data.a]\n}
resource "terraform_data" "c" {}\n`,
    });
    const first = await folder.run(["plan"]);
    expect(first.out).not.toContain("Touches");
    await folder.must("apply", "-auto-approve");
    folder.write({ "main.tf": folder.read("main.tf").replace('"one"', '"two"') });
    const { out } = await folder.run(["plan"]);
    expect(out).toContain(`Touches 1 of 3 objects; 1 more depends on them.
Cannot be undone:
  - terraform_data.a: the old object goes with what it holds; going back makes
    a third one
`);
    expect((await folder.run(["plan"], {}, "terraform")).out).not.toContain("Touches");
  });
});
