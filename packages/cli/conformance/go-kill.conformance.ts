import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { journalPath } from "@millwright/engine/backend/journal";
import { describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import { processesOf } from "../test/plugin-folder.ts";
import { Process } from "../test/process.ts";

// A run is killed while a provider as its developers build it makes something.

const programs = process.env.MILLWRIGHT_GO_PROVIDERS ?? "";
const program = join(programs, "terraform-provider-time");
const found = programs !== "" && existsSync(program);
if (!found) console.error("not found (MILLWRIGHT_GO_PROVIDERS names a folder of programs): time");

const configuration = (duration: string) => `resource "time_sleep" "slow" {
  create_duration = "${duration}"
}
`;
const settings = `provider_installation {
  dev_overrides {
    "hashicorp/time" = "${programs}"
  }
  direct {}
}
`;

describe.runIf(found)("a provider written in Go", () => {
  test("does not outlive a killed run and what comes after, and what it was making is asked about", async () => {
    const folder = new TestFolder({ "main.tf": configuration("600s"), "cli.tfrc": settings });
    const start = (...args: readonly string[]) => {
      const env = { TF_CLI_CONFIG_FILE: join(folder.path, "cli.tfrc") };
      const started = Process.start(args, { cwd: folder.path, env });
      started.closeInput();
      return started;
    };
    const journal = journalPath(join(folder.path, "terraform.tfstate"));
    const before = new Set(processesOf(program));
    const own = () => processesOf(program).filter((pid) => !before.has(pid));
    try {
      const apply = start("apply", "-auto-approve");
      const isMaking = () => existsSync(journal) && /"action":"create"/.test(readFileSync(journal, "utf8"));
      expect(await apply.until(isMaking), apply.out + apply.err).toBe(true);
      expect(own()).toHaveLength(1);
      apply.signal("SIGKILL");
      await apply.ended;
      const plan = await start("plan").ended;
      expect(plan.code).toBe(1);
      expect(plan.err).toMatch(/A create may have happened/);
      expect(plan.err).toMatch(/"create_duration":"600s"/);
      expect(own()).toEqual([]);
      expect((await start("state", "rm", "time_sleep.slow").ended).code).toBe(0);
      folder.write({ "main.tf": configuration("1s") });
      const again = await start("apply", "-auto-approve").ended;
      expect(again.code, again.out + again.err).toBe(0);
      expect((await start("plan", "-detailed-exitcode").ended).code).toBe(0);
    } finally {
      for (const pid of own()) process.kill(pid, "SIGKILL");
      folder.remove();
    }
  });
});
