import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Expression } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Schema } from "@millwright/provider/schema";
import { convert } from "@millwright/value/convert";
import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asNumber, asString, ephemeral, isKnown, isNull, sensitive } from "@millwright/value/value";
import type { InstanceAddress, InstanceKey } from "../addresses.ts";
import { keyText, rootModule } from "../addresses.ts";
import type { Configuration } from "../configuration.ts";
import type { Evaluator, InstanceData } from "../evaluator.ts";
import { instanceDataOf, noInstance } from "../evaluator.ts";
import { expansionKeys } from "../expansion.ts";
import { parseAddress } from "../parse-address.ts";
import { expand } from "../plan/expand.ts";
import type { Importing } from "../plan/plan.ts";
import type { ImportBlock, ImportStep } from "./blocks.ts";
import { givenIdentity } from "./given-identity.ts";
import { placeText } from "./move-order.ts";

/** One object that an `import` block names, with the instance that is to manage it. */
export interface ImportTargetInstance {
  readonly address: InstanceAddress;
  readonly by: Importing;
  readonly block: ImportBlock;
}

/** What the `import` blocks of a configuration come to, evaluated when their resource's turn comes. */
export class ImportTargets {
  readonly #blocks: ReadonlyMap<string, readonly ImportBlock[]>;
  readonly #evaluator: Evaluator;

  constructor(configuration: Configuration, evaluator: Evaluator) {
    this.#evaluator = evaluator;
    this.#blocks = Map.groupBy(configuration.root.imports, (block) => block.to.text);
  }

  /** The objects to import into one resource, by the address of the instance; `text` is the resource's without keys. */
  of(text: string, schema: Schema): Diagnosed<ReadonlyMap<string, ImportTargetInstance>> {
    const diagnostics: Diagnostic[] = [];
    const targets = new Map<string, ImportTargetInstance>();
    for (const block of this.#blocks.get(text) ?? []) {
      const { value, diagnostics: found } = this.evaluate(block, schema);
      diagnostics.push(...found);
      for (const target of value) {
        const known = targets.get(target.address.text);
        if (known) diagnostics.push(duplicate(target, known.block));
        else targets.set(target.address.text, target);
      }
    }
    return { value: targets, diagnostics };
  }

  /** What one block imports: an object, or one for each element of its `for_each`. */
  evaluate(block: ImportBlock, schema: Schema): Diagnosed<readonly ImportTargetInstance[]> {
    const { forEach } = block;
    if (!forEach) return this.#one(block, noInstance, schema);
    const repetition = { kind: "forEach", expression: forEach } as const;
    const { value: expansion, diagnostics } = expand(repetition, this.#evaluator, rootModule, "error");
    const all = [...diagnostics];
    const targets: ImportTargetInstance[] = [];
    for (const key of expansionKeys(expansion)) {
      const one = this.#one(block, instanceDataOf(expansion, key), schema);
      all.push(...one.diagnostics);
      targets.push(...one.value);
    }
    return { value: targets, diagnostics: all };
  }

  #one(block: ImportBlock, instance: InstanceData, schema: Schema): Diagnosed<readonly ImportTargetInstance[]> {
    const diagnostics: Diagnostic[] = [];
    const take = <T>({ value, diagnostics: found }: Diagnosed<T>): T => {
      diagnostics.push(...found);
      return value;
    };
    const address = take(this.#address(block, instance));
    const by = take(block.by.kind === "id" ? this.#id(block, instance) : this.#identity(block, instance, schema));
    const value = address && by && !hasErrors(diagnostics) ? [{ address, by, block }] : [];
    return { value, diagnostics };
  }

  #address({ to }: ImportBlock, instance: InstanceData): Diagnosed<InstanceAddress | undefined> {
    const parts: string[] = [];
    for (const step of to.steps) {
      if (step.kind === "name") parts.push(`.${step.name}`);
      else {
        const { value: key, diagnostics } = this.#key(step, instance);
        if (key === undefined) return { value: undefined, diagnostics };
        parts.push(keyText(key));
      }
    }
    const parsed = parseAddress(parts.join("").slice(1));
    if (parsed?.kind === "instance") return { value: parsed.address, diagnostics: [] };
    const detail = "This is not the address of a resource instance.";
    const place = { subject: to.range };
    return { value: undefined, diagnostics: [errorDiagnostic("Invalid import address", detail, place)] };
  }

  #key(step: Exclude<ImportStep, { readonly kind: "name" }>, instance: InstanceData): Diagnosed<InstanceKey> {
    if (step.kind === "key") return { value: keyOf(step.key), diagnostics: [] };
    const { value, diagnostics } = this.#evaluator.evaluate(step.expression, rootModule, instance);
    if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
    const subject = rangeOf(step.expression);
    const refuse = (detail: string) => ({
      value: undefined,
      diagnostics: [...diagnostics, errorDiagnostic("Invalid index expression", detail, { subject })],
    });
    if (!isKnown(value)) return refuse("Import block target index must be known while planning.");
    if (value.marks.has(sensitive) || value.marks.has(ephemeral))
      return refuse("Import block target index must not be sensitive or ephemeral: addresses are shown to everybody.");
    const key = isNull(value) ? undefined : keyOf(value);
    return key === undefined ? refuse("An instance key is a text or a whole number.") : { value: key, diagnostics };
  }

  #id(block: ImportBlock, instance: InstanceData): Diagnosed<Importing | undefined> {
    const { expression } = block.by;
    const { value, diagnostics } = this.#evaluator.evaluate(expression, rootModule, instance);
    if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
    const converted = convert(value, stringType);
    const wrong = converted.ok ? wrongId(converted.value) : `The import ID is unsuitable: ${converted.message}.`;
    if (!converted.ok || wrong !== undefined) return refuseId(expression, diagnostics, wrong ?? "");
    return { value: { id: asString(converted.value) }, diagnostics };
  }

  #identity(block: ImportBlock, instance: InstanceData, schema: Schema): Diagnosed<Importing | undefined> {
    const { expression } = block.by;
    const { value, diagnostics } = this.#evaluator.evaluate(expression, rootModule, instance);
    if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
    const given = givenIdentity(value, block, schema);
    const all = [...diagnostics, ...given.diagnostics];
    return { value: given.value && { identity: given.value }, diagnostics: all };
  }
}

function refuseId(expression: Expression, before: readonly Diagnostic[], detail: string) {
  const place = { subject: rangeOf(expression) };
  return { value: undefined, diagnostics: [...before, errorDiagnostic("Invalid import id argument", detail, place)] };
}

function wrongId(value: Value): string | undefined {
  if (value.marks.has(sensitive) || value.marks.has(ephemeral))
    return "The import ID must not be sensitive or ephemeral: it is shown in the plan.";
  if (!isKnown(value))
    return 'The import block "id" argument depends on resource attributes that cannot be determined until apply, so this resource cannot be planned to be imported.';
  if (isNull(value)) return "The import ID cannot be null.";
  return asString(value) === ""
    ? "The import ID value evaluates to an empty string, please provide a non-empty value."
    : undefined;
}

/** The instance key that a literal index is. */
export function keyOf(key: Value): InstanceKey {
  if (typeof key.data === "string") return key.data;
  return key.type.kind === "number" ? asNumber(key).toNumber() : undefined;
}

/** What is said where a second block imports into the same instance. */
export function duplicate(target: { readonly block: ImportBlock }, first: ImportBlock): Diagnostic {
  const { to } = target.block;
  const detail = `An import block for the resource "${to.text}" was already declared at ${placeText(first.range)}. A resource instance can be imported once: remove one of the two.`;
  return errorDiagnostic(`Duplicate import configuration for "${to.text}"`, detail, { subject: to.range });
}
