import { rmSync } from "node:fs";
import { join } from "node:path";
import { median, printTable, ratioText, timeText } from "./support/measure.ts";
import { inFolder, millwright, onPath, runProgram } from "./support/programs.ts";

// Plans and applies instances of one template, each with a number of objects and inputs from the one before it in its chain of
// five, then plans again with nothing to do. Beside it terraform in one folder an instance, one after another, as a script would
// run it. The sizes may be given: npm run bench -- plan-instances 50 100
const [instances = 50, objects = 100] = process.argv.slice(2).map(Number);
const chain = 5;
const runs = 3;
const terraform = onPath("terraform");
const phases = ["plan", "apply", "no-op plan"] as const;
type Phase = (typeof phases)[number];

const template = `variable "before" {
  type    = string
  default = "first"
}
resource "terraform_data" "bench" {
  count = ${objects}
  input = "\${var.before} \${count.index}"
}
output "last" { value = terraform_data.bench[${objects - 1}].id }
`;

const list = `import { instance } from "millwright";
for (let first = 0; first < ${instances}; first += ${chain}) {
  let before: string | undefined;
  for (let i = first; i < Math.min(first + ${chain}, ${instances}); i++) {
    const made = instance(\`app-\${i}\`, "./app", before === undefined ? {} : { before });
    before = made.last;
  }
}
`;

type Times = Record<Phase, number[]>;
const times: { readonly ours: Times; readonly peer: Times } = {
  ours: { plan: [], apply: [], "no-op plan": [] },
  peer: { plan: [], apply: [], "no-op plan": [] },
};

function timed(into: Times, phase: Phase, work: () => void): void {
  const start = performance.now();
  work();
  into[phase].push(performance.now() - start);
}

await inFolder({ "app/main.tf": template, "all.instances.ts": list }, async (folder) => {
  for (let run = 0; run < runs; run++) {
    rmSync(join(folder, ".millwright"), { recursive: true, force: true });
    timed(times.ours, "plan", () => runProgram(millwright, ["plan", "-out=bench.plan"], folder));
    timed(times.ours, "apply", () => runProgram(millwright, ["apply", "bench.plan"], folder));
    timed(times.ours, "no-op plan", () => runProgram(millwright, ["plan", "-detailed-exitcode"], folder));
  }
});

// A whole folder of the peer takes seconds: a few of them tell what each costs.
const sample = Math.min(instances, 4);
if (terraform)
  for (let i = 0; i < sample; i++)
    await inFolder({ "main.tf": template }, async (folder) => {
      runProgram(terraform, ["init"], folder);
      timed(times.peer, "plan", () => runProgram(terraform, ["plan", "-out=bench.plan"], folder));
      timed(times.peer, "apply", () => runProgram(terraform, ["apply", "bench.plan"], folder));
      timed(times.peer, "no-op plan", () => runProgram(terraform, ["plan", "-detailed-exitcode"], folder));
    });

const rows = phases.map((phase) => {
  const ours = median(times.ours[phase]);
  const peer = terraform ? median(times.peer[phase]) * instances : undefined;
  return [phase, timeText(ours), peer === undefined ? "-" : timeText(peer), ratioText(ours, peer)];
});
printTable(
  `plan-instances: ${instances} instances of ${objects} terraform_data each, in chains of ${chain}`,
  ["", "millwright", `terraform, ${instances} times a folder's median`, "ours is faster by"],
  rows,
);
if (!terraform) console.log("terraform is not on the PATH, so only ours was measured.");
