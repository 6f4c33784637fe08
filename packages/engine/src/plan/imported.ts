import { errorDiagnostic } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import { conforms } from "@millwright/provider/implied-type";
import { disagreementText } from "../change/agreement.ts";
import { markSensitive, storedObject } from "../objects.ts";
import { readExisting } from "../read-existing.ts";
import type { ImportTargetInstance } from "../refactor/imports.ts";
import type { PlanTarget } from "./managed.ts";
import type { PriorObject } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { report } from "./run.ts";

/**
 * The object that an `import` block names, as what was there before: read, and taken into the run's state, which an apply
 * then saves. Undefined where there is none (and that was reported).
 */
export async function importPrior(
  run: PlanRun,
  target: PlanTarget,
  { by, block }: ImportTargetInstance,
): Promise<PriorObject | undefined> {
  const { address, schema, provider, providerAddress, nodeId } = target;
  const id = by.id ?? "";
  run.ports.events({ kind: "import-start", address: address.text, id });
  const { value: read, diagnostics } = await readExisting(provider, address, by);
  const subject = rangeOf(block.by.expression);
  if (
    !report(
      run,
      diagnostics.map((d) => ({ subject, ...d })),
    ) ||
    !read
  )
    return undefined;
  const wrong = conforms(read.newState, schema.block);
  if (wrong.length > 0) {
    const detail = `The provider returned an object of ${address.text} that does not fit its own schema: ${wrong.map(disagreementText).join("; ")}. This is a bug in the provider.`;
    report(run, [errorDiagnostic("Provider produced invalid object", detail, { address: address.text })]);
    return undefined;
  }
  const value = markSensitive(read.newState, schema.block);
  const dependencies = run.dependencies.get(nodeId) ?? [];
  const kept = { status: "ready", private: read.private, dependencies, createBeforeDestroy: false } as const;
  const stored = storedObject(value, schema, kept);
  run.refreshed.setCurrent(address, providerAddress.text, stored);
  const generatedConfig = run.options.generated?.get(address.text);
  return { value, stored, importing: generatedConfig === undefined ? by : { ...by, generatedConfig } };
}
