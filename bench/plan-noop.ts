import { rmSync } from "node:fs";
import { join } from "node:path";
import { median, printTable, ratioText, timeText } from "./support/measure.ts";
import { inFolder, millwright, onPath, runProgram } from "./support/programs.ts";

// Plans and applies N terraform_data instances and plans again, which finds nothing to do; whole processes, local state.
// The sizes may be given: npm run bench -- plan-noop 1000
const sizes = process.argv.slice(2).map(Number);
const terraform = onPath("terraform");
const phases = ["plan", "apply", "no-op plan"] as const;

type Times = Readonly<Record<(typeof phases)[number], number>>;

async function measure(program: string, count: number, runs: number): Promise<Times> {
  const config = `resource "terraform_data" "bench" {\n  count = ${count}\n  input = "value \${count.index}"\n}\n`;
  return inFolder({ "main.tf": config }, (folder) => {
    runProgram(program, ["init"], folder);
    const times: Record<(typeof phases)[number], number[]> = { plan: [], apply: [], "no-op plan": [] };
    for (let run = 0; run < runs; run++) {
      rmSync(join(folder, "terraform.tfstate"), { force: true });
      const timed = (phase: (typeof phases)[number], ...args: string[]) => {
        const start = performance.now();
        runProgram(program, args, folder);
        times[phase].push(performance.now() - start);
      };
      timed("plan", "plan", "-out=bench.plan");
      timed("apply", "apply", "bench.plan");
      timed("no-op plan", "plan", "-detailed-exitcode");
    }
    return { plan: median(times.plan), apply: median(times.apply), "no-op plan": median(times["no-op plan"]) };
  });
}

for (const count of sizes.length > 0 ? sizes : [1000, 5000]) {
  const ours = await measure(millwright, count, 3);
  // The peer takes minutes at 5,000: once is enough there.
  const peer = terraform ? await measure(terraform, count, count > 1000 ? 1 : 3) : undefined;
  const rows = phases.map((phase) => [
    phase,
    timeText(ours[phase]),
    peer ? timeText(peer[phase]) : "-",
    ratioText(ours[phase], peer?.[phase]),
  ]);
  printTable(
    `plan-noop: ${count} terraform_data instances`,
    ["", "millwright", "terraform", "ours is faster by"],
    rows,
  );
}
if (!terraform) console.log("terraform is not on the PATH, so only ours was measured.");
