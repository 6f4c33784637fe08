import { errorDiagnostic } from "@millwright/core/diagnostics";
import { impliedType } from "@millwright/provider/implied-type";
import type { ApplyAnswer, Provider } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { dynamicValue, isNull, nullValue, numberValue, stringValue, unmarkDeep } from "@millwright/value/value";
import { type InstanceKey, resourceText, staticModule } from "../addresses.ts";
import type { InstanceData } from "../evaluator.ts";
import { identityAs, judgeIdentity, storedIdentity } from "../identity.ts";
import { markLike, providerDiagnostics, providerDied, shownId, storedObject } from "../objects.ts";
import type { InstanceChange } from "../plan/plan.ts";
import { report } from "../plan/run.ts";
import { type ProvisionerBlock, provisionersFor } from "../provision/blocks.ts";
import { provision } from "../provision/run.ts";
import { removalOf } from "../refactor/removals.ts";
import type { ObjectState } from "../state.ts";
import type { ApplyRun } from "./run.ts";
import { recordAfter, recordBefore } from "./run.ts";
import { noteBegun, sameAsPlanned } from "./unchanged.ts";

/** An object to destroy: the current one, or one that was deposed. */
export interface DestroyTarget {
  readonly sequence: number;
  readonly change: InstanceChange;
  readonly deposedKey?: string;
  readonly schema: Schema;
  readonly provider: Provider;
}

/** Destroys one object. False where it is still there (and was reported). */
export async function destroy(run: ApplyRun, target: DestroyTarget): Promise<boolean> {
  const { change, deposedKey, schema, provider, sequence } = target;
  const { address } = change;
  const stored = storedNow(run, target);
  if (!stored) return true;
  // What this run itself has put aside was looked at before its replacement was made.
  const putAside = deposedKey !== undefined && change.deposedKey === undefined;
  if (!putAside && !(await sameAsPlanned(run, target))) return false;
  noteBegun(run, change);
  const started = run.ports.clock.monotonic();
  const elapsed = () => (run.ports.clock.monotonic() - started) / 1000;
  const id = shownId(change.before);
  const common = {
    address: address.text,
    action: "delete",
    ...(deposedKey === undefined ? {} : { deposedKey }),
  } as const;
  run.ports.events({ kind: "apply-start", ...common, ...(id === undefined ? {} : { id }) });
  if (!(await farewell(run, target, stored))) {
    run.ports.events({ kind: "apply-failed", ...common, seconds: elapsed() });
    return false;
  }
  const begun = await recordBefore(run, {
    sequence,
    ...common,
    provider: change.provider.text,
    type: address.resource.type,
    schemaVersion: schema.version,
  });
  if (!begun) {
    run.ports.events({ kind: "apply-failed", ...common, seconds: elapsed() });
    return false;
  }
  const [before] = unmarkDeep(change.before);
  const gone = nullValue(impliedType(schema.block));
  let left: ObjectState | undefined = stored;
  let ok = false;
  try {
    const call = {
      type: address.resource.type,
      prior: before,
      planned: gone,
      config: gone,
      plannedPrivate: change.plannedPrivate,
      ...identityAs("plannedIdentity", change.beforeIdentity),
    };
    const answer = await provider.applyResourceChange(call);
    ok = report(run, providerDiagnostics(answer.diagnostics, address.text));
    left = whatIsLeft(run, target, stored, answer, ok);
    if (left) ok = false;
  } catch (error) {
    report(run, [providerDied(address.text, "destroying the object", error)]);
  }
  if (deposedKey === undefined) run.state.setCurrent(address, change.provider.text, left);
  else run.state.setDeposed(address, change.provider.text, deposedKey, left);
  const recorded = await recordAfter(run, {
    sequence,
    address: address.text,
    provider: change.provider.text,
    ok,
    ...(deposedKey === undefined ? {} : { deposedKey }),
    ...(left ? { object: left } : {}),
  });
  const seconds = elapsed();
  run.ports.events(ok ? { kind: "apply-done", ...common, seconds } : { kind: "apply-failed", ...common, seconds });
  if (ok) run.counts.destroyed++;
  return ok && recorded;
}

// What was only half made, and what is put aside while its successor is there, goes without its provisioners.
async function farewell(run: ApplyRun, { change, deposedKey }: DestroyTarget, stored: ObjectState): Promise<boolean> {
  const { address, before } = change;
  if (deposedKey !== undefined || stored.status === "tainted") return true;
  const blocks = farewellsOf(run, change);
  if (blocks.length === 0) return true;
  return provision(run, blocks, address, { ...keyData(address.key), self: before });
}

function farewellsOf(run: ApplyRun, { address }: InstanceChange): readonly ProvisionerBlock[] {
  const { configuration } = run.evaluator.context;
  const declared = configuration.modules
    .get(staticModule(address.module))
    ?.resources.get(resourceText(address.resource));
  if (declared) return provisionersFor(declared, "destroy");
  return removalOf(configuration, address.module, address.resource)?.provisioners ?? [];
}

function keyData(key: InstanceKey): InstanceData {
  if (typeof key === "number") return { count: numberValue(key) };
  return key === undefined ? {} : { each: { key: stringValue(key), value: dynamicValue } };
}

function storedNow(run: ApplyRun, { change, deposedKey }: DestroyTarget): ObjectState | undefined {
  const instance = run.state.instance(change.address);
  return deposedKey === undefined ? instance?.current : instance?.deposed.get(deposedKey);
}

function whatIsLeft(
  run: ApplyRun,
  { change, schema }: DestroyTarget,
  stored: ObjectState,
  answer: ApplyAnswer,
  ok: boolean,
): ObjectState | undefined {
  const { address } = change;
  if (isNull(answer.newState)) {
    // A failed destroy that says nothing of the object has left it as it was.
    return ok ? undefined : stored;
  }
  if (ok) {
    const detail = `After applying a delete the provider still had an object of ${address.text}. It is kept in the state. This is a bug in the provider, which should be reported in the provider's own issue tracker.`;
    report(run, [
      errorDiagnostic("Provider returned invalid result object after apply", detail, { address: address.text }),
    ]);
  }
  const { value: identity } = judgeIdentity(answer.identity, address, schema.identity, "apply");
  return storedObject(markLike(answer.newState, change.before, schema.block), schema, {
    ...stored,
    private: answer.private,
    ...storedIdentity(identity, schema),
  });
}
