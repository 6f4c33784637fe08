import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome, Stage } from "./stage.ts";
import { examples } from "./stage.ts";

const prefix = "myservice/mycomponent/";
const variables = "-var-file=yow2016.tfvars";
const planFile = "yow2016.tfplan";

/** The five steps of examples/kv, typed as one of two command lines, with every fact that must hold. */
export async function runSteps(stage: Stage, command: "millwright" | "terraform"): Promise<void> {
  const steps = new Steps(stage, command);
  await steps.first();
  await steps.second();
  await steps.third();
  await steps.fourth();
  await steps.fifth();
  await steps.drift();
  await steps.stale();
  await steps.format();
  await steps.destroy();
}

class Steps {
  readonly #stage: Stage;
  readonly #command: "millwright" | "terraform";
  readonly #folder: string;

  constructor(stage: Stage, command: "millwright" | "terraform") {
    this.#stage = stage;
    this.#command = command;
    this.#folder = join(stage.folder, command);
    mkdirSync(this.#folder);
    copyFileSync(join(examples, "kv", "yow2016.tfvars"), join(this.#folder, "yow2016.tfvars"));
  }

  #use(file: string): void {
    copyFileSync(join(examples, "kv", file), join(this.#folder, "main.tf"));
    this.#stage.say(`(main.tf is now examples/kv/${file})`);
  }

  #run(...args: string[]): Promise<Outcome> {
    return this.#stage.run(this.#folder, this.#command, args);
  }

  #fact(holds: boolean, what: string): void {
    this.#stage.fact(holds, what);
  }

  #plans({ code, text }: Outcome, summary: string): void {
    this.#fact(code === 0, "plan ends well");
    this.#fact(text.includes(summary), `the plan says "${summary}"`);
  }

  async #planAndApply(summary: string): Promise<string> {
    const plan = await this.#run("plan", "-compact-warnings", variables, `-out=${planFile}`);
    this.#plans(plan, summary);
    const applied = await this.#run("apply", planFile);
    this.#fact(
      applied.code === 0 && applied.text.includes("Apply complete!"),
      "the saved plan is applied without a question",
    );
    return plan.text;
  }

  async #holds(count: number): Promise<ReadonlyMap<string, string>> {
    const keys = await this.#stage.keys(prefix);
    this.#fact(keys.size === count, `the prefix holds ${count} keys, not ${keys.size}`);
    return keys;
  }

  async first(): Promise<void> {
    this.#stage.title("Step 1: three settings, planned and applied");
    this.#use("1-literal.tf");
    const init = await this.#run("init");
    this.#fact(init.code === 0, "init ends well");
    await this.#planAndApply("1 to add, 0 to change, 0 to destroy");
    const keys = await this.#holds(3);
    this.#fact(keys.get(`${prefix}dbHostname`) === "my-db.service.consul", "dbHostname is in the server");
  }

  async second(): Promise<void> {
    this.#stage.title("Step 2: two keys more, and only they are shown");
    this.#use("2-leader-follower.tf");
    const text = await this.#planAndApply("0 to add, 1 to change, 0 to destroy");
    for (const name of ["dbHostnameFollower", "dbHostnameLeader"])
      this.#fact(new RegExp(`\\+ "${name}"`).test(text), `${name} is shown as added`);
    for (const name of ["appParam1", "appParam2"]) this.#fact(!text.includes(name), `${name} is not shown`);
    await this.#holds(5);
  }

  async third(): Promise<void> {
    this.#stage.title("Step 3: factored out into a variable; nothing would change");
    this.#use("3-service-name.tf");
    this.#plans(await this.#run("plan", "-compact-warnings", variables), "No changes.");
    const exact = await this.#run("plan", "-compact-warnings", "-detailed-exitcode", variables);
    this.#fact(exact.code === 0, "-detailed-exitcode says no changes");
  }

  async fourth(): Promise<void> {
    this.#stage.title("Step 4: other words for the two roles");
    this.#use("4-terminology.tf");
    await this.#planAndApply("0 to add, 1 to change, 0 to destroy");
    const keys = await this.#holds(5);
    this.#fact(keys.get(`${prefix}dbHostnameLeader`) === "leader.my-db.query.consul", "the leader has its new name");
  }

  async fifth(): Promise<void> {
    this.#stage.title("Step 5: planned, reviewed, and thrown away");
    this.#use("5-tags.tf");
    const plan = await this.#run("plan", "-compact-warnings", "-detailed-exitcode", variables);
    this.#fact(
      plan.code === 2 && plan.text.includes("0 to add, 1 to change, 0 to destroy"),
      "one change is planned, exit code 2",
    );
    this.#use("4-terminology.tf");
    this.#plans(await this.#run("plan", "-compact-warnings", variables), "No changes.");
  }

  async drift(): Promise<void> {
    this.#stage.title("A key added by hand is seen, and removed by the next apply");
    const put = await this.#stage.run(this.#folder, "consul", ["kv", "put", `${prefix}by-hand`, "surprise"]);
    this.#fact(put.code === 0, "the key is put");
    const text = await this.#planAndApply("0 to add, 1 to change, 0 to destroy");
    this.#fact(/- "by-hand"/.test(text), "the key added by hand is shown as going");
    await this.#holds(5);
  }

  async stale(): Promise<void> {
    this.#stage.title("A plan that has gone stale is refused");
    this.#use("5-tags.tf");
    await this.#run("plan", "-compact-warnings", variables, "-out=stale.tfplan");
    this.#use("2-leader-follower.tf");
    const other = await this.#run("apply", "-compact-warnings", "-auto-approve", variables);
    this.#fact(other.code === 0, "another apply goes between");
    const before = await this.#stage.keys(prefix);
    const refused = await this.#run("apply", "stale.tfplan");
    this.#fact(refused.code === 1 && refused.text.includes("Saved plan is stale"), "the stale plan is refused");
    const after = await this.#stage.keys(prefix);
    this.#fact(JSON.stringify([...before]) === JSON.stringify([...after]), "the refusal changed nothing");
  }

  async format(): Promise<void> {
    this.#stage.title("fmt lays a file out, once");
    const path = join(this.#folder, "main.tf");
    writeFileSync(path, readFileSync(path, "utf8").replace(/ +=/g, " ="));
    const first = await this.#run("fmt");
    this.#fact(first.code === 0 && first.text.trim() === "main.tf", "fmt prints the name of the file it changed");
    const second = await this.#run("fmt");
    this.#fact(second.code === 0 && second.text === "", "a second fmt changes nothing");
    const original = readFileSync(join(examples, "kv", "2-leader-follower.tf"), "utf8");
    this.#fact(readFileSync(path, "utf8") === original, "the file is as it was");
  }

  async destroy(): Promise<void> {
    this.#stage.title("Everything removed again");
    const destroyed = await this.#run("destroy", "-compact-warnings", "-auto-approve", variables);
    this.#fact(
      destroyed.code === 0 && destroyed.text.includes("Destroy complete! Resources: 1 destroyed."),
      "destroy ends well",
    );
    await this.#holds(0);
  }
}
