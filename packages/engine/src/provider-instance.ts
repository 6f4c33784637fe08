import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { stringType } from "@millwright/value/types";
import { asString, ephemeral, isKnown, isNull, sensitive, type Value } from "@millwright/value/value";
import type { ModuleInstance, ProviderConfigAddress } from "./addresses.ts";
import { childModule, providerConfigAddress, rootModule } from "./addresses.ts";
import type { Evaluator, InstanceData } from "./evaluator.ts";
import { instanceDataOf } from "./evaluator.ts";
import type { ResolvedProvider } from "./provider-config.ts";

/** What serves a resource: a configuration, and where that has instances, the words that say which. */
export interface ServingProvider {
  readonly provider: ProviderConfigAddress;
  readonly providerKey?: NonNullable<ResolvedProvider["key"]>;
}

/**
 * The provider configuration that serves one instance of a resource; with errors, or while the key is not known, the
 * configuration as a whole.
 */
export function providerInstance(
  evaluator: Evaluator,
  { provider, providerKey }: ServingProvider,
  module: ModuleInstance,
  instance: InstanceData,
  validating = false,
): Diagnosed<ProviderConfigAddress> {
  if (!providerKey) return { value: provider, diagnostics: [] };
  const depth = providerKey.module.names.length;
  const at = module.steps.slice(0, depth).reduce((up, { name, key }) => childModule(up, name, key), rootModule);
  const step = module.steps[depth];
  const data = step ? instanceDataOf(evaluator.call(at, step.name), step.key) : instance;
  const { value, diagnostics } = evaluator.evaluate(providerKey.expression, at, data);
  if (hasErrors(diagnostics) || (validating && !isKnown(value))) return { value: provider, diagnostics };
  const key = keyOf(value);
  if (key.ok)
    return { value: providerConfigAddress(provider.module, provider.source, provider.alias, key.text), diagnostics };
  const refused = errorDiagnostic("Invalid provider instance key", key.detail, {
    subject: rangeOf(providerKey.expression),
  });
  return { value: provider, diagnostics: [...diagnostics, refused] };
}

type Key = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly detail: string };

function keyOf(value: Value): Key {
  const kind = [sensitive, ephemeral].find((mark) => value.marks.has(mark));
  const refused = (detail: string): Key => ({ ok: false, detail });
  if (kind !== undefined) return refused(`A provider instance key must not be derived from a ${kind} value.`);
  if (isNull(value)) return refused("A provider instance key must not be null.");
  const converted = convert(value, stringType);
  if (!converted.ok) return refused(`The given instance key is unsuitable: ${converted.message}.`);
  if (isKnown(converted.value)) return { ok: true, text: asString(converted.value) };
  return refused(
    "The provider instance key depends on values that cannot be determined until apply, so that it cannot be told which provider plans this resource instance. Use a key that is known, such as each.key.",
  );
}
