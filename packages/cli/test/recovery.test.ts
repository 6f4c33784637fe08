import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { TestFolder } from "./folder.ts";
import { Process } from "./process.ts";
import { SlowFolder } from "./slow-folder.ts";

/* Whole processes that are interrupted, killed, locked out, or whose disk fails them, and what the next run makes of it. */

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

let folder: SlowFolder;
beforeEach(async () => {
  folder = await SlowFolder.make(server);
});
afterEach(() => folder.remove());

const all = ["consul_key_prefix.slow", "terraform_data.later", "terraform_data.quick"];

/** The next apply completes: all is there once, and nothing is left of the run before. */
async function expectRecovery(): Promise<void> {
  folder.gate.release();
  const applied = await folder.run(["apply", "-auto-approve"]);
  expect(applied.code, applied.out + applied.err).toBe(0);
  expect(folder.objects().sort()).toEqual(all);
  expect(await folder.keys()).toEqual(["slow/a", "slow/b"]);
  expect(folder.hasJournal).toBe(false);
  expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
}

describe("an interrupted apply", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "finishes after one %s what runs, begins nothing more, and its state is true",
    async (signal) => {
      const apply = await folder.startHeld("request");
      apply.signal(signal);
      expect(await apply.until(() => /Interrupted/.test(apply.err))).toBe(true);
      folder.gate.release();
      expect(await apply.ended).toMatchObject({ code: 1 });
      expect(folder.objects().sort()).toEqual(["consul_key_prefix.slow", "terraform_data.quick"]);
      expect(folder.hasJournal).toBe(false);
      expect((await folder.run(["plan"])).out).toMatch(/Plan: 1 to add, 0 to change, 0 to destroy/);
      await expectRecovery();
    },
  );

  test("ends at once on the second, and the next run takes over what had been made", async () => {
    const apply = await folder.startHeld("answer");
    apply.signal("SIGINT");
    await apply.until(() => /Interrupted/.test(apply.err));
    const asked = performance.now();
    apply.signal("SIGINT");
    expect(await apply.ended).toMatchObject({ code: 130 });
    // 200 ms is the promise; a busy machine that runs tests is given more.
    expect(performance.now() - asked).toBeLessThan(1000);
    expect([folder.objects(), folder.hasJournal]).toEqual([[], true]);
    folder.gate.release();
    const plan = await folder.run(["plan"]);
    expect(plan.out).toMatch(/Took in what an interrupted run had done/);
    expect(plan.out).toMatch(/Took over an object of an interrupted create/);
    expect(plan.out).toMatch(/Plan: 1 to add, 0 to change, 0 to destroy/);
    await expectRecovery();
  });

  test("at the question has changed nothing", async () => {
    const apply = folder.start(["apply"]);
    await apply.until(() => /Enter a value:/.test(apply.out));
    apply.signal("SIGINT");
    expect(await apply.ended).toMatchObject({ code: 1 });
    expect([folder.objects(), folder.hasJournal, await folder.keys()]).toEqual([[], false, []]);
  });
});

describe("a killed apply", () => {
  test("had not sent its create yet: it is created once", async () => {
    const apply = await folder.startHeld("request");
    apply.signal("SIGKILL");
    await apply.ended;
    await expectRecovery();
  });

  test("had its object made: a plan alone neither forgets it nor makes it again", async () => {
    const apply = await folder.startHeld("answer");
    apply.signal("SIGKILL");
    await apply.ended;
    folder.gate.release();
    for (let i = 0; i < 2; i++) expect((await folder.run(["plan"])).out).toMatch(/Plan: 1 to add/);
    await expectRecovery();
  });

  test("and the apply that takes over is killed too: the object is still known", async () => {
    const first = await folder.startHeld("answer");
    first.signal("SIGKILL");
    await first.ended;
    folder.gate.release();
    const second = folder.start(["apply", "-auto-approve"]);
    second.closeInput();
    await second.until(() => /later: Creating/.test(second.out));
    second.signal("SIGKILL");
    await second.ended;
    expect(folder.objects()).toContain("consul_key_prefix.slow");
    await expectRecovery();
  });

  test("and a destroy that follows takes the object with it", async () => {
    const apply = await folder.startHeld("answer");
    apply.signal("SIGKILL");
    await apply.ended;
    folder.gate.release();
    const destroyed = await folder.run(["destroy", "-auto-approve"]);
    expect(destroyed.code, destroyed.out + destroyed.err).toBe(0);
    expect([await folder.keys(), folder.objects(), folder.hasJournal]).toEqual([[], [], false]);
  });
});

test("a killed apply has moved objects before it changed them: there is none under both addresses", async () => {
  const moving = new TestFolder({ "main.tf": `resource "terraform_data" "old" {}\n` });
  try {
    await moving.must("apply", "-auto-approve");
    moving.write({
      "main.tf": `resource "terraform_data" "new" {
  input = "changed"
}
resource "terraform_data" "held" {
  triggers_replace = terraform_data.new.output
  provisioner "local-exec" {
    command = "touch held; while [ ! -e go ]; do sleep 0.05; done"
  }
}
moved {
  from = terraform_data.old
  to   = terraform_data.new
}
`,
    });
    const apply = Process.start(["apply", "-auto-approve"], { cwd: moving.path });
    while (!existsSync(join(moving.path, "held")) && !apply.hasEnded) await pause(20);
    apply.signal("SIGKILL");
    moving.write({ go: "" });
    await apply.ended;
    const { out } = await moving.must("plan");
    expect(out).toContain("Took in what an interrupted run had done");
    expect(out).not.toContain("terraform_data.old");
    expect((await moving.must("state", "list")).out).toBe("terraform_data.held\nterraform_data.new\n");
  } finally {
    moving.remove();
  }
});

describe("two runs on one state", () => {
  test("the second is told who works on it since when, and the state is free as soon as the first is killed", async () => {
    const first = await folder.startHeld("answer");
    const refused = await folder.run(["plan"]);
    expect(refused.code).toBe(1);
    expect(refused.err.replaceAll(/\s*│ ?/g, " ")).toMatch(
      new RegExp(`is held by \\S+@${hostname()} since \\d{4}-\\d\\d-\\d\\dT[\\s\\S]*OperationTypeApply`),
    );
    first.signal("SIGKILL");
    await first.ended;
    await expectRecovery();
  });

  test("the second waits as long as -lock-timeout says, and goes on", async () => {
    const first = await folder.startHeld("request");
    const second = folder.start(["apply", "-auto-approve", "-lock-timeout=60s"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(second.hasEnded).toBe(false);
    folder.gate.release();
    expect(await first.ended).toMatchObject({ code: 0 });
    const { code, out } = await second.ended;
    expect([code, out]).toEqual([0, expect.stringMatching(/0 added, 0 changed, 0 destroyed/)]);
  });

  test("the second, without a lock, does not touch the journal of the first", async () => {
    const first = await folder.startHeld("request");
    const refused = await folder.run(["apply", "-auto-approve", "-lock=false"]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/Another run is at work/)]);
    folder.gate.release();
    expect(await first.ended).toMatchObject({ code: 0 });
    await expectRecovery();
  });
});

describe("a disk that fails", () => {
  test("where the state cannot be written, errored.tfstate has it, and the next run takes it from the journal", async () => {
    const apply = await folder.startHeld("request");
    mkdirSync(folder.statePath);
    folder.gate.release();
    const { code, err } = await apply.ended;
    expect([code, err]).toEqual([1, expect.stringMatching(/Failed to save state[\s\S]*errored\.tfstate/)]);
    expect(folder.objects("errored.tfstate").sort()).toEqual(all);
    rmdirSync(folder.statePath);
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
    await expectRecovery();
  });

  test("where nothing can be written any more, the journal has it all", async () => {
    const apply = await folder.startHeld("request");
    const away = `${folder.path}-away`;
    renameSync(folder.path, away);
    folder.gate.release();
    const { code, err } = await apply.ended;
    renameSync(away, folder.path);
    expect([code, err]).toEqual([1, expect.stringMatching(/Nor could errored\.tfstate be written/)]);
    expect(existsSync(join(folder.path, "errored.tfstate"))).toBe(false);
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
    await expectRecovery();
  });

  test("where there is no room for a journal, nothing is changed", async () => {
    const refused = await folder.run(["apply", "-auto-approve"], { fileLimit: 0 });
    expect(refused.code, refused.out + refused.err).toBe(1);
    expect(refused.err).not.toMatch(/bug/);
    expect([folder.objects(), await folder.keys()]).toEqual([[], []]);
    await expectRecovery();
  });

  test.each([2, 8, 40])(
    "with room for files of %i KiB, what was begun is known, and the next run goes on",
    async (fileLimit) => {
      const limited = await folder.run(["apply", "-auto-approve"], { fileLimit });
      expect(limited.err).not.toMatch(/bug/);
      if (limited.code !== 0) expect(limited.err).toMatch(/cannot be written/);
      await expectRecovery();
    },
  );
});
