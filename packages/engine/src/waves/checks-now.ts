import { hasErrors } from "@millwright/core/diagnostics";
import { isWhollyKnown } from "@millwright/value/value";
import { resourceText } from "../addresses.ts";
import type { ApplyRun } from "../apply/run.ts";
import { checkAsserts } from "../checks.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import { type Evaluator, noInstance } from "../evaluator.ts";
import { readData } from "../plan/data.ts";
import type { CheckResult, InstanceChange } from "../plan/plan.ts";

/**
 * Looks at all check blocks as things are in the middle of an apply. `evaluator` knows what is there now, and is not the
 * apply's own, which must not remember what was only so for a while. What cannot be told yet is `unknown`.
 */
export async function checksNow(run: ApplyRun, evaluator: Evaluator): Promise<readonly CheckResult[]> {
  for (const change of run.plan.changes)
    if (change.reason === "read_because_check_nested") await readNested(run, evaluator, change);
  const checks: CheckResult[] = [];
  const looking = { evaluator, checks };
  for (const module of evaluator.context.configuration.modules.values()) {
    for (const check of module.checks.values())
      for (const instance of evaluator.moduleInstances(module)) checkAsserts(looking, check, instance);
  }
  return checks;
}

// What it fails for is seen by the assertions, which do not know it then.
async function readNested(run: ApplyRun, evaluator: Evaluator, { address, provider }: InstanceChange): Promise<void> {
  const resource = evaluator.module(address.module).resources.get(resourceText(address.resource));
  const schema = run.pool.resourceSchema(provider.source, address.resource);
  if (!resource || !schema || !run.pool.isConfigured(provider)) return;
  const config = decodeResourceConfig(evaluator, resource, schema, address, noInstance);
  if (hasErrors(config.diagnostics) || !isWhollyKnown(config.value)) return;
  const looking = { ...run, evaluator, diagnostics: [] };
  const serving = run.pool.serving(provider, address);
  const read = await readData(looking, { address, resource, schema, provider: serving }, config.value);
  if (read.value) evaluator.setInstance(address.module, address.resource, address.key, read.value);
}
