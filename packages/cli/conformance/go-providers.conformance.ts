import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import type { CommandOutcome } from "../test/kv-io.ts";
import { launcher, runProgram } from "../test/program.ts";
import { type Json, withoutChance } from "./chance.ts";

// Our engine and the real terraform do the same with providers as their developers build them.

const programs = process.env.MILLWRIGHT_GO_PROVIDERS ?? "";
const place = fileURLToPath(new URL("go-providers/", import.meta.url));
const names = readdirSync(place).map((name) => name.replace(/\.tf$/, ""));
const terraform = spawnSync("terraform", ["version"]).error === undefined;
const found = names.filter((name) => existsSync(join(programs, `terraform-provider-${name}`)));
const absent = [...(terraform ? [] : ["terraform"]), ...names.filter((name) => !found.includes(name))];
if (absent.length > 0)
  console.error(`not found (MILLWRIGHT_GO_PROVIDERS names a folder of programs): ${absent.join(", ")}`);

const server = createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.removeHeader("date");
  response.sendDate = false;
  response.end(`page ${request.url}`);
});
let address = "";
beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  address = typeof bound === "object" && bound ? `http://127.0.0.1:${bound.port}` : "";
});
afterAll(() => server.close());

/** Attributes of random values, keys and certificates. */
const madeUp = [
  ...["id", "result", "random", "hex", "dec", "b64_std", "b64_url", "bcrypt_hash"],
  ...["public_key_openssh", "public_key_fingerprint_md5", "public_key_fingerprint_sha256"],
];

/** One engine in a folder of its own. */
class Side {
  readonly folder = new TestFolder();
  readonly #program: readonly [string, ...string[]];

  constructor(name: string, ...program: readonly [string, ...string[]]) {
    this.#program = program;
    const source = join(place, `${name}.tf`);
    copyFileSync(source, this.path("main.tf"));
    const overrides = `"hashicorp/${name}" = "${programs}"`;
    writeFileSync(
      this.path("cli.tfrc"),
      `provider_installation {\n  dev_overrides {\n    ${overrides}\n  }\n  direct {}\n}\n`,
    );
  }

  path(name: string): string {
    return join(this.folder.path, name);
  }

  async run(...args: string[]): Promise<CommandOutcome> {
    const [program, ...first] = this.#program;
    const env = { TF_CLI_CONFIG_FILE: this.path("cli.tfrc"), TF_VAR_server: address, CHECKPOINT_DISABLE: "1" };
    const ended = await runProgram([...first, ...args], { program, cwd: this.folder.path, env });
    expect(ended.code, `${program} ${args.join(" ")}\n${ended.out}\n${ended.err}`).toBe(0);
    return ended;
  }

  async plan(...flags: string[]): Promise<Json> {
    await this.run("plan", "-no-color", "-out=plan", ...flags);
    const plan = JSON.parse((await this.run("show", "-json", "plan")).out) as Json;
    const { timestamp: _, configuration: __, checks, ...rest } = withoutChance(plan, madeUp);
    // Of a destroy the reference lists the checks that it does not make.
    if (!flags.includes("-destroy")) Object.assign(rest, { checks });
    // Of replaced objects the reference does not say here what is sensitive, though it does in the changes.
    return JSON.parse(JSON.stringify(rest), (key, value: unknown) => (key === "sensitive_values" ? "" : value)) as Json;
  }

  async apply(): Promise<Json> {
    await this.run("apply", "-no-color", "plan");
    const state = JSON.parse(readFileSync(this.path("terraform.tfstate"), "utf8")) as Json;
    // What an apply does not look at again stays unknown with the reference, and is what the plan found with ours.
    const { lineage: _, serial: __, check_results: ___, ...rest } = withoutChance(state, madeUp);
    return rest;
  }
}

describe.runIf(terraform && found.length > 0)("providers written in Go", () => {
  test.each(found)("%s", async (name) => {
    const theirs = new Side(name, "terraform");
    const ours = new Side(name, launcher, "terraform");
    const both = <T>(work: (side: Side) => Promise<T>) => Promise.all([work(theirs), work(ours)]);
    try {
      for (const flags of [["-var=step=1"], ["-var=step=2"], ["-destroy", "-var=step=2"]]) {
        const [wanted, plan] = await both((side) => side.plan(...flags));
        expect(plan, flags.join(" ")).toEqual(wanted);
        const [state, after] = await both((side) => side.apply());
        expect(after, flags.join(" ")).toEqual(state);
        if (flags[0] !== "-destroy")
          await both((side) => side.run("plan", "-no-color", "-detailed-exitcode", ...flags));
      }
    } finally {
      theirs.folder.remove();
      ours.folder.remove();
    }
  });
});
