import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Expression } from "@millwright/hcl/ast";
import type { Cause } from "@millwright/hcl/expression-values";
import { rangeOf } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { boolType, numberType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asBool,
  asMap,
  asNumber,
  asString,
  ephemeral,
  isKnown,
  isNull,
  isWhollyKnown,
  sensitive,
  unmark,
  unmarkDeep,
} from "@millwright/value/value";
import type { ModuleInstance } from "../addresses.ts";
import type { Repetition } from "../configuration.ts";
import type { Evaluator } from "../evaluator.ts";
import { noInstance } from "../evaluator.ts";
import type { Expansion } from "../expansion.ts";

/** The code of a diagnostic that says how many instances there are is not known before an apply. */
export const unknownRepetition = "unknown-repetition";

const orPutOff = "With -allow-deferral it is put off until it is known, and all else is planned.";

const single: Expansion = { kind: "single" };
const unknown: Expansion = { kind: "unknown" };

/**
 * What a number of instances that is not known yet is: good, an error, or an error that says that it may be put off, which is for
 * resources and modules alone.
 */
export type WhenUnknown = "good" | "error" | "may be put off";

/** How many instances something has, by its `count` or `for_each`. With errors the expansion is unknown. */
export function expand(
  repetition: Repetition,
  evaluator: Evaluator,
  module: ModuleInstance,
  whenUnknown: WhenUnknown,
): Diagnosed<Expansion> {
  if (repetition.kind === "single") return { value: single, diagnostics: [] };
  const { expression } = repetition;
  const { value, diagnostics } = evaluator.evaluate(expression, module);
  if (diagnostics.some((d) => d.severity === "error")) return { value: unknown, diagnostics };
  const result = expandValue(repetition.kind, value, whenUnknown === "good");
  if (typeof result !== "string") return { value: result, diagnostics };
  // What is not wholly known may be good once it is.
  const code = isWhollyKnown(unmarkDeep(value)[0]) ? {} : { code: unknownRepetition };
  const values = evaluator.valuesIn(expression, module, noInstance, causeOf(value));
  const mayWait = whenUnknown === "may be put off" && typeof expandValue(repetition.kind, value, true) !== "string";
  const detail = mayWait ? `${result}\n\n${orPutOff}` : result;
  return {
    value: unknown,
    diagnostics: [...diagnostics, { ...refusal(repetition.kind, value, expression, detail), ...code, ...values }],
  };
}

/**
 * What a planned expansion is at apply: the same keys, with the values of `for_each` that were not known yet. The same object
 * where there is nothing to learn.
 */
export function expandAgain(
  planned: Expansion,
  repetition: Repetition,
  evaluator: Evaluator,
  module: ModuleInstance,
): Diagnosed<Expansion> {
  const settled = planned.kind !== "forEach" || [...planned.values.values()].every(isWhollyKnown);
  if (settled || repetition.kind !== "forEach") return { value: planned, diagnostics: [] };
  const { value: now, diagnostics } = expand(repetition, evaluator, module, "error");
  if (now.kind !== "forEach") return { value: planned, diagnostics };
  const { values } = now;
  const moved = values.size !== planned.values.size || [...planned.values.keys()].some((key) => !values.has(key));
  if (!moved) return { value: now, diagnostics };
  const detail =
    "The keys of this for_each are no longer those that were planned. Make a new plan to see what is to be done now.";
  const subject = rangeOf(repetition.expression);
  return {
    value: planned,
    diagnostics: [...diagnostics, errorDiagnostic("Keys have changed since the plan", detail, { subject })],
  };
}

function expandValue(kind: "enabled" | "count" | "forEach", value: Value, validating: boolean): Expansion | string {
  switch (kind) {
    case "enabled":
      return expandEnabled(value, validating);
    case "count":
      return expandCount(value, validating);
    case "forEach":
      return expandForEach(value, validating);
  }
}

function expandEnabled(given: Value, validating: boolean): Expansion | string {
  for (const kind of [sensitive, ephemeral])
    if (given.marks.has(kind))
      return `The given "enabled" value is ${kind}, or derived from a value that is. Whether something is there is shown to everybody and kept: use a value that may be.`;
  const [value] = unmark(given);
  if (isNull(value)) return 'The given "enabled" argument value is null. True or false is required.';
  const converted = convert(value, boolType);
  if (!converted.ok) return `The given "enabled" argument value is unsuitable: ${converted.message}.`;
  if (!isKnown(converted.value)) {
    if (validating) return unknown;
    return 'The given "enabled" value is derived from a value that will not be known until the apply, so it cannot be told whether there is anything to plan. Use a value that is known while planning.';
  }
  return asBool(converted.value) ? single : { kind: "disabled" };
}

/** What of a value is not shown unless it is just what is wrong. */
function causeOf(value: Value): Cause {
  if (value.marks.has(ephemeral)) return { ephemeral: true };
  if (value.marks.has(sensitive)) return { sensitive: true };
  return isWhollyKnown(value) ? {} : { unknown: true };
}

function refusal(kind: "enabled" | "count" | "forEach", value: Value, expression: Expression, detail: string) {
  const isPlainSet = value.type.kind === "set" && value.marks.size === 0 && !isNull(value) && isWhollyKnown(value);
  const name = kind === "forEach" ? (isPlainSet ? "for_each set" : "for_each") : kind;
  return errorDiagnostic(`Invalid ${name} argument`, detail, { subject: rangeOf(expression) });
}

function expandCount(given: Value, validating: boolean): Expansion | string {
  if (given.marks.has(ephemeral)) {
    return 'The given "count" is derived from an ephemeral value, which means that Terraform cannot persist it between plan/apply rounds. Use only non-ephemeral values to specify the number of resource instances.';
  }
  const [value] = unmark(given);
  if (isNull(value)) return 'The given "count" argument value is null. An integer is required.';
  const converted = convert(value, numberType);
  if (!converted.ok) return `The given "count" argument value is unsuitable: ${converted.message}.`;
  if (!isKnown(converted.value)) {
    if (validating) return unknown;
    return 'The "count" value depends on resource attributes that cannot be determined until apply, so Terraform cannot predict how many instances will be created. To work around this, use the -target argument to first apply only the resources that the count depends on.';
  }
  const number = asNumber(converted.value);
  if (!number.isInteger)
    return 'The given "count" argument value is unsuitable: value must be a whole number, between -9223372036854775808 and 9223372036854775807.';
  const count = number.toNumber();
  if (count < 0) return 'The given "count" argument value is unsuitable: must be greater than or equal to zero.';
  return { kind: "count", count };
}

/** The instances that a value of `for_each` asks for, or why it cannot be one. */
export function expandForEach(given: Value, validating: boolean): Expansion | string {
  if (given.marks.has(sensitive)) {
    return "Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments. If used, the sensitive value could be exposed as a resource instance key.";
  }
  if (given.marks.has(ephemeral)) {
    return 'The given "for_each" value is derived from an ephemeral value, which means that Terraform cannot persist it between plan/apply rounds. Use only non-ephemeral values to specify a resource\'s instance keys.';
  }
  const [value] = unmark(given);
  const { kind } = value.type;
  if (isNull(value)) {
    return 'The given "for_each" argument value is unsuitable: the given "for_each" argument value is null. A map, or set of strings is allowed.';
  }
  if (kind === "dynamic" && validating) return unknown;
  if (!isKnown(value)) {
    if (validating && (kind === "map" || kind === "object" || kind === "set")) return unknown;
    return `The "for_each" ${kind === "set" ? "set" : "map"} includes ${kind === "set" ? "values" : "keys"} derived from resource attributes that cannot be determined until apply, and so Terraform cannot determine the full set of keys that will identify the instances of this resource.

When working with unknown values in for_each, it's better to define the map keys statically in your configuration and place apply-time results only in the map values.

Alternatively, you could use the -target planning option to first apply only the resources that the for_each value depends on, and then apply a second time to fully converge.`;
  }
  if (kind === "map" || kind === "object") return { kind: "forEach", values: asMap(value) };
  if (kind !== "set") {
    return `The given "for_each" argument value is unsuitable: the "for_each" argument must be a map, or set of strings, and you have provided a value of type ${friendlyName(value.type)}.`;
  }
  const values = new Map<string, Value>();
  for (const element of asArray(value)) {
    if (!isKnown(element)) {
      if (validating) return unknown;
      return `The "for_each" set includes values derived from resource attributes that cannot be determined until apply, and so Terraform cannot determine the full set of keys that will identify the instances of this resource.\n\nWhen working with unknown values in for_each, it's better to use a map value where the keys are defined statically in your configuration and where only the values contain apply-time results.\n\nAlternatively, you could use the -target planning option to first apply only the resources that the for_each value depends on, and then apply a second time to fully converge.`;
    }
    if (element.type.kind !== "string") {
      return `The given "for_each" argument value is unsuitable: "for_each" supports maps and sets of strings, but you have provided a set containing type ${friendlyName(element.type)}.`;
    }
    if (isNull(element))
      return 'The given "for_each" argument value is unsuitable: "for_each" sets must not contain null values.';
    values.set(asString(element), element);
  }
  return { kind: "forEach", values };
}
