import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { conforms, impliedType } from "@millwright/provider/implied-type";
import type { DeferrableAnswer } from "@millwright/provider/protocol";
import type { AttributeSchema, BlockSchema } from "@millwright/provider/schema";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  isKnown,
  isNull,
  isWhollyKnown,
  nullValue,
  unknownValue,
  unmarkDeep,
} from "@millwright/value/value";
import { disagreementText } from "../change/agreement.ts";
import { nestedAsBlock } from "../change/proposed.ts";
import { asWarnings } from "../check/nested-data.ts";
import { checkRules } from "../checks.ts";
import type { RunPorts } from "../ports.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import { markLike, providerDiagnostics, providerDied, storedObject } from "../objects.ts";
import { noPrivate } from "../state.ts";
import type { PlanTarget } from "./managed.ts";
import { putOff, reasonOf } from "./deferrals.ts";
import { noPrior } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import type { ActionReason } from "./plan.ts";
import { addChange, report } from "./run.ts";

/**
 * Plans one instance of a data source: reads it now where its configuration is known and nothing that it depends on is going
 * to change; else leaves the reading to the apply. False where that failed (and was reported).
 */
export async function planData(run: PlanRun, target: PlanTarget): Promise<boolean> {
  const { resource, address } = target;
  if (resource.check === undefined) return planRead(run, target);
  await asWarnings(run, resource, address, (quiet) => planRead(quiet, target));
  return true;
}

async function planRead(run: PlanRun, target: PlanTarget): Promise<boolean> {
  const { address, resource, schema, provider, providerAddress, nodeId } = target;
  const { lifecycle } = resource;
  if (!report(run, checkRules(run, address, "Resource precondition failed", lifecycle.preconditions, target.instance)))
    return false;
  const decoded = decodeResourceConfig(run.evaluator, resource, schema, address, target.instance);
  if (!report(run, decoded.diagnostics)) return false;
  const config = decoded.value;
  const [bare] = unmarkDeep(config);
  const see = (value: Value) => run.evaluator.setInstance(address.module, address.resource, address.key, value);
  try {
    const checked = await provider.validateDataConfig({ type: address.resource.type, config: bare });
    if (!report(run, providerDiagnostics(checked.diagnostics, address.text, resource.body))) return false;
  } catch (error) {
    return report(run, [providerDied(address.text, "checking the configuration", error)]);
  }
  const unknown = !isWhollyKnown(bare);
  const waits = run.waitsForChanges(nodeId);
  const unread = () => markLike(notYetRead(schema.block, bare), config, schema.block);
  const readLater = (reason: ActionReason, after: Value): true => {
    see(after);
    if (run.options.mode !== "normal") return true;
    run.pending.add(nodeId);
    addChange(run, {
      address,
      provider: providerAddress,
      action: "read",
      reason,
      before: nullValue(impliedType(schema.block)),
      after,
      replacePaths: [],
      priorPrivate: noPrivate,
      plannedPrivate: noPrivate,
      dependencies: run.dependencies.get(nodeId) ?? [],
      createBeforeDestroy: false,
    });
    return true;
  };
  if (unknown || waits) {
    // What an earlier run had read is no part of what is known now.
    if (run.options.mode === "normal") run.refreshed.setCurrent(address, providerAddress.text, undefined);
    return readLater(unknown ? "read_because_config_unknown" : "read_because_dependency_pending", unread());
  }
  const read = await readData(run, target, config, run.deferrals);
  const good = report(run, read.diagnostics);
  if (good && read.deferral) return putOff(run, target, noPrior(schema), reasonOf(read.deferral));
  // What a check looks at is looked at again when all is done.
  if (resource.check !== undefined) return readLater("read_because_check_nested", read.value ?? unread());
  if (!good || !read.value) return false;
  see(read.value);
  const parts = { status: "ready", private: noPrivate, dependencies: [], createBeforeDestroy: false } as const;
  run.refreshed.setCurrent(address, providerAddress.text, storedObject(read.value, schema, parts));
  return report(
    run,
    checkRules(run, address, "Resource postcondition failed", lifecycle.postconditions, {
      ...target.instance,
      self: read.value,
    }),
  );
}

/** Reads a data source; the result is marked like its configuration. Where that is put off there is none, and no error. */
export async function readData(
  run: { readonly ports: RunPorts },
  { address, schema, provider, resource }: Pick<PlanTarget, "address" | "schema" | "provider" | "resource">,
  config: Value,
  { allowed: deferralAllowed } = { allowed: false },
): Promise<DataRead> {
  const started = run.ports.clock.monotonic();
  run.ports.events({ kind: "apply-start", address: address.text, action: "read" });
  const seconds = () => (run.ports.clock.monotonic() - started) / 1000;
  const failed = (diagnostics: readonly Diagnostic[]) => {
    run.ports.events({ kind: "apply-failed", address: address.text, action: "read", seconds: seconds() });
    return { diagnostics };
  };
  try {
    const call = { type: address.resource.type, config: unmarkDeep(config)[0], deferralAllowed };
    const answer = await provider.readDataSource(call);
    const diagnostics = providerDiagnostics(answer.diagnostics, address.text, resource.body);
    if (diagnostics.some((d) => d.severity === "error")) return failed(diagnostics);
    if (answer.deferral) return { diagnostics, deferral: answer.deferral };
    const wrong = conforms(answer.state, schema.block);
    if (wrong.length > 0 || isNull(answer.state) || !isWhollyKnown(answer.state)) {
      const problem = wrong.length > 0 ? wrong.map(disagreementText).join("; ") : "it is null or not wholly known";
      const detail = `The provider returned an object for ${address.text} that is not acceptable: ${problem}. This is a bug in the provider.`;
      return failed([
        ...diagnostics,
        errorDiagnostic("Provider produced invalid object", detail, { address: address.text }),
      ]);
    }
    run.ports.events({ kind: "apply-done", address: address.text, action: "read", seconds: seconds() });
    return { value: markLike(answer.state, config, schema.block), diagnostics };
  } catch (error) {
    return failed([providerDied(address.text, "reading the data source", error)]);
  }
}

/** What came of reading a data source. */
interface DataRead extends DeferrableAnswer {
  readonly value?: Value;
  readonly diagnostics: readonly Diagnostic[];
}

/** What a data source gives before it is read: its configuration, and unknown where the provider will fill it. */
export function notYetRead(schema: BlockSchema, config: Value): Value {
  if (isNull(config) || !isKnown(config)) return config;
  const data = new Map<string, Value>();
  for (const [name, value] of asMap(config)) {
    const attribute = schema.attributes.get(name);
    const block = schema.blocks.get(name);
    if (attribute) data.set(name, unreadAttribute(attribute, value));
    else data.set(name, block ? unreadElements(block.block, block.nesting, value) : value);
  }
  return { type: config.type, data, marks: config.marks };
}

function unreadAttribute(schema: AttributeSchema, value: Value): Value {
  if (schema.computed && isNull(value)) return unknownValue(value.type);
  return schema.nested ? unreadElements(nestedAsBlock(schema.nested), schema.nested.nesting, value) : value;
}

function unreadElements(
  schema: BlockSchema,
  nesting: "single" | "group" | "list" | "set" | "map",
  value: Value,
): Value {
  if (isNull(value) || !isKnown(value)) return value;
  if (nesting === "single" || nesting === "group") return notYetRead(schema, value);
  if (nesting === "map") {
    const data = new Map([...asMap(value)].map(([key, element]) => [key, notYetRead(schema, element)] as const));
    return { type: value.type, data, marks: value.marks };
  }
  return { type: value.type, data: asArray(value).map((element) => notYetRead(schema, element)), marks: value.marks };
}
