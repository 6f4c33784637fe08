import { readdirSync, readFileSync, existsSync } from "node:fs";
import { systemClock, systemChance } from "@millwright/core/ports";
import { loadConfiguration } from "./src/load/load.ts";
import { collectVariables } from "./src/variables.ts";
import { makePlan } from "./src/plan/make.ts";
import { applyPlan } from "./src/apply/apply.ts";
import { ProviderPool } from "./src/provider-pool.ts";
import { emptyState } from "./src/state.ts";
import { noRecorder } from "./src/apply/run.ts";
import { formatRange } from "@millwright/core/source";
const { terraformData } = await import("../providers/src/terraform/terraform-data.ts");
const { defineProvider } = await import("@millwright/provider/define");
const tf = defineProvider({
  name: "terraform",
  version: "1.11.4",
  configure: () => undefined,
  resources: { terraform_data: terraformData(systemChance) },
} as never);
const dir = process.argv[2]!;
process.chdir(dir);
const files = {
  read: (p: string) => (existsSync(p) ? readFileSync(p) : undefined),
  list: (d: string) => (existsSync(d) ? readdirSync(d).sort() : undefined),
};
const t0 = performance.now();
const show = (ds: readonly any[]) => {
  for (const d of ds) console.log(d.severity, d.summary, d.subject && formatRange(d.subject), "\n   ", d.detail);
};
const loaded = loadConfiguration(files, { tofuFiles: true });
show(loaded.diagnostics);
const vars = collectVariables(loaded.value.root, []);
show(vars.diagnostics);
const registry = {
  find: (s: any) => ({ source: s, version: "1.11.4", origin: "built-in" as const, start: async () => tf.start() }),
  known: () => [],
};
const ports = { clock: systemClock, chance: systemChance, events: () => undefined, stop: new AbortController().signal };
const functions = { get: () => undefined, keys: () => [] };
const ctx = (applying: boolean) => ({
  configuration: loaded.value,
  variables: vars.value.final,
  functions: () => functions,
  workspace: "default",
  applying,
  cwd: dir,
});
let state = emptyState;
for (let round = 0; round < 3; round++) {
  const t1 = performance.now();
  const pool = new ProviderPool(registry);
  const options = { mode: round === 2 ? "destroy" : "normal", refresh: true, targets: [], forceReplace: [] } as const;
  const { plan, diagnostics } = await makePlan({
    context: ctx(false),
    given: vars.value.given,
    state,
    lineage: "x",
    serial: 1,
    options,
    pool,
    ports,
    parallelism: 10,
    timestamp: new Date().toISOString(),
  });
  show(diagnostics);
  if (plan.changes.length < 20) for (const c of plan.changes) console.log(c.action, c.address.text, c.reason);
  const t2 = performance.now();
  console.log("plan", (t2 - t1).toFixed(0), "ms", plan.changes.length);
  if (plan.errored) break;
  const pool2 = new ProviderPool(registry);
  const result = await applyPlan({
    plan,
    context: ctx(true),
    pool: pool2,
    ports,
    recorder: noRecorder,
    parallelism: 10,
  });
  show(result.diagnostics);
  console.log("apply", (performance.now() - t2).toFixed(0), "ms", result.counts, result.complete);
  state = result.state;
}
console.log("total", (performance.now() - t0).toFixed(0));
