import { errorDiagnostic } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import { conforms } from "@millwright/provider/implied-type";
import { asMap, isNull } from "@millwright/value/value";
import { disagreementText } from "../change/agreement.ts";
import { knownPlain } from "../formats/values-json.ts";
import { identityAs, storedIdentity } from "../identity.ts";
import { markSensitive, storedObject } from "../objects.ts";
import { readExisting } from "../read-existing.ts";
import type { ImportTargetInstance } from "../refactor/imports.ts";
import type { Importing } from "./plan.ts";
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
  run.ports.events({ kind: "import-start", address: address.text, id: importedId(by) });
  const { value: read, diagnostics } = await readExisting(provider, address, schema, by);
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
  const stored = storedObject(value, schema, { ...kept, ...storedIdentity(read.identity, schema) });
  run.refreshed.setCurrent(address, providerAddress.text, stored);
  const generatedConfig = run.options.generated?.get(address.text);
  const importing = generatedConfig === undefined ? by : { ...by, generatedConfig };
  return { value, ...identityAs("identity", read.identity), stored, importing };
}

/** By what an object is imported, for lines of progress: `id=x`, `name=a,region=eu`. */
export function importedId({ id, identity }: Importing): string {
  if (!identity) return `id=${id}`;
  const parts = [...asMap(identity)].filter(([, value]) => !isNull(value));
  return parts.map(([name, value]) => `${name}=${String(knownPlain(value))}`).join(",");
}
