import { errorDiagnostic } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import { rawEquals } from "@millwright/value/operations";
import { dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  ephemeral,
  isKnown,
  isMarkedDeep,
  isNull,
  mark,
  nullValue,
  sensitive,
  stringValue,
  unmarkDeep,
} from "@millwright/value/value";
import type { BlockSchema } from "@millwright/provider/schema";
import type { ModuleInstance, ProviderConfigAddress } from "../addresses.ts";
import { childModule, providerConfigAddress, rootModule } from "../addresses.ts";
import type { InstanceData } from "../evaluator.ts";
import { noInstance } from "../evaluator.ts";
import type { CheckingRun } from "../checks.ts";
import { checkAsserts, checkNamed } from "../checks.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { Output, ProviderBlock } from "../configuration.ts";
import { decodeProviderConfig, infiniteNumber } from "../decode-body.ts";
import { infiniteAt } from "../infinite.ts";
import { providerDiagnostics, providerDied } from "../objects.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { OutputState, State } from "../state.ts";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { expand } from "./expand.ts";
import type { OutputChange } from "./plan.ts";
import { report } from "./run.ts";

/** What visiting a node that is not a resource needs; planning, applying and validating all have it. */
export interface NodeRun extends CheckingRun {
  readonly pool: ProviderPool;
  readonly diagnostics: Diagnostic[];
  /** While validating, nothing is configured and unknown expansions are fine. */
  readonly validating: boolean;
  /** Whether what is below a call of unknown expansion is put off. */
  readonly deferring?: boolean;
}

type NodeOf<K extends ConfigNode["kind"]> = Extract<ConfigNode, { readonly kind: K }>;

/** Visits a variable: its values, and its validation rules. */
export function visitVariable(run: NodeRun, { module, variable }: NodeOf<"variable">): boolean {
  let ok = true;
  for (const instance of run.evaluator.moduleInstances(module)) {
    if (!report(run, run.evaluator.variable(instance, variable.name).diagnostics)) ok = false;
    else if (!report(run, checkNamed(run, "var", variable.name, variable.validations, instance))) ok = false;
  }
  return ok;
}

export function visitLocal(run: NodeRun, { module, local }: NodeOf<"local">): boolean {
  return run.evaluator
    .moduleInstances(module)
    .every((instance) => report(run, run.evaluator.local(instance, local.name).diagnostics));
}

/** Visits an output in every instance of its module. */
export function visitOutput(run: NodeRun, { module, output }: NodeOf<"output">): boolean {
  let ok = true;
  for (const instance of run.evaluator.moduleInstances(module)) {
    if (!report(run, checkNamed(run, "output_value", output.name, output.preconditions, instance))) ok = false;
    else if (!report(run, run.evaluator.output(instance, output.name).diagnostics)) ok = false;
    else if (!report(run, leaks(run, output, instance))) ok = false;
  }
  return ok;
}

// An output keeps nothing ephemeral unless it says so; the root's are shown to people and kept in the state: secrets only with
// the user's word for it.
function leaks(run: NodeRun, output: Output, module: ModuleInstance): Diagnostic[] {
  const { value } = run.evaluator.evaluate(output.value, module);
  const subject = rangeOf(output.value);
  const isRoot = module.steps.length === 0;
  if (isRoot && infiniteAt(value)) return [infiniteNumber(`output "${output.name}"`, subject)];
  if (output.ephemeral) {
    if (!isRoot) return [];
    return [
      errorDiagnostic(
        "Ephemeral output not allowed",
        "Ephemeral outputs are not allowed in the context of a root module.",
        { subject: output.range },
      ),
    ];
  }
  if (isMarkedDeep(value, ephemeral)) {
    return [
      errorDiagnostic(
        "Ephemeral value not allowed",
        `This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.${isRoot ? " It would be kept in the state." : ' Declare the output with "ephemeral = true" to let it.'}`,
        { subject },
      ),
    ];
  }
  if (!isRoot || output.sensitive || !isMarkedDeep(value, sensitive)) return [];
  const detail = `To reduce the risk of accidentally exporting sensitive data that was intended to be only internal, Terraform requires that any root module output containing sensitive data be explicitly marked as sensitive, to confirm your intent.

If you do intend to export this data, annotate the output value as sensitive by adding the following argument:
    sensitive = true`;
  return [errorDiagnostic("Output refers to sensitive values", detail, { subject: output.range })];
}

/** What becomes of the root's outputs, after all else was planned. */
export function outputChange(run: NodeRun, output: Output, before: OutputState | undefined): OutputChange {
  const { value } = run.evaluator.output(rootModule, output.name);
  const after = output.sensitive ? mark(unmarkDeep(value)[0], sensitive) : unmarkDeep(value)[0];
  const old = before ? (before.sensitive ? mark(before.value, sensitive) : before.value) : nullValue(dynamicType);
  const nothing = !before && isKnown(after) && isNull(after);
  const action = nothing ? "no-op" : !before ? "create" : rawEquals(old, after) ? "no-op" : "update";
  return { action, before: old, after, sensitive: output.sensitive };
}

/** Outputs that are no longer declared. */
export function removedOutputs(previous: State, declared: ReadonlySet<string>): [string, OutputChange][] {
  return [...previous.outputs]
    .filter(([name]) => !declared.has(name))
    .map(([name, { value, sensitive: secret }]) => {
      const before: Value = secret ? mark(value, sensitive) : value;
      return [name, { action: "delete", before, after: nullValue(dynamicType), sensitive: secret }];
    });
}

/** Visits a module call: how many instances of the module there are, in each instance of the caller. */
export function visitCall(run: NodeRun, { module, call }: NodeOf<"call">): boolean {
  let ok = true;
  for (const caller of run.evaluator.moduleInstances(module)) {
    const mayBeUnknown = run.validating || run.deferring === true;
    const { value, diagnostics } = expand(
      call.repetition,
      run.evaluator,
      caller,
      mayBeUnknown ? "good" : "may be put off",
    );
    run.evaluator.setCall(caller, call.name, value);
    if (!report(run, diagnostics)) ok = false;
  }
  return ok;
}

/** Looks at the assertions of a check block, in every instance of its module. What does not hold is a warning. */
export function visitCheck(run: NodeRun, { module, check }: NodeOf<"check">): boolean {
  if (run.validating) return true;
  for (const instance of run.evaluator.moduleInstances(module)) report(run, checkAsserts(run, check, instance));
  return true;
}

/** Evaluates a provider's configuration, has it checked, and configures a provider with it. */
export async function visitProvider(run: NodeRun, { provider }: NodeOf<"provider">): Promise<boolean> {
  const { address, block } = provider;
  const schema = run.pool.providerBlock(address.source);
  if (!schema) return false;
  // A module that configures a provider itself cannot be repeated, so that its instance has no keys.
  const module = provider.module.names.reduce((parent, name) => childModule(parent, name, undefined), rootModule);
  if (!block?.forEach) {
    if (await run.pool.standIn(address)) return true;
    return configure(run, address, block, { schema, module, instance: noInstance });
  }
  const { alias, source } = address;
  const instances = [...(block.instances ?? [])].map(async ([key, value]) => {
    const one = providerConfigAddress(address.module, source, alias, key);
    if (await run.pool.standIn(one)) return true;
    return configure(run, one, block, { schema, module, instance: { each: { key: stringValue(key), value } } });
  });
  return (await Promise.all(instances)).every(Boolean);
}

interface ProviderPlace {
  readonly schema: BlockSchema;
  readonly module: ModuleInstance;
  readonly instance: InstanceData;
}

async function configure(
  run: NodeRun,
  address: ProviderConfigAddress,
  block: ProviderBlock | undefined,
  { schema, module, instance }: ProviderPlace,
): Promise<boolean> {
  const decoded = decodeProviderConfig(run.evaluator, block?.body, schema, module, instance);
  if (!report(run, decoded.diagnostics)) return false;
  const [config] = unmarkDeep(decoded.value);
  if (run.pool.isConfiguredAs(address, config)) return true;
  try {
    const checked = await (await run.pool.any(address.source)).validateProviderConfig({ config });
    if (!report(run, providerDiagnostics(checked.diagnostics, address.text, block?.body))) return false;
    if (run.validating) return true;
    return report(
      run,
      providerDiagnostics(await run.pool.configure(address, checked.prepared), address.text, block?.body),
    );
  } catch (error) {
    return report(run, [providerDied(address.text, "being configured", error)]);
  }
}
