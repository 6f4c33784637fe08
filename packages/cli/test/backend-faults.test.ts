import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { Process } from "./process.ts";
import { type StateServer, startHttpStates } from "./state-servers.ts";

/* What becomes of a run whose backend fails it, or whose lock is lost. */

let web: StateServer;
let postgres: PostgresServer;
beforeAll(async () => {
  [web, postgres] = await Promise.all([startHttpStates(), startPostgres({ database: "states" })]);
});
afterAll(async () => {
  await Promise.all([web.stop(), postgres.stop()]);
});

let folder: TestFolder;
beforeEach(() => {
  folder = new TestFolder();
});
afterEach(() => {
  web.failing = new Set();
  folder.remove();
});

const encryption = `terraform {
  encryption {
    key_provider "pbkdf2" "main" {
      passphrase = "correct horse battery staple"
      iterations = 200000
    }
    method "aes_gcm" "main" {
      keys = key_provider.pbkdf2.main
    }
    state {
      method = method.aes_gcm.main
    }
  }
}
`;
const address = () => `${web.address}/state-${Math.random()}`;
const overHttp = (at: string) => `terraform {
  backend "http" {
    address        = "${at}"
    lock_address   = "${at}"
    unlock_address = "${at}"
    retry_max      = 0
  }
}
resource "terraform_data" "a" {
  input = "in-the-clear"
}
`;
const journalOf = (of: TestFolder) => join(of.path, ".terraform", ".default.tfstate.journal");

test.each([
  { name: "in clear", extra: {}, clear: true },
  { name: "encrypted", extra: { "encryption.tf": encryption }, clear: false },
])("a state that the server does not take is kept here ($name), and the next run brings it there", async (given) => {
  folder.write({ "main.tf": overHttp(address()), ...given.extra });
  await folder.must("init");
  web.failing = new Set(["POST"]);
  const failed = await folder.run(["apply", "-auto-approve"]);
  expect([failed.code, failed.err]).toEqual([1, expect.stringContaining("Failed to save state")]);
  for (const path of [join(folder.path, "errored.tfstate"), journalOf(folder)])
    expect(readFileSync(path, "utf8").includes("in-the-clear"), path).toBe(given.clear);
  web.failing = new Set();
  const plan = await folder.run(["plan", "-detailed-exitcode"]);
  expect([plan.code, plan.out]).toEqual([0, expect.stringContaining("Took in what an interrupted run had done")]);
  expect(existsSync(journalOf(folder))).toBe(false);
  expect([...web.kept.values()].some((bytes) => bytes.includes("in-the-clear"))).toBe(given.clear);
  web.kept.clear();
});

test("the errored state can be pushed by hand as well", async () => {
  folder.write({ "main.tf": overHttp(address()) });
  await folder.must("init");
  web.failing = new Set(["POST"]);
  expect((await folder.run(["apply", "-auto-approve"])).code).toBe(1);
  web.failing = new Set();
  await folder.must("state", "push", "errored.tfstate");
  await folder.must("plan", "-detailed-exitcode");
});

test("nothing is begun where the state cannot be read or held", async () => {
  folder.write({ "main.tf": overHttp(address()) });
  await folder.must("init");
  for (const method of ["GET", "LOCK"]) {
    web.failing = new Set([method]);
    const { code, out } = await folder.run(["apply", "-auto-approve"]);
    expect([code, out.includes("Creating")]).toEqual([1, false]);
  }
});

test("a lock that is lost ends the run, which writes nothing over what others may write", async () => {
  const slow = (command: string) => `terraform {
  backend "pg" {
    conn_str = "${postgres.url}"
  }
}
resource "terraform_data" "slow" {
  input = "one"
  provisioner "local-exec" {
    command = "${command}"
  }
}
resource "terraform_data" "after" {
  input = terraform_data.slow.output
}
`;
  folder.write({ "main.tf": slow("touch started; sleep 2") });
  await folder.must("init");
  const run = Process.start(["apply", "-auto-approve"], { cwd: folder.path });
  run.closeInput();
  await expect.poll(() => existsSync(join(folder.path, "started"))).toBe(true);
  await postgres.adminSql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'millwright %'",
  );
  const { code, out, err } = await run.ended;
  const said = err.replaceAll(/\s*│ ?/g, " ");
  expect([code, said]).toEqual([1, expect.stringContaining("was lost while this run was at work")]);
  expect(said).not.toContain("Cannot write");
  expect(out).not.toContain("terraform_data.after: Creating");
  expect(existsSync(join(folder.path, "errored.tfstate"))).toBe(true);
  folder.write({ "main.tf": slow("true") });
  const again = await folder.run(["apply", "-auto-approve"]);
  expect(again.code, again.out + again.err).toBe(0);
  expect(again.out).toContain("terraform_data.after: Creation complete");
  await folder.must("plan", "-detailed-exitcode");
});
