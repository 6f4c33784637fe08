import { rmSync } from "node:fs";
import { join } from "node:path";
import { median, printTable, ratioText, timeText } from "./support/measure.ts";
import { inFolder, millwright, runProgram } from "./support/programs.ts";
import { hasProvider, settingsFor, terraform } from "./support/provider-programs.ts";

// 500 resources of a provider that is a program of its own: every one is validated, planned, applied and read over the protocol.
const count = 500;
const phases = ["plan and apply", "no-op plan", "destroy"] as const;
const config = `resource "null_resource" "bench" {\n  count    = ${count}\n  triggers = { index = count.index }\n}\n`;

type Times = Readonly<Record<(typeof phases)[number], number>>;

async function measure(program: string): Promise<Times> {
  return inFolder({ "main.tf": config, "cli.tfrc": settingsFor("null") }, (folder) => {
    const env = { TF_CLI_CONFIG_FILE: join(folder, "cli.tfrc") };
    const times: Record<(typeof phases)[number], number[]> = { "plan and apply": [], "no-op plan": [], destroy: [] };
    for (let run = 0; run < 3; run++) {
      rmSync(join(folder, "terraform.tfstate"), { force: true });
      const timed = (phase: (typeof phases)[number], ...args: string[]) => {
        const start = performance.now();
        runProgram(program, args, folder, env);
        times[phase].push(performance.now() - start);
      };
      timed("plan and apply", "apply", "-auto-approve");
      timed("no-op plan", "plan", "-detailed-exitcode");
      timed("destroy", "destroy", "-auto-approve");
    }
    return {
      "plan and apply": median(times["plan and apply"]),
      "no-op plan": median(times["no-op plan"]),
      destroy: median(times.destroy),
    };
  });
}

if (hasProvider("null")) {
  const ours = await measure(millwright);
  const peer = terraform ? await measure(terraform) : undefined;
  const rows = phases.map((phase) => [
    phase,
    timeText(ours[phase]),
    peer ? timeText(peer[phase]) : "-",
    ratioText(ours[phase], peer?.[phase]),
  ]);
  printTable(
    `provider-500: ${count} null_resource of the provider's own program`,
    ["", "millwright", "terraform", "ours is faster by"],
    rows,
  );
} else console.log("not found: null (MILLWRIGHT_GO_PROVIDERS names a folder of terraform-provider-NAME)");
