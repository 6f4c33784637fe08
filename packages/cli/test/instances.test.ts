import { existsSync, cpSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { inHcl, inTypeScript, objects, said, templates } from "./instance-folders.ts";

/* Folders that list instances of templates, and what the commands make of them. */

let made: TestFolder | undefined;
afterEach(() => {
  made?.remove();
  made = undefined;
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  made = new TestFolder(files);
  return made;
}

describe.each([
  { language: "TypeScript", files: inTypeScript },
  { language: "HCL", files: inHcl },
])("a list in $language", ({ files }) => {
  test("is planned as a whole before anything is there: outputs that are to come are unknown inputs", async () => {
    const folder = folderWith(files);
    const plan = await folder.must("plan");
    expect(plan.out).toMatch(/── network template network ─+\n[^]*vpc-eu[^]*── app-blue template app ─/);
    expect(plan.out).toMatch(/\+ input {2}= \(known after apply\)/);
    expect(plan.out).toContain("Plan for 3 instances: 3 to add, 0 to change, 0 to destroy.");
    expect(plan.out).toContain("Changed, in this order: network, app-blue, app-green");
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(2);
    expect(objects(folder, "network")).toEqual([]);
  });

  test("is applied in order; each instance has a state of its own, and then there is nothing to do", async () => {
    const folder = folderWith(files);
    const applied = await folder.must("apply", "-auto-approve");
    expect(applied.out).toContain("Apply complete! 3 instances. Resources: 3 added, 0 changed, 0 destroyed.");
    expect(applied.out.indexOf("network: terraform_data.vpc: Creation complete")).toBeLessThan(
      applied.out.indexOf("app-blue: terraform_data.app: Creating"),
    );
    expect(["network", "app-blue", "app-green"].map((name) => objects(folder, name))).toEqual([
      ["terraform_data.vpc"],
      ["terraform_data.app"],
      ["terraform_data.app"],
    ]);
    expect(existsSync(join(folder.path, "terraform.tfstate"))).toBe(false);
    const again = await folder.must("plan", "-detailed-exitcode");
    expect(again.out).toContain("No changes. All instances match their templates and inputs.");
  });

  test("is destroyed in the reverse order", async () => {
    const folder = folderWith(files);
    await folder.must("apply", "-auto-approve");
    const destroyed = await folder.must("destroy", "-auto-approve");
    expect(destroyed.out).toContain("Destroy complete! 3 instances. Resources: 0 added, 0 changed, 3 destroyed.");
    expect(destroyed.out.indexOf("app-green: terraform_data.app: Destruction complete")).toBeLessThan(
      destroyed.out.indexOf("network: terraform_data.vpc: Destroying"),
    );
    expect(objects(folder, "network")).toEqual([]);
  });
});

describe("a saved plan of instances", () => {
  test("holds all that an apply needs: neither list nor template has to be there any more", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("plan", "-out=change.plan");
    folder.write({ "network/main.tf": "not HCL {", "prod.instances.ts": "nonsense(" });
    const shown = await folder.must("show", "change.plan");
    expect(shown.out).toContain("terraform_data.vpc will be created");
    const applied = await folder.must("apply", "change.plan");
    expect(applied.out).toContain("3 instances. Resources: 3 added");
    expect(objects(folder, "app-green")).toEqual(["terraform_data.app"]);
  });

  test("is refused as a whole once the state of one instance has moved", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("plan", "-out=change.plan");
    await folder.must("apply", "-auto-approve", "-instance=network");
    const refused = await folder.run(["apply", "change.plan"]);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/Saved plan is stale\n│\n│ {3}with instance\.network/);
    expect(objects(folder, "app-blue")).toEqual([]);
  });
});

describe("one instance of several", () => {
  test("is not applied by a saved plan once what it uses of others has changed", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("apply", "-auto-approve", "-instance=network");
    await folder.must("plan", "-instance=app-blue", "-out=blue.plan");
    await folder.must("apply", "-auto-approve", "-instance=network", "-replace=terraform_data.vpc");
    const refused = await folder.run(["apply", "blue.plan"]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Input is not as planned")]);
    expect(refused.err).toMatch(/on prod\.instances\.ts line 3/);
    expect(objects(folder, "app-blue")).toEqual([]);
  });

  test("is worked on alone, with what it uses of others out of their states", async () => {
    const folder = folderWith(inTypeScript);
    const early = await folder.run(["plan", "-instance=app-blue"]);
    expect([early.code, said(early)]).toEqual([1, expect.stringContaining("Outputs are not there yet")]);
    await folder.must("apply", "-auto-approve", "-instance=network");
    const plan = await folder.must("plan", "-instance=app-blue");
    expect(plan.out).toContain("Plan for 1 instance: 1 to add");
    expect(plan.out).toMatch(/input {2}= "blue in [0-9a-f-]{36}"/);
    const unknown = await folder.run(["plan", "-instance=app-blu"]);
    expect(said(unknown)).toContain('There is no instance "app-blu" here. Did you mean "app-blue"?');
  });

  test("is not destroyed while others were made from its outputs", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("apply", "-auto-approve");
    const refused = await folder.run(["destroy", "-auto-approve", "-instance=network", "-instance=app-blue"]);
    expect([refused.code, said(refused)]).toEqual([1, expect.stringContaining("Add -instance=app-green.")]);
    await folder.must("destroy", "-auto-approve", "-instance=app-green");
    expect([objects(folder, "app-green"), objects(folder, "app-blue")]).toEqual([[], ["terraform_data.app"]]);
  });

  test("is what commands on a state work on", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("apply", "-auto-approve");
    expect((await folder.must("state", "list", "-instance=app-blue")).out).toBe("terraform_data.app\n");
    expect((await folder.must("output", "-instance=network", "-raw", "name")).out).toBe("vpc-eu");
    expect((await folder.must("show", "-instance", "network")).out).toContain('input  = "vpc-eu"');
    const console = await folder.run(["console", "-instance=app-blue"], { stdin: "var.color\n" });
    expect(console.out).toBe('"blue"\n');
    await folder.must("taint", "-instance=app-blue", "terraform_data.app");
    const plan = await folder.must("plan");
    expect(plan.out).toMatch(/app-blue template app[^]*is tainted, so it must be replaced/);
    const unsaid = await folder.run(["state", "list"]);
    expect([unsaid.code, unsaid.err]).toEqual([1, expect.stringContaining("millwright state list -instance=NAME")]);
  });
});

test("a failed instance keeps those that depend on it from being begun; others go on", async () => {
  const folder = folderWith({
    ...templates,
    "shaky/main.tf": `resource "terraform_data" "first" {}
resource "terraform_data" "second" {
  lifecycle {
    precondition {
      condition     = terraform_data.first.id == "never"
      error_message = "It never is."
    }
  }
}
output "vpc_id" { value = terraform_data.second.id }
`,
    "all.instances.hcl": `instance "shaky" { source = "./shaky" }
instance "needy" {
  source = "./app"
  vpc_id = instance.shaky.vpc_id
}
instance "other" {
  source = "./app"
  vpc_id = "fixed"
}
`,
  });
  const applied = await folder.run(["apply", "-auto-approve"]);
  expect(applied.code).toBe(1);
  expect(applied.err).toMatch(/It never is\./);
  expect(applied.err).toMatch(/with instance\.shaky: terraform_data\.second/);
  expect(applied.err).toMatch(/on shaky\/main\.tf line 5/);
  expect(applied.out).toContain("1 instance done, 1 failed, 1 not begun. Resources: 2 added, 0 changed, 0 destroyed.");
  expect(applied.out).toMatch(/Failed: shaky\nNot begun: needy\n/);
  expect([objects(folder, "needy"), objects(folder, "other")]).toEqual([[], ["terraform_data.app"]]);
});

test("an instance whose number of objects hangs on outputs to come is planned once these are there", async () => {
  const folder = folderWith({
    ...templates,
    "many/main.tf": `variable "names" { type = set(string) }
resource "terraform_data" "each" { for_each = var.names }
output "count" { value = length(var.names) }
`,
    "all.instances.hcl": `instance "network" {
  source = "./network"
  region = "eu"
}
instance "many" {
  source = "./many"
  names  = [instance.network.vpc_id]
}
instance "last" {
  source = "./app"
  vpc_id = tostring(instance.many.count)
}
`,
  });
  const plan = await folder.must("plan", "-out=first.plan");
  expect(plan.out).toContain("Plan for 1 instance: 1 to add");
  expect(plan.out).toMatch(/Planned after this apply: many, since how many objects it has depends on outputs/);
  expect(plan.out).toMatch(/Planned after this apply: last, since it uses outputs of "many"/);
  const applied = await folder.must("apply", "-auto-approve");
  expect(applied.out).toContain("What had to wait for these outputs is planned now.");
  expect([objects(folder, "many"), objects(folder, "last")]).toEqual([["terraform_data.each"], ["terraform_data.app"]]);
  expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
});

test("what -allow-deferral puts off within an instance is planned in a further round", async () => {
  const folder = folderWith({
    "one/main.tf": `resource "terraform_data" "first" {}
resource "terraform_data" "each" { for_each = toset([terraform_data.first.id]) }
`,
    "all.instances.hcl": 'instance "one" { source = "./one" }\n',
  });
  expect((await folder.run(["plan", "-allow-deferral", "-detailed-exitcode"])).code).toBe(2);
  const applied = await folder.must("apply", "-auto-approve", "-allow-deferral");
  expect(applied.out).toContain("What had to wait for these outputs is planned now.");
  expect(objects(folder, "one")).toEqual(["terraform_data.each", "terraform_data.first"]);
  expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
});

test("an instance that uses outputs of one that is put off in part is not made of nothing: it comes after that", async () => {
  const folder = folderWith({
    "one/main.tf": `variable "n" {}
resource "terraform_data" "first" { input = var.n }
resource "terraform_data" "each" { for_each = toset([terraform_data.first.id]) }
output "ids" { value = keys(terraform_data.each) }
`,
    "two/main.tf": 'variable "ids" {}\nresource "terraform_data" "of" { input = var.ids }\n',
    "all.instances.hcl": `instance "one" {
  source = "./one"
  n      = 1
}
instance "two" {
  source = "./two"
  ids    = instance.one.ids
}
`,
  });
  const plan = await folder.must("plan", "-allow-deferral");
  expect(plan.out).toContain('Planned after this apply: two, since it uses outputs of "one"');
  const applied = await folder.must("apply", "-auto-approve", "-allow-deferral");
  expect(applied.out).not.toMatch(/planned now[^]*planned now/);
  const state = JSON.parse(folder.read(".millwright/instances/two/terraform.tfstate")) as {
    resources: { instances: { attributes: { input: { value: readonly string[] } } }[] }[];
  };
  expect(state.resources[0]?.instances[0]?.attributes.input.value).toHaveLength(1);
});

test("as JSON every line of an instance names it, and the sum comes last", async () => {
  const folder = folderWith(inTypeScript);
  const { out } = await folder.must("apply", "-auto-approve", "-json");
  const lines = out
    .trim()
    .split("\n")
    .map(
      (line) => JSON.parse(line) as { type: string; instance?: string; changes?: { add: number; operation: string } },
    );
  expect(lines.filter(({ type }) => type === "version")).toHaveLength(1);
  const named = lines.filter(({ type }) => /^(planned_change|apply_start|apply_complete)$/.test(type));
  expect(new Set(named.map(({ instance }) => instance))).toEqual(new Set(["network", "app-blue", "app-green"]));
  const last = lines.at(-1);
  expect([last?.type, last?.instance, last?.changes?.add, last?.changes?.operation]).toEqual([
    "change_summary",
    undefined,
    3,
    "apply",
  ]);
});

test("one instance goes back to an earlier run; what it is made by is as it was then", async () => {
  const folder = folderWith(inHcl);
  await folder.must("apply", "-auto-approve");
  const madeBy = () => folder.read(".millwright/instances/network/made-by.json");
  const before = madeBy();
  await folder.must("apply", "-auto-approve", "-var=region=us");
  const after = madeBy();
  expect(after).not.toBe(before);
  const reverted = await folder.must("revert", "-auto-approve", "-instance=network");
  expect(reverted.out).toContain("network: terraform_data.vpc: Modifying...");
  expect(madeBy()).toBe(before);
  expect((await folder.must("output", "-instance=network", "-raw", "name")).out).toBe("vpc-eu");
  const lines = (await folder.must("revert", "-auto-approve", "-instance=network", "-json", "2")).out
    .trim()
    .split("\n");
  const isOther = (line: string) => {
    const { type, instance } = JSON.parse(line) as { readonly type: string; readonly instance?: string };
    return type !== "version" && instance !== "network";
  };
  expect(lines.filter(isOther)).toEqual([]);
  expect(madeBy()).toBe(after);
});

describe("the measure of a change over instances", () => {
  test("sums what each touches, and names who is made from outputs of these", async () => {
    const folder = folderWith(inHcl);
    const first = await folder.must("apply", "-auto-approve");
    expect(first.out).not.toContain("Touches");
    folder.write({
      "network/main.tf": `${templates["network/main.tf"]}resource "terraform_data" "more" { depends_on = [terraform_data.vpc] }\n`,
    });
    await folder.must("apply", "-auto-approve");
    const plan = await folder.must("plan", "-var=region=us", "-out=us.plan");
    const measure = `
Touches 1 of 4 objects; 1 more depends on them, in 1 of 3 instances:
  network  1 of 2 objects; 1 more depends on them
Not touched, and made from outputs of these: app-blue, app-green.
`;
    expect(plan.out).toContain(measure);
    expect((await folder.must("show", "us.plan")).out).toContain(measure);
    const replaced = await folder.must("plan", "-instance=network", "-replace=terraform_data.vpc");
    expect(replaced.out).toContain(`Touches 1 of 2 objects; 1 more depends on them, in 1 of 1 instances:
  network  1 of 2 objects; 1 more depends on them; 1 cannot be undone
Not touched, and made from outputs of these: app-blue, app-green.
Cannot be undone:
  - network: terraform_data.vpc: the old object goes with what it holds; going
    back makes a third one
`);
    expect((await folder.run(["plan", "-var=region=us"], {}, "terraform")).out).not.toContain("Touches");
  });
});

describe("over all instances", () => {
  test("outputs, what there is, and the graph", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("apply", "-auto-approve", "-instance=network");
    const { out } = await folder.must("output", "-json");
    expect(JSON.parse(out)).toMatchObject({ network: { name: { value: "vpc-eu", sensitive: false } }, "app-blue": {} });
    expect((await folder.must("show")).out).toBe(
      "Instance   Template  Objects\nnetwork    network   1\napp-blue   app       not applied yet\napp-green  app       not applied yet\n",
    );
    expect((await folder.must("graph")).out).toContain('"app-blue" -> "network";');
    expect((await folder.must("graph", "-format=mermaid")).out).toBe(`flowchart RL
  n1["network (network)"]
  n2["app-blue (app)"]
  n3["app-green (app)"]
  n2 --> n1
  n3 --> n1
`);
    expect((await folder.must("validate")).out).toContain("Success!");
    expect((await folder.must("init")).out).toMatch(/Template network\n[^]*Template app\n/);
  });

  test.each(["plan", "apply", "destroy", "show", "output", "history", "drift", "graph", "validate"])(
    "%s says in its help what it does there, in 80 columns",
    async (command) => {
      const folder = folderWith(inTypeScript);
      const { out } = await folder.must(command, "-help");
      expect(out).toMatch(/instance/);
      expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
  );

  test("an address needs its instance, and there is no one state", async () => {
    const folder = folderWith(inTypeScript);
    expect(said(await folder.run(["plan", "-target=terraform_data.app"]))).toContain("Address without its instance");
    expect(said(await folder.run(["plan", "-state=x.tfstate"]))).toContain("One state for many instances");
    await folder.must("apply", "-auto-approve", "-instance=network");
    const replaced = await folder.must("plan", "-instance=network", "-replace=terraform_data.vpc");
    expect(replaced.out).toContain("1 to add, 0 to change, 1 to destroy");
  });

  test("the list's own variables come from flags, files and the environment; those of templates do not", async () => {
    const folder = folderWith({ ...inHcl, "network/terraform.tfvars": 'region = "from-the-template"\n' });
    const env = { TF_VAR_color: "from-outside" };
    const plan = await folder.run(["plan", "-var=region=us"], { env });
    expect(plan.out).toContain('"vpc-us"');
    expect(said(plan)).not.toMatch(/from-/);
  });

  test("outputs that are secret are secret inputs", async () => {
    const folder = folderWith({
      ...templates,
      "secret/main.tf": 'output "vpc_id" {\n  value = "hunter2"\n  sensitive = true\n}\n',
      "all.instances.hcl":
        'instance "s" { source = "./secret" }\ninstance "a" {\n  source = "./app"\n  vpc_id = instance.s.vpc_id\n}',
    });
    const plan = await folder.must("plan");
    expect(plan.out).toMatch(/input {2}= \(sensitive value\)/);
    const applied = await folder.run(["apply", "-auto-approve"]);
    expect(applied.code, said(applied)).toBe(0);
    expect(said(applied) + said(await folder.run(["plan"]))).not.toContain("hunter2");
  });
});

test("a template in TypeScript is a template like any other, also once it is gone", async () => {
  const folder = folderWith({
    "shout/main.stack.ts": `import { derive, output, resource, variable } from "millwright";
const text = variable("text", { type: "string" });
const made = resource("terraform_data", "made", { input: derive(text, (known) => known.toUpperCase()) });
output("text", derive(made.output, (known) => \`\${known}!\`));
`,
    "all.instances.ts": `import { derive, instance } from "millwright";
const first = instance("first", "./shout", { text: "a" });
instance("second", "./shout", { text: derive(first.text, (text) => text.repeat(2)) });
`,
  });
  await folder.must("plan", "-out=x.plan");
  await folder.must("apply", "x.plan");
  expect((await folder.must("output", "-instance=second", "-raw", "text")).out).toBe("A!A!!");
  folder.write({ "shout/main.stack.ts": "broken(", "all.instances.ts": "export {};\n" });
  await folder.must("apply", "-auto-approve");
  expect([objects(folder, "first"), objects(folder, "second")]).toEqual([[], []]);
});

test("the example is made, changed and removed as it says", { timeout: 60_000 }, async () => {
  const folder = folderWith({});
  cpSync(new URL("../../../examples/instances", import.meta.url), folder.path, { recursive: true });
  const applied = await folder.must("apply", "-auto-approve");
  expect(applied.out).toContain("Apply complete! 7 instances. Resources: 9 added");
  const lines = folder.read("made/report.txt").trim().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^http:\/\/eu-blue\.eu-[\w-]+\.internal:8\d{3}$/);
  expect(JSON.parse(folder.read("made/us-green.json"))).toMatchObject({ name: "us-green", owner: "platform" });
  folder.write({ "all.instances.ts": folder.read("all.instances.ts").replace('["eu", "us"]', '["eu"]') });
  const fewer = await folder.must("apply", "-auto-approve");
  expect(fewer.out).toContain("1 added, 0 changed, 5 destroyed");
  expect(folder.read("made/report.txt").trim().split("\n")).toHaveLength(2);
  await folder.must("destroy", "-auto-approve");
  expect(existsSync(join(folder.path, "made/report.txt"))).toBe(false);
});

test("an interrupt is told once, and instances that were not begun are named", async () => {
  const folder = folderWith(inTypeScript);
  const stop = new AbortController();
  const onOutput = (text: string) => {
    if (text.includes("network: terraform_data.vpc: Creating")) stop.abort();
  };
  const applied = await folder.run(["apply", "-auto-approve"], { signal: stop.signal, onOutput });
  expect(applied.code).toBe(1);
  expect(applied.err.match(/Interrupted: what is under way/g)).toHaveLength(1);
  expect(applied.out).toContain("Not begun: app-blue, app-green");
  expect([objects(folder, "network"), objects(folder, "app-blue")]).toEqual([["terraform_data.vpc"], []]);
  expect((await folder.must("apply", "-auto-approve")).out).toContain("Resources: 2 added");
});
