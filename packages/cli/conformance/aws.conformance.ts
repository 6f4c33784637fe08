import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { TestFolder } from "../test/folder.ts";
import type { CommandOutcome } from "../test/kv-io.ts";
import { launcher, runProgram } from "../test/program.ts";
import { type Json, withoutChance } from "./chance.ts";
import { freePort } from "./free-port.ts";

// Our engine and the real terraform do the same with the real AWS provider, each against an AWS of its own (moto_server).

const mirror = process.env.MILLWRIGHT_PROVIDER_MIRROR ?? "";
const files = fileURLToPath(new URL("../testdata/aws/", import.meta.url));
const provider = "registry.terraform.io/hashicorp/aws/5.100.0";
const missing = [
  ...(existsSync(join(mirror, provider)) ? [] : [`a mirror with ${provider} (MILLWRIGHT_PROVIDER_MIRROR)`]),
  ...["terraform", "moto_server", "aws"].filter((name) => spawnSync(name, ["--version"]).error !== undefined),
];
if (missing.length > 0) console.error(`not found ${missing.join(", ")}: the AWS provider is not driven`);

/** One engine with a folder and an AWS of its own. */
class Side {
  readonly name: string;
  readonly folder = new TestFolder();
  readonly #program: readonly [string, ...string[]];
  #moto: ChildProcess | undefined;
  #endpoint = "";

  constructor(name: string, program: readonly [string, ...string[]]) {
    this.name = name;
    this.#program = program;
  }

  async start(): Promise<void> {
    const port = await freePort();
    this.#endpoint = `http://127.0.0.1:${port}`;
    this.#moto = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
    for (const name of ["network.tf", "services.tf"]) this.add(name);
    writeFileSync(
      this.path("cli.tfrc"),
      `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
    );
    const answers = () => fetch(`${this.#endpoint}/moto-api/`).then(({ ok }) => expect(ok).toBe(true));
    await vi.waitFor(answers, { timeout: 60_000, interval: 200 });
  }

  async stop(): Promise<void> {
    this.#moto?.kill("SIGKILL");
    if (this.#moto) await once(this.#moto, "close");
    this.folder.remove();
  }

  path(name: string): string {
    return join(this.folder.path, name);
  }

  add(name: string): void {
    copyFileSync(join(files, name), this.path(name.replace(/\.later$/, "")));
  }

  /** Runs a command line of the engine; what it says has to be said in vain where it fails. */
  async run(args: readonly string[], codes: readonly number[] = [0]): Promise<CommandOutcome> {
    const [program, ...first] = this.#program;
    const ended = await runProgram([...first, ...args], {
      program,
      cwd: this.folder.path,
      env: this.environment(),
    });
    expect(codes, `${this.name} ${args.join(" ")}\n${ended.out}\n${ended.err}`).toContain(ended.code);
    return ended;
  }

  environment(): Readonly<Record<string, string>> {
    return {
      TF_CLI_CONFIG_FILE: this.path("cli.tfrc"),
      TF_VAR_endpoint: this.#endpoint,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    };
  }

  /** Plans into a file, and gives the plan as JSON. */
  async plan(...flags: string[]): Promise<Json> {
    await this.run(["plan", "-no-color", "-out=plan", ...flags]);
    return this.#json((await this.run(["show", "-json", "plan"])).out);
  }

  async apply(): Promise<Json> {
    await this.run(["apply", "-no-color", "plan"]);
    return this.state();
  }

  state(): Json {
    return this.#json(readFileSync(this.path("terraform.tfstate"), "utf8"));
  }

  /** Does something to the AWS behind the engine's back. */
  async aws(...args: string[]): Promise<string> {
    const ended = await runProgram(["--endpoint-url", this.#endpoint, "--output", "text", ...args], {
      program: "aws",
      cwd: this.folder.path,
      env: { AWS_ACCESS_KEY_ID: "testing", AWS_SECRET_ACCESS_KEY: "testing", AWS_DEFAULT_REGION: "eu-central-1" },
    });
    expect(ended.code, ended.err).toBe(0);
    return ended.out.trim();
  }

  #json(text: string): Json {
    return withoutChance(JSON.parse(text.replaceAll(this.#endpoint, "http://aws")) as Json);
  }
}

describe.runIf(missing.length === 0)("the AWS provider", () => {
  const theirs = new Side("terraform", ["terraform"]);
  const ours = new Side("millwright", [launcher, "terraform"]);
  const both = <T>(work: (side: Side) => Promise<T>) => Promise.all([work(theirs), work(ours)]);

  beforeAll(async () => {
    await both((side) => side.start());
    await both((side) => side.run(["init", "-no-color"]));
  });
  afterAll(() => both((side) => side.stop()));

  // Each step goes on from the one before.
  let isBroken = false;
  beforeEach(({ skip }) => skip(isBroken, "a step before it failed"));
  afterEach(({ task }) => {
    isBroken ||= task.result?.state === "fail";
  });

  /** The same plan, then the same state, by both. */
  async function change(...flags: string[]): Promise<readonly string[]> {
    const [wanted, plan] = await both((side) => side.plan(...flags));
    expect(planPart(plan)).toEqual(planPart(wanted));
    const [state, found] = await both((side) => side.apply());
    expect(statePart(found)).toEqual(statePart(state));
    return actionsOf(plan);
  }

  test("what is created is planned, and comes out, the same", async () => {
    const actions = await change();
    expect(actions).toHaveLength(18);
    expect(actions).toContain('create aws_ssm_parameter.setting["token"]');
  });

  test("then there is nothing to do for either", async () => {
    await both((side) => side.run(["plan", "-no-color", "-detailed-exitcode"]));
  });

  test("changes, one more and one less", async () => {
    expect(await change("-var=stage=prod", "-var=subnets=2")).toEqual([
      "update aws_dynamodb_table.items",
      "update aws_iam_policy.read",
      "update aws_s3_bucket.data",
      "update aws_s3_object.hello",
      'update aws_ssm_parameter.setting["stage"]',
      'update aws_ssm_parameter.setting["token"]',
      "delete aws_subnet.main[2]",
      "update aws_vpc.main",
    ]);
  });

  test("a replacement", async () => {
    const actions = await change("-var=stage=prod", "-var=subnets=2", "-var=hash_key=key");
    expect(actions).toEqual(["delete,create aws_dynamodb_table.items"]);
  });

  test("what others have changed, removed, or changed where it is ignored", async () => {
    await both(async (side) => {
      await side.aws("ssm", "put-parameter", "--name", "/widget/name", "--value", "theirs", "--overwrite");
      await side.aws(
        "iam",
        "detach-role-policy",
        "--role-name",
        "app",
        "--policy-arn",
        "arn:aws:iam::123456789012:policy/read-data",
      );
      const url = await side.aws("sqs", "get-queue-url", "--queue-name", "work");
      await side.aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", "VisibilityTimeout=50");
    });
    expect(await change("-var=stage=prod", "-var=subnets=2", "-var=hash_key=key")).toEqual([
      "create aws_iam_role_policy_attachment.read",
      'update aws_ssm_parameter.setting["name"]',
    ]);
  });

  test("what is taken over, by a block and by the command", async () => {
    await both(async (side) => {
      await side.aws("ssm", "put-parameter", "--name", "/found/by-hand", "--value", "as it was", "--type", "String");
      await side.aws("ssm", "put-parameter", "--name", "/found/second", "--value", "as it was", "--type", "String");
      side.add("imported.tf.later");
      const variables = ["-var=stage=prod", "-var=subnets=2", "-var=hash_key=key"];
      await side.run(["import", "-no-color", ...variables, "aws_ssm_parameter.taken", "/found/second"]);
    });
    expect(statePart(ours.state())).toEqual(statePart(theirs.state()));
    const actions = await change("-var=stage=prod", "-var=subnets=2", "-var=hash_key=key");
    expect(actions).toContain("update aws_ssm_parameter.found");
  });

  test("one goes on from the state of the other", async () => {
    const variables = ["-var=stage=prod", "-var=subnets=2", "-var=hash_key=key"];
    // The folder and the AWS are the other's; the engine is not.
    const changed = new Map([
      [theirs, launcher],
      [ours, "terraform"],
    ]);
    await both(async (side) => {
      const program = changed.get(side)!;
      const args = program === launcher ? ["terraform"] : [];
      const env = side.environment();
      const ended = await runProgram([...args, "plan", "-no-color", "-detailed-exitcode", ...variables], {
        program,
        cwd: side.folder.path,
        env,
      });
      expect(ended.code, `${program}\n${ended.out}${ended.err}`).toBe(0);
    });
  });

  test("all is destroyed, and no provider is left", async () => {
    const variables = ["-var=stage=prod", "-var=subnets=2", "-var=hash_key=key"];
    const actions = await change("-destroy", ...variables);
    expect(actions.every((action) => action.startsWith("delete "))).toBe(true);
    expect(ours.state().resources).toEqual([]);
    expect(providersLeft(ours.folder.path)).toEqual([]);
  });
});

/** Processes that run a program of the folder. */
function providersLeft(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(folder);
      } catch {
        return false;
      }
    });
}

/**
 * What of a plan has to be the same. Not the time; nor what led to the changes (`relevant_attributes`), nor the configuration as it is
 * written, which other tests compare.
 */
function planPart({ timestamp: _, relevant_attributes: __, configuration: ___, variables, ...rest }: Json): Json {
  return { ...rest, variables: JSON.parse(JSON.stringify(variables), asText) };
}

// The reference keeps numbers of the command line as the text that was typed.
function asText(_: string, value: unknown): unknown {
  return typeof value === "number" ? String(value) : value;
}

function statePart({ lineage: _, serial: __, ...rest }: Json): Json {
  return rest;
}

function actionsOf({ resource_changes: changes }: Json): readonly string[] {
  return (
    changes as readonly {
      readonly address: string;
      readonly mode: string;
      readonly change: { readonly actions: readonly string[] };
    }[]
  )
    .filter(({ mode, change }) => mode === "managed" && change.actions.join() !== "no-op")
    .map(({ address, change }) => `${change.actions.join()} ${address}`);
}
