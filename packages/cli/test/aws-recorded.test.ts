import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RecordedExchange } from "@millwright/plugin/testing/recording";
import { compact, writeRecording } from "@millwright/plugin/testing/recording";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

// The AWS provider as it answered once: what our engine asks it is what it was asked then, byte for byte. To record it anew, give
// MILLWRIGHT_RECORD the provider's program, and run moto_server on the port below.

const endpoint = "http://127.0.0.1:5055";
const data = (name: string) => fileURLToPath(new URL(`../testdata/aws/${name}`, import.meta.url));
const program = fileURLToPath(import.meta.resolve("@millwright/plugin/testing/recorded-program"));
const record = process.env.MILLWRIGHT_RECORD;

let folder: TestFolder;
let place: TestFolder;
const environment = () => ({
  TF_CLI_CONFIG_FILE: `${place.path}/cli.tfrc`,
  TF_VAR_endpoint: endpoint,
  PATH: process.env.PATH ?? "",
});

beforeAll(() => {
  folder = new TestFolder(
    Object.fromEntries(["network.tf", "services.tf"].map((name) => [name, readFileSync(data(name), "utf8")])),
  );
  place = new TestFolder();
  const settings = record
    ? `RECORD_PROGRAM='${record}' RECORDED_LINES='${place.path}/lines'`
    : `REPLAY_FILE='${data("exchanges.json.gz")}'`;
  place.write({
    "terraform-provider-aws": `#!/bin/sh\nexport ${settings}\nexec '${process.execPath}' '${program}'\n`,
    "cli.tfrc": `provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "${place.path}"\n  }\n}\n`,
  });
  chmodSync(`${place.path}/terraform-provider-aws`, 0o755);
});

afterAll(() => {
  const lines = `${place.path}/lines`;
  if (existsSync(lines)) {
    const exchanges = readFileSync(lines, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { call, request, response } = JSON.parse(line) as RecordedExchange;
        return response === undefined ? { call, request } : { call, request, response };
      });
    writeFileSync(data("exchanges.json.gz"), writeRecording(compact({ version: 5, exchanges })));
  }
  folder.remove();
  place.remove();
});

async function run(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await folder.run(args, { env: environment() }, "terraform");
  expect(code, `${args.join(" ")}\n${out}\n${err}`).toBe(0);
  return out;
}

interface Instances {
  readonly resources: readonly {
    readonly type: string;
    readonly name: string;
    readonly instances: readonly unknown[];
  }[];
}

function stored(): readonly string[] {
  const { resources } = JSON.parse(folder.read("terraform.tfstate")) as Instances;
  return resources.map(({ type, name, instances }) => `${type}.${name} ${instances.length}`);
}

const later = ["-var=stage=prod", "-var=subnets=2", "-var=hash_key=key"];

test("creates, changes, replaces and destroys what it did with the real one", async () => {
  expect(await run("apply", "-auto-approve")).toMatch(/Apply complete! Resources: 18 added, 0 changed, 0 destroyed\./);
  expect(stored()).toContain("aws_subnet.main 3");
  await run("plan", "-detailed-exitcode");
  expect(await run("apply", "-auto-approve", ...later)).toMatch(
    /Apply complete! Resources: 1 added, 6 changed, 2 destroyed\./,
  );
  expect(stored()).toContain("aws_subnet.main 2");
  expect(await run("destroy", "-auto-approve", ...later)).toMatch(/Destroy complete! Resources: 17 destroyed\./);
  expect(stored()).toEqual([]);
}, 240_000);
