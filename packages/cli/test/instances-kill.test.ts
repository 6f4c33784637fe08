import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { TestFolder } from "./folder.ts";
import { HttpGate } from "./http-gate.ts";
import { Process } from "./process.ts";

/* An apply over instances that is killed in the middle, and how the next one goes on. */

let server: DevServer;
let gate: HttpGate;
let client: ConsulClient;
let folder: TestFolder;
const started: Process[] = [];

beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  gate = await HttpGate.start(server.address);
  client = new ConsulClient({ address: server.address });
  folder = new TestFolder({
    "quick/main.tf": 'resource "terraform_data" "q" {}\noutput "id" { value = terraform_data.q.id }\n',
    "keys/main.tf": `variable "name" {}
variable "text" {}
provider "consul" { address = "${gate.address}" }
resource "consul_key_prefix" "k" {
  path_prefix = "\${var.name}/"
  subkeys     = { text = var.text }
}
output "text" { value = consul_key_prefix.k.subkeys.text }
`,
    "all.instances.ts": `import { instance } from "millwright";
const quick = instance("quick", "./quick");
const slow = instance("slow", "./keys", { name: "slow", text: quick.id });
instance("after", "./keys", { name: "after", text: slow.text });
`,
  });
});
afterEach(async () => {
  for (const process of started) process.signal("SIGKILL");
  await Promise.all(started.splice(0).map(({ ended }) => ended));
  await gate.stop();
  await client.kv.deleteTree("");
  await client.close();
  folder.remove();
});

function start(...args: readonly string[]): Process {
  const process = Process.start(args, { cwd: folder.path });
  process.closeInput();
  started.push(process);
  return process;
}

const keys = async () => (await client.kv.list("")).value.map(({ key }) => key).sort();
const files = (name: string) => readdirSync(join(folder.path, ".millwright/instances", name));

describe("an apply over instances that is killed", () => {
  test.each(["request", "answer"] as const)(
    "while the %s of a create is on its way is gone on with: nothing is made twice, nothing left over",
    async (what) => {
      gate.hold(what, /^PUT /);
      const apply = start("apply", "-auto-approve");
      expect(await apply.until(() => gate.held > 0), apply.err).toBe(true);
      apply.signal("SIGKILL");
      await apply.ended;
      gate.release();
      expect(files("quick")).toContain("terraform.tfstate");
      expect(existsSync(join(folder.path, ".millwright/instances/after/terraform.tfstate"))).toBe(false);
      const plan = await start("plan").ended;
      expect(plan.code, plan.out + plan.err).toBe(0);
      expect(plan.out).toMatch(/Plan for \d instances?: [12] to add, 0 to change, 0 to destroy/);
      const again = await start("apply", "-auto-approve").ended;
      expect(again.code, again.out + again.err).toBe(0);
      expect(await keys()).toEqual(["after/text", "slow/text"]);
      expect((await start("plan", "-detailed-exitcode").ended).code).toBe(0);
      for (const name of ["quick", "slow", "after"])
        expect(files(name).filter((file) => /journal|errored/.test(file))).toEqual([]);
    },
  );

  test("in the middle of a wave is gone on with at that wave, in the sizes that are left", async () => {
    gate.hold("answer", /^PUT /);
    const apply = start("apply", "-auto-approve", "-waves=1");
    expect(await apply.until(() => gate.held > 0), apply.err).toBe(true);
    apply.signal("SIGKILL");
    await apply.ended;
    gate.release();
    expect(apply.out).toContain("Wave 1 of 3: 1 done.");
    expect(await keys()).toEqual(["slow/text"]);
    const again = await start("apply", "-auto-approve").ended;
    expect(again.code, again.out + again.err).toBe(0);
    expect(again.out).toMatch(/The apply of [\d :-]+ was killed in wave 2 of 3\. It is gone on with:/);
    expect(again.out).toMatch(/In [12] waves?\. Gates between them:/);
    expect(await keys()).toEqual(["after/text", "slow/text"]);
    expect((await start("plan", "-detailed-exitcode").ended).code).toBe(0);
    expect(existsSync(join(folder.path, ".millwright/waves/all.json"))).toBe(false);
  });

  test("and whose instance is then taken off the list is still known", async () => {
    gate.hold("answer", /^PUT /);
    const apply = start("apply", "-auto-approve");
    expect(await apply.until(() => gate.held > 0), apply.err).toBe(true);
    apply.signal("SIGKILL");
    await apply.ended;
    gate.release();
    folder.write({ "all.instances.ts": 'import { instance } from "millwright";\ninstance("quick", "./quick");\n' });
    expect(await keys()).toEqual(["slow/text"]);
    const again = await start("apply", "-auto-approve").ended;
    expect(again.code, again.out + again.err).toBe(0);
    expect(again.out).toContain("── slow template keys, no longer listed, to be destroyed");
    expect(await keys()).toEqual([]);
  });
});
