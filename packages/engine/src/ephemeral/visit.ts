import { errorDiagnostic } from "@millwright/core/diagnostics";
import { conforms, impliedType } from "@millwright/provider/implied-type";
import type { OpenAnswer } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import type { Value } from "@millwright/value/value";
import { ephemeral, isKnown, isNull, isWhollyKnown, mark, unknownValue, unmarkDeep } from "@millwright/value/value";
import type { InstanceAddress, ProviderConfigAddress } from "../addresses.ts";
import { instanceAddress } from "../addresses.ts";
import { disagreementText } from "../change/agreement.ts";
import type { CheckingRun } from "../checks.ts";
import { checkRules } from "../checks.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { Resource } from "../configuration.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import type { InstanceData } from "../evaluator.ts";
import { instanceDataOf } from "../evaluator.ts";
import { expansionKeys } from "../expansion.ts";
import { markSensitive, providerDiagnostics, providerDied } from "../objects.ts";
import { expand } from "../plan/expand.ts";
import { report } from "../plan/run.ts";
import { unknownType } from "../plan/resource.ts";
import type { RunPorts } from "../ports.ts";
import { providerInstance } from "../provider-instance.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { OpenEphemerals } from "./open-ephemerals.ts";

/** What opening ephemeral resources needs of a run; planning and applying both have it. */
export interface EphemeralRun extends CheckingRun {
  readonly pool: ProviderPool;
  readonly ports: RunPorts;
  readonly diagnostics: Diagnostic[];
  readonly ephemerals: OpenEphemerals;
}

export type EphemeralNode = Extract<ConfigNode, { readonly kind: "resource" }>;

/**
 * Opens every instance of an ephemeral resource. With `waits`, or where its configuration is not known yet, that is left to
 * the apply: until then its result is unknown.
 */
export async function visitEphemeral(
  run: EphemeralRun,
  node: EphemeralNode,
  nodeId: string,
  waits: boolean,
): Promise<boolean> {
  const { resource, provider } = node;
  const schema = run.pool.resourceSchema(provider.source, resource.address);
  if (!schema) return report(run, [unknownType(run, resource, provider)]);
  let ok = true;
  for (const module of run.evaluator.moduleInstances(node.module)) {
    const { value: expansion, diagnostics } = expand(resource.repetition, run.evaluator, module, "error");
    if (!report(run, diagnostics)) ok = false;
    run.evaluator.setResource(module, resource.address, expansion);
    for (const key of expansionKeys(expansion)) {
      const instance = instanceDataOf(expansion, key);
      const serving = providerInstance(run.evaluator, node, module, instance);
      const address = instanceAddress(module, resource.address, key);
      const target = { address, resource, schema, instance, provider: serving.value, nodeId };
      if (!report(run, serving.diagnostics) || !(await openOne(run, target, waits))) ok = false;
    }
  }
  return ok;
}

interface EphemeralTarget {
  readonly address: InstanceAddress;
  readonly resource: Resource;
  readonly schema: Schema;
  readonly instance: InstanceData;
  readonly provider: ProviderConfigAddress;
  readonly nodeId: string;
}

async function openOne(run: EphemeralRun, target: EphemeralTarget, waits: boolean): Promise<boolean> {
  const { address, resource, schema, instance, nodeId } = target;
  const { lifecycle, body } = resource;
  const see = (value: Value) =>
    run.evaluator.setInstance(
      address.module,
      address.resource,
      address.key,
      mark(markSensitive(value, schema.block), ephemeral),
    );
  see(unknownValue(impliedType(schema.block)));
  if (!report(run, checkRules(run, address, "Resource precondition failed", lifecycle.preconditions, instance)))
    return false;
  const decoded = decodeResourceConfig(run.evaluator, resource, schema, address, instance);
  if (!report(run, decoded.diagnostics)) return false;
  const [config] = unmarkDeep(decoded.value);
  if (!(await valid(run, target, config))) return false;
  if (waits || !isWhollyKnown(config)) return true;
  const provider = run.pool.serving(target.provider, address);
  run.ports.events({ kind: "ephemeral-start", address: address.text, action: "open" });
  try {
    const answer = await provider.openEphemeralResource({ type: address.resource.type, config });
    const found = providerDiagnostics(answer.diagnostics, address.text, body);
    if (!report(run, found)) return false;
    run.ephemerals.add({ address, nodeId, provider, private: answer.private, renewAt: answer.renewAt, body });
    if (!report(run, unacceptable(target, answer))) return false;
    run.ports.events({ kind: "ephemeral-done", address: address.text, action: "open" });
    see(answer.result);
    const self = mark(answer.result, ephemeral);
    return report(
      run,
      checkRules(run, address, "Resource postcondition failed", lifecycle.postconditions, { ...instance, self }),
    );
  } catch (error) {
    return report(run, [providerDied(address.text, "opening the ephemeral resource", error)]);
  }
}

async function valid(
  run: EphemeralRun,
  { address, resource, provider }: EphemeralTarget,
  config: Value,
): Promise<boolean> {
  try {
    const handle = await run.pool.any(provider.source);
    const checked = await handle.validateEphemeralConfig({ type: address.resource.type, config });
    return report(run, providerDiagnostics(checked.diagnostics, address.text, resource.body));
  } catch (error) {
    return report(run, [providerDied(address.text, "checking the configuration", error)]);
  }
}

function unacceptable({ address, schema }: EphemeralTarget, { result }: OpenAnswer): Diagnostic[] {
  const wrong = conforms(result, schema.block);
  if (wrong.length === 0 && isKnown(result) && !isNull(result) && isWhollyKnown(result)) return [];
  const problem = wrong.length > 0 ? wrong.map(disagreementText).join("; ") : "it is null or not wholly known";
  const detail = `The provider returned an object for ${address.text} that is not acceptable: ${problem}. This is a bug in the provider.`;
  return [errorDiagnostic("Provider produced invalid ephemeral resource instance", detail, { address: address.text })];
}
