import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Provider } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { sameButVolatile } from "@millwright/provider/volatile";
import { isNull, unmarkDeep } from "@millwright/value/value";
import { identityAs } from "../identity.ts";
import { providerDiagnostics, providerDied } from "../objects.ts";
import { configResourceText } from "../addresses.ts";
import { normalized } from "../change/normalized.ts";
import type { InstanceChange } from "../plan/plan.ts";
import { report } from "../plan/run.ts";
import type { ApplyRun } from "./run.ts";

/**
 * Whether an object is still what the plan saw, looked at just before it is changed. Where it is not, the change would not be
 * the one that was shown: it is refused. What changes by itself does not count, nor what may have come of this run's own changes
 * of what it is made of, or of what is made of it: a role lists the policies that were attached to it. A plan that was made
 * without reading (`-refresh=false`) has nothing to compare with.
 */
export async function sameAsPlanned(
  run: ApplyRun,
  {
    change,
    provider,
    schema,
  }: { readonly change: InstanceChange; readonly provider: Provider; readonly schema: Schema },
): Promise<boolean> {
  if (!run.plan.refreshed) return true;
  const { address } = change;
  const [before] = unmarkDeep(change.before);
  try {
    const answer = await provider.readResource({
      type: address.resource.type,
      current: before,
      private: change.priorPrivate,
      ...identityAs("identity", change.beforeIdentity),
    });
    if (!report(run, providerDiagnostics(answer.diagnostics, address.text))) return false;
    const now = normalized(answer.newState, schema.block);
    if (sameButVolatile(before, now, schema.block) || (!isNull(now) && isNearOwnChanges(run, change))) return true;
    const what = isNull(answer.newState) ? "it is gone" : "its attributes differ from what the plan read";
    const detail = `${address.text} was changed by someone else after the plan was made: ${what}. It was left as it is, and so was everything that depends on it; what was done before is kept. Make a new plan to see what is to be done now.`;
    report(run, [
      errorDiagnostic("Resource has changed since the plan was made", detail, {
        address: address.text,
        code: "stale-resource",
      }),
    ]);
    return false;
  } catch (error) {
    report(run, [providerDied(address.text, "being read before the change", error)]);
    return false;
  }
}

/** Notes that a change is about to be made, for the sake of what is looked at after it. */
export function noteBegun({ touched }: ApplyRun, { address, dependencies }: InstanceChange): void {
  touched.own.add(configResourceText(address.module, address.resource));
  for (const name of dependencies) touched.below.add(name);
}

function isNearOwnChanges({ touched }: ApplyRun, { address, dependencies }: InstanceChange): boolean {
  const own = configResourceText(address.module, address.resource);
  return touched.below.has(own) || dependencies.some((name) => touched.own.has(name));
}
