import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildRemote, processesOf } from "./plugin-folder.ts";
import { type Ended, Process } from "./process.ts";
import { RemoteWorld } from "./remote-world.ts";

/* A run is killed while a provider's process makes two things: one that the configuration names, one that the remote does. */

const place = mkdtempSync(join(tmpdir(), "millwright-remote-"));
let settings: string;
let world: RemoteWorld;
let folder: string;
beforeAll(async () => {
  settings = await buildRemote(place);
});
afterAll(() => rmSync(place, { recursive: true }));
beforeEach(async () => {
  world = await RemoteWorld.start();
  folder = mkdtempSync(join(tmpdir(), "millwright-plugin-recovery-"));
});
afterEach(async () => {
  for (const pid of processesOf(folder)) process.kill(pid, "SIGKILL");
  await world.stop();
  rmSync(folder, { recursive: true });
});

const configuration = (address: string) => `terraform {
  required_providers {
    remote = {
      source = "example.com/test/remote"
    }
  }
}
provider "remote" {
  address = "${address}"
}
resource "remote_named" "all" {
  for_each = toset(["mine"])
  label    = each.key
}
resource "remote_assigned" "all" {
  for_each = toset(["theirs"])
  label    = each.key
}
`;

function start(...args: readonly string[]): Process {
  const process = Process.start(args, { cwd: folder, env: { TF_CLI_CONFIG_FILE: settings } });
  process.closeInput();
  return process;
}

async function run(code: number, ...args: readonly string[]): Promise<Ended> {
  const ended = await start(...args).ended;
  expect(ended.code, ended.out + ended.err).toBe(code);
  return { ...ended, err: ended.err.replaceAll(/\s*\n│?\s*/g, " ") };
}

/** Both things have been made, nobody was told of it, and the run is no more. */
async function killWhileMaking(end: (apply: Process) => void): Promise<void> {
  writeFileSync(join(folder, "main.tf"), configuration(world.address));
  await run(0, "init");
  world.onChange = () => new Promise(() => undefined);
  const apply = start("apply", "-auto-approve");
  expect(await apply.until(() => world.things.length === 2), apply.out + apply.err).toBe(true);
  end(apply);
  await apply.ended;
  world.onChange = () => undefined;
}

test("the named one is found and taken over; of the other the user is asked, and an import answers", async () => {
  await killWhileMaking((apply) => apply.signal("SIGKILL"));
  const { err } = await run(1, "plan");
  expect(err).toContain('A run that was killed had asked for remote_assigned.all["theirs"] to be created, at 20');
  expect(err).toContain("the provider gives it its identity");
  expect(err).toContain('{"id":null,"label":"theirs","made":null,"text":""}');
  expect(err).toContain(`import 'remote_assigned.all["theirs"]' ID`);
  expect(err).not.toContain('remote_named.all["mine"] to be created');
  expect(processesOf(folder)).toEqual([]);
  await run(0, "import", 'remote_assigned.all["theirs"]', world.find("theirs")!.id);
  const { out } = await run(0, "apply", "-auto-approve");
  expect(out).toContain("Took over an object of an interrupted create");
  await run(0, "plan", "-detailed-exitcode");
  expect(Object.fromEntries(world.made)).toEqual({ mine: 1, theirs: 1 });
});

test("the next run first ends the provider that the killed one left, be it stopped", async () => {
  await killWhileMaking((apply) => {
    for (const pid of processesOf(join(folder, ".terraform"))) process.kill(pid, "SIGSTOP");
    apply.signal("SIGKILL");
  });
  const left = processesOf(join(folder, ".terraform"));
  expect(left).toHaveLength(1);
  await run(0, "state", "rm", 'remote_assigned.all["theirs"]');
  expect(processesOf(folder)).toEqual([]);
});

describe("a provider's process that has lost its host", () => {
  const cookie = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
  const hosted = { TF_PLUGIN_MAGIC_COOKIE: cookie, PLUGIN_PROTOCOL_VERSIONS: "6" };

  function program(): string {
    const mirror = join(place, "mirror");
    const name = readdirSync(mirror, { recursive: true, encoding: "utf8" }).find((one) => /_v1\.0\.0$/.test(one));
    return join(mirror, name!);
  }

  test.each([
    { name: "once it serves", line: '"$0" & wait', isServing: true },
    { name: "before it serves", line: '"$0" & exit', isServing: false },
  ])("ends by itself, $name", async ({ line, isServing }) => {
    const env = { ...process.env, ...hosted, PLUGIN_UNIX_SOCKET_DIR: folder };
    const host = spawn("sh", ["-c", line, program()], { env, stdio: ["ignore", "pipe", "ignore"] });
    const serving = Promise.withResolvers<void>();
    host.stdout.on("data", () => serving.resolve());
    if (isServing) await serving.promise;
    else host.stdout.destroy();
    host.kill("SIGKILL");
    for (let i = 0; i < 200 && processesOf(join(place, "mirror")).length > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(processesOf(join(place, "mirror"))).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
