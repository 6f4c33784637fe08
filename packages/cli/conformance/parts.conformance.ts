import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConsulAgent, startConsul } from "./consul-agent.ts";
import { type DevServer, startDevServer } from "../test/dev-server.ts";
import { TestFolder } from "../test/folder.ts";

/* Runs of ours that share a state keep the real terraform out, together, and it keeps them out; each goes on from the other. */

const env = {
  ...process.env,
  CHECKPOINT_DISABLE: "1",
  TF_CLI_CONFIG_FILE: devNull,
  TF_IN_AUTOMATION: "1",
  NO_COLOR: "1",
};
const hasTerraform = spawnSync("terraform", ["version"], { stdio: "ignore" }).status === 0;

const hasConsul = spawnSync("consul", ["version"], { stdio: "ignore" }).status === 0;

let postgres: PostgresServer;
let ours: DevServer;
let consul: ConsulAgent | undefined;
const folders: TestFolder[] = [];
beforeAll(async () => {
  [postgres, ours] = await Promise.all([startPostgres({ database: "states" }), startDevServer()]);
  if (hasConsul) consul = await startConsul();
});
afterAll(async () => {
  for (const folder of folders) folder.remove();
  consul?.stop();
  await Promise.all([postgres.stop(), ours.stop()]);
});

const backends = [
  { name: "pg", runs: true, block: () => ({ pg: { conn_str: postgres.url, schema_name: "shared" } }) },
  { name: "our server", runs: true, block: () => ({ consul: { ...consulAt(ours.address), path: "shared" } }) },
  { name: "Consul", runs: hasConsul, block: () => ({ consul: { ...consulAt(consul!.address), path: "shared" } }) },
];

function consulAt(url: string) {
  const { host } = new URL(url);
  return { address: host, scheme: "http" };
}

const slow = (name: string, input: string) => `resource "terraform_data" "${name}" {
  triggers_replace = "${input}"
  provisioner "local-exec" {
    command = "touch ${name}.begun; while [ ! -e ${name}.go ]; do sleep 0.05; done"
  }
}
`;

function checkout(backend: Readonly<Record<string, unknown>>, a: string, b: string): TestFolder {
  const block = { terraform: { backend } };
  const folder = new TestFolder({ "main.tf": slow("a", a) + slow("b", b), "backend.tf.json": JSON.stringify(block) });
  folders.push(folder);
  const { status, stderr } = terraform(folder, "init");
  expect(status, stderr).toBe(0);
  return folder;
}

function terraform({ path }: TestFolder, ...args: readonly string[]) {
  return spawnSync("terraform", [...args], { cwd: path, env: { ...env, TF_INPUT: "0" }, encoding: "utf8" });
}

const go = ({ path }: TestFolder, name: string) => writeFileSync(join(path, `${name}.go`), "");
async function begun({ path }: TestFolder, name: string): Promise<void> {
  for (const end = Date.now() + 30_000; !existsSync(join(path, `${name}.begun`)); await pause(20))
    if (Date.now() > end) throw new Error(`${name} was never begun`);
}

describe.runIf(hasTerraform).each(backends.filter(({ runs }) => runs))(
  "a state that is shared in $name",
  ({ block }) => {
    test("keeps the real terraform out until the last has ended", async () => {
      const [one, other, theirs] = [
        checkout(block(), "two", "one"),
        checkout(block(), "one", "two"),
        checkout(block(), "two", "two"),
      ];
      for (const name of ["a", "b"]) go(theirs, name);
      theirs.write({ "main.tf": slow("a", "one") + slow("b", "one") });
      expect(terraform(theirs, "apply", "-auto-approve").status).toBe(0);
      theirs.write({ "main.tf": slow("a", "two") + slow("b", "two") });
      const refused = () => {
        const { status, stderr } = terraform(theirs, "plan");
        expect([status, stderr]).toEqual([1, expect.stringContaining("Error acquiring the state lock")]);
      };

      const parts = ["apply", "-auto-approve", "-lock-scope=parts"];
      const first = one.run([...parts, "-target=terraform_data.a"]);
      await begun(one, "a");
      refused();
      const second = other.run([...parts, "-target=terraform_data.b"]);
      await begun(other, "b");
      go(one, "a");
      expect(await first).toMatchObject({ code: 0 });
      refused();
      go(other, "b");
      expect(await second).toMatchObject({ code: 0 });
      const { status, stdout } = terraform(theirs, "plan", "-detailed-exitcode");
      expect(status, stdout).toBe(0);

      theirs.write({ "main.tf": slow("a", "three") + slow("b", "two") });
      const child = spawn("terraform", ["apply", "-no-color"], { cwd: theirs.path, env });
      for (let out = ""; !out.includes("Enter a value"); ) out += String((await once(child.stdout, "data"))[0]);
      const kept = await other.run([...parts, "-target=terraform_data.b"]);
      expect([kept.code, kept.err]).toEqual([1, expect.stringContaining("Error acquiring the state lock")]);
      const waiting = other.run([...parts, "-lock-timeout=60s", "-target=terraform_data.b"]);
      child.stdin.end("yes\n");
      await once(child, "exit");
      expect(await waiting).toMatchObject({ code: 0 });
    });
  },
);
