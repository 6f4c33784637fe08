import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { printTable, ratioText, timeText } from "./support/measure.ts";
import { inFolder, millwright, onPath, runProgram } from "./support/programs.ts";

// Plans that find nothing to do over large states: instances of one block, and blocks of their own in chains of ten. Whole
// processes, local state, written by ours. The peer is left out beyond 5,000, where it takes minutes.
// The sizes may be given: npm run bench -- plan-large 1000
const sizes = process.argv.slice(2).map(Number);
const terraform = onPath("terraform");
const mostForPeer = 5_000;

const instances = (count: number) =>
  `resource "terraform_data" "bench" {\n  count = ${count}\n  input = "value \${count.index}"\n}\n`;

const chains = (count: number) =>
  Array.from({ length: count }, (_, at) => {
    const input = at % 10 === 0 ? `"start ${at}"` : `terraform_data.b${at - 1}.output`;
    return `resource "terraform_data" "b${at}" {\n  input = ${input}\n}\n`;
  }).join("");

interface Cost {
  readonly milliseconds: number;
  /** The largest resident set, in MB. */
  readonly megabytes: number;
}

async function plan(program: string, folder: string): Promise<Cost> {
  const start = performance.now();
  const env = { ...process.env, TF_CLI_CONFIG_FILE: "/dev/null" };
  const child = spawn(program, ["plan", "-detailed-exitcode"], { cwd: folder, env, stdio: "ignore" });
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, peakOf(child.pid!))), 20);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`${program} plan ended with ${code}, where nothing is to be done`);
  return { milliseconds: performance.now() - start, megabytes: peak };
}

// The kernel keeps the high-water mark; what the process needed in its last moments is not seen.
function peakOf(pid: number): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const forms = [
  { name: "instances of one block", config: instances },
  { name: "blocks in chains of ten", config: chains },
];
const rows: string[][] = [];
for (const { name, config } of forms) {
  for (const count of sizes.length > 0 ? sizes : [1_000, 5_000, 10_000, 100_000]) {
    await inFolder({ "main.tf": config(count) }, async (folder) => {
      runProgram(millwright, ["apply", "-auto-approve"], folder, { MILLWRIGHT_HISTORY: "off" });
      await plan(millwright, folder);
      const ours = await plan(millwright, folder);
      const peer = terraform && count <= mostForPeer ? await plan(terraform, folder) : undefined;
      rows.push([
        `${count} ${name}`,
        timeText(ours.milliseconds),
        `${Math.round(ours.megabytes)} MB`,
        peer ? timeText(peer.milliseconds) : "-",
        peer ? `${Math.round(peer.megabytes)} MB` : "-",
        ratioText(ours.milliseconds, peer?.milliseconds),
      ]);
    });
  }
}
const heads = ["", "millwright", "memory", "terraform", "memory", "ours is faster by"];
printTable("plan-large: a plan that finds nothing to do", heads, rows);
if (!terraform) console.log("terraform is not on the PATH, so only ours was measured.");
