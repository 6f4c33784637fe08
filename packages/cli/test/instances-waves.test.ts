import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { decisionsIn } from "./decisions.ts";
import { TestFolder } from "./folder.ts";
import { objects } from "./instance-folders.ts";
import { Process } from "./process.ts";

/* Applies over the instances of a list that go in waves: some instances at a time, with gates between them. */

const folders: TestFolder[] = [];
const started: Process[] = [];
afterEach(async () => {
  for (const process of started) process.signal("SIGKILL");
  await Promise.all(started.splice(0).map(({ ended }) => ended));
  for (const folder of folders.splice(0)) folder.remove();
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  const folder = new TestFolder(files);
  folders.push(folder);
  return folder;
}

/** A network, and three instances of an app that use it; all are given a text. */
const list = (text: string) => `import { instance } from "millwright";
const network = instance("network", "./network", { text: "${text}" });
for (const name of ["canary", "blue", "green"]) instance(name, "./app", { text: "${text}", from: network.text });
`;
const files = {
  "network/main.tf": `variable "text" {}
resource "terraform_data" "net" { input = var.text }
output "text" { value = terraform_data.net.output }
`,
  "app/main.tf": `variable "text" {}
variable "from" {}
resource "terraform_data" "app" {
  count = 2
  input = "\${var.text} by \${var.from}"
}
check "good" {
  assert {
    condition     = var.text != "bad"
    error_message = "bad it is"
  }
}
output "said" { value = terraform_data.app[0].output }
`,
  "all.instances.ts": list("one"),
};
const names = ["network", "canary", "blue", "green"];

/** A gate that is for going on as long as the command ends well. */
const gate = (command: string, otherwise: "stop" | "back") =>
  `gate "command" "smoke" {\n  command = ["sh", "-c", "${command}"]\n  every = "1s"\n  within = "0s"\n  otherwise = "${otherwise}"\n}\n`;
const waiting = gate("exit 1", "stop").replace('"0s"', '"1m"');

async function inputs(folder: TestFolder): Promise<Readonly<Record<string, unknown>>> {
  const found: [string, unknown][] = [];
  for (const name of names) {
    const text = (await folder.must("state", "pull", `-instance=${name}`)).out;
    const state = text === "" ? { resources: [] } : (JSON.parse(text) as State);
    found.push([name, state.resources[0]?.instances[0]?.attributes.input.value ?? null]);
  }
  return Object.fromEntries(found);
}

interface State {
  readonly resources: readonly {
    readonly instances: readonly { readonly attributes: { readonly input: { readonly value: string } } }[];
  }[];
}

const allOf = (text: string) => ({
  network: text,
  canary: `${text} by ${text}`,
  blue: `${text} by ${text}`,
  green: `${text} by ${text}`,
});

describe("an apply over instances in waves", () => {
  test("takes whole instances in their order, the first ones listed first, and asks gates between them", async () => {
    const folder = folderWith(files);
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=1,1,50%"]);
    expect(code).toBe(0);
    expect(out).toContain(`In 3 waves. Gates between them: conditions (else stop).
  1: network (1 change); back: destroy 1
  2: canary (2 changes); back: destroy 2
  3: blue, green (4 changes); back: destroy 4
`);
    expect(out).toMatch(/Wave 1 of 3: 1 done\.\n {2}on to wave 2: conditions: all conditions hold\n/);
    expect(out.indexOf("Wave 2 of 3")).toBeLessThan(out.indexOf("blue: terraform_data.app[0]: Creating"));
    expect(out).toContain("Apply complete! 4 instances. Resources: 7 added, 0 changed, 0 destroyed.");
    expect(await inputs(folder)).toEqual(allOf("one"));
    expect(existsSync(join(folder.path, ".millwright/waves/all.json"))).toBe(false);
  });

  test("goes back after the second of four waves, each instance to its last whole run, in the reverse order", async () => {
    const folder = folderWith({ ...files, "waves.hcl": gate("test $MILLWRIGHT_WAVE -lt 2", "back") });
    await folder.must("apply", "-auto-approve");
    const madeBy = () => folder.read(".millwright/instances/canary/made-by.json");
    const before = madeBy();
    folder.write({ "all.instances.ts": list("two") });
    const { code, out, err } = await folder.run(["apply", "-auto-approve", "-waves=1"]);
    expect(code).toBe(1);
    expect(out).toContain("  2: canary (2 changes); back: change back 2\n");
    expect(err).toContain("Going back after wave 2 of 4");
    expect(out).toContain("2 instances done, 0 failed, 2 not begun.");
    expect(out).toMatch(/── canary template app, back ─+\n[^]*── network template network, back ─/);
    expect(out).toContain("What the waves had done is taken back.");
    expect(out).not.toContain("Run plan to see");
    expect(await inputs(folder)).toEqual(allOf("one"));
    const history = async (name: string) => (await folder.must("history", `-instance=${name}`)).out;
    expect(await history("network")).toMatch(/apply[^]*apply[^]*back to 1/);
    expect(await history("green")).not.toContain("back to");
    expect(madeBy()).toBe(before);
    folder.write({ "all.instances.ts": list("one") });
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
  });

  test("takes a first apply back by destroying what it made; nothing of it is remembered", async () => {
    const folder = folderWith({ ...files, "waves.hcl": gate("test $MILLWRIGHT_WAVE -lt 2", "back") });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=1"]);
    expect(code).toBe(1);
    expect(out).toContain("back: destroy 1");
    expect(names.flatMap((name) => objects(folder, name))).toEqual([]);
    expect((await folder.must("show")).out.match(/not applied yet/g)).toHaveLength(4);
  });

  test("stops where a condition of an instance does not hold; what was done stays", async () => {
    const folder = folderWith(files);
    await folder.must("apply", "-auto-approve");
    folder.write({ "all.instances.ts": list("bad") });
    const { code, err } = await folder.run(["apply", "-auto-approve", "-waves=2"]);
    expect(code).toBe(1);
    expect(err).toContain("Stopped after wave 1 of 2");
    expect(err.replace(/\s+/g, " ")).toContain("canary: check.good: bad it is");
    expect(await inputs(folder)).toEqual({ ...allOf("one"), network: "bad", canary: "bad by bad" });
  });

  test("counts only instances that change; others are left where they are, also on the way back", async () => {
    const folder = folderWith({ ...files, "waves.hcl": gate("exit 1", "back") });
    await folder.must("apply", "-auto-approve");
    folder.write({
      "all.instances.ts": list("one").replace('text: "one", from', 'text: name === "blue" ? "one" : "two", from'),
    });
    const { out } = await folder.run(["apply", "-auto-approve", "-waves=1"]);
    expect(out).toContain("  1: canary (2 changes); back: change back 2\n  2: green (2 changes)");
    expect(out).toContain("Wave 1 of 2: 1 done.");
    expect(out).toContain("── canary template app, back ─");
    expect(out).not.toMatch(/── (network|blue) template \w+, back/);
    expect(await inputs(folder)).toEqual(allOf("one"));
  });

  test("takes instances off the list in waves, and makes them again where it goes back", async () => {
    const folder = folderWith({ ...files, "waves.hcl": gate("exit 1", "back") });
    await folder.must("apply", "-auto-approve");
    folder.write({ "all.instances.ts": "export {};\n" });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=2,100%"]);
    expect(code).toBe(1);
    expect(out).toContain("No way back:");
    expect(out).toContain("  1: blue, canary (4 changes); back: make again 4\n");
    expect(await inputs(folder)).toEqual(allOf("one"));
    expect((await folder.must("destroy", "-auto-approve")).out).toContain("4 instances. Resources: 0 added");
  });

  test("of a saved plan shows its waves too, and -json tells each decision", async () => {
    const folder = folderWith(files);
    await folder.must("plan", "-out=all.plan");
    const { code, out } = await folder.run(["apply", "-json", "-waves=2", "all.plan"]);
    expect(code).toBe(0);
    expect(decisionsIn(out)).toEqual([
      { wave: 1, event: "end", waves: 2 },
      { wave: 1, event: "go", gate: "conditions", waves: 2 },
    ]);
    expect(await inputs(folder)).toEqual(allOf("one"));
  });

  test("stops and asks where going back needs more than was shown", async () => {
    const folder = folderWith({ ...files, "waves.hcl": gate("exit 1", "back") });
    await folder.must("apply", "-auto-approve");
    await folder.must("state", "rm", "-instance=network", "terraform_data.net");
    folder.write({
      "network/main.tf": `variable "text" {}\nresource "terraform_data" "other" {}\noutput "text" { value = "other" }\n`,
    });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves=1"], { stdin: "no\n" });
    expect(code).toBe(2);
    expect(out).toContain("Going back needs more than was shown before the first wave:");
    expect(out).toContain("create of terraform_data.net");
    expect(objects(folder, "network")).toEqual(["terraform_data.other"]);
  });

  test("is interrupted between two of them at once", { timeout: 40_000 }, async () => {
    const folder = folderWith({ ...files, "waves.hcl": waiting });
    const run = Process.start(["apply", "-auto-approve", "-waves=1,2"], { cwd: folder.path });
    started.push(run);
    await expect.poll(() => run.out, { timeout: 20_000 }).toContain("waiting: smoke");
    run.signal("SIGINT");
    expect((await run.ended).code).toBe(1);
    expect(run.out).toContain("1 instance done, 0 failed, 3 not begun.");
    expect(run.err).not.toContain("Wave not begun");
    // It has come to an end, and is not gone on with.
    folder.write({ "waves.hcl": "" });
    expect((await folder.must("apply", "-auto-approve")).out).not.toContain("was killed");
  });

  test("asks gates again before what had to wait for outputs of others", async () => {
    const folder = folderWith({
      ...files,
      "many/main.tf": `variable "names" { type = set(string) }\nresource "terraform_data" "each" { for_each = var.names }\n`,
      "all.instances.ts": `import { instance } from "millwright";
const network = instance("network", "./network", { text: "one" });
instance("many", "./many", { names: [network.text] });
`,
    });
    const { code, out } = await folder.run(["apply", "-auto-approve", "-waves"]);
    expect(code).toBe(0);
    expect(out).toContain(
      "Before what had to wait for these outputs:\n  on to wave 1: conditions: all conditions hold",
    );
    expect(objects(folder, "many")).toEqual(["terraform_data.each"]);
  });

  test("says what is wrong in waves.hcl or in the sizes, and changes nothing", async () => {
    const folder = folderWith({ ...files, "waves.hcl": 'gate "htp" "a" {}\n' });
    const { out, err } = await folder.run(["apply", "-auto-approve", "-waves"]);
    expect([out, err]).toEqual(["", expect.stringContaining('Did you mean "http"?')]);
    folder.write({ "waves.hcl": "" });
    const sizes = await folder.run(["apply", "-auto-approve", "-waves=some"]);
    expect([sizes.code, sizes.err]).toEqual([1, expect.stringContaining("Invalid sizes of waves")]);
    expect(names.flatMap((name) => objects(folder, name))).toEqual([]);
  });
});

describe("an apply over instances in waves that is killed between two of them", () => {
  async function killedBetween(): Promise<TestFolder> {
    const folder = folderWith({ ...files, "waves.hcl": waiting });
    const run = Process.start(["apply", "-auto-approve", "-waves=1,2"], { cwd: folder.path });
    started.push(run);
    run.closeInput();
    await expect.poll(() => run.out, { timeout: 20_000 }).toContain("waiting: smoke");
    run.signal("SIGKILL");
    await run.ended;
    return folder;
  }

  test("is gone on with there by the next one, once the gates are for it", { timeout: 40_000 }, async () => {
    const folder = await killedBetween();
    expect(await inputs(folder)).toMatchObject({ network: "one", canary: null });
    // An apply of some instances is another run.
    folder.write({ "waves.hcl": gate("exit 0", "back") });
    expect((await folder.must("apply", "-auto-approve", "-instance=canary")).out).not.toContain("was killed");
    const { code, out } = await folder.run(["apply", "-auto-approve"]);
    expect(code).toBe(0);
    expect(out).toMatch(/The apply of \d{4}-\d\d-\d\d \d\d:\d\d was killed in wave 1 of 3\. It is gone on with:/);
    expect(out).toContain("on to wave 1: conditions, smoke: all are for it");
    expect(out).toContain("  1: blue (2 changes)");
    expect(await inputs(folder)).toEqual(allOf("one"));
    // It has come to its end: nothing is gone on with any more.
    folder.write({ "all.instances.ts": list("two") });
    expect((await folder.must("apply", "-auto-approve")).out).not.toContain("waves");
  });

  test("stays where it is as long as a gate is against it", { timeout: 40_000 }, async () => {
    const folder = await killedBetween();
    folder.write({ "waves.hcl": gate("exit 1", "stop") });
    const { code, err } = await folder.run(["apply", "-auto-approve"]);
    expect([code, err]).toEqual([1, expect.stringContaining("Stopped before the first wave")]);
    expect(await inputs(folder)).toMatchObject({ network: "one", canary: null, blue: null, green: null });
  });
});
