import type { SourceRange } from "@millwright/core/source";
import type { Value } from "@millwright/value/value";
import { isKnown, isMarkedDeep, sensitive } from "@millwright/value/value";
import type { ValueChange, WhyOrigin, WhyPart, WhyReport } from "../explain/why.ts";
import { knownPlain } from "./values-json.ts";

type Plain = Readonly<Record<string, unknown>>;

/**
 * Why objects change, as JSON. Values are `{"value": …}`, `{"unknown": true}` or `{"sensitive": true}`: no secret is in it.
 */
export function whyJson(reports: readonly WhyReport[]): Plain[] {
  return reports.map(({ change, action, reason, drift, parts, triggers }) => ({
    address: change.address.text,
    ...(change.previousAddress === undefined ? {} : { previous_address: change.previousAddress }),
    action,
    ...(reason === "none" ? {} : { action_reason: reason }),
    ...(drift ? { changed_outside: drift.action } : {}),
    attributes: parts.map(partJson),
    ...(triggers.length > 0 ? { replace_triggered_by: triggers.map(originJson) } : {}),
  }));
}

function partJson({ name, before, after, forcesReplacement, expression, drift, origins }: WhyPart): Plain {
  return {
    name,
    before: valueJson(before),
    after: valueJson(after),
    ...(forcesReplacement ? { forces_replacement: true } : {}),
    ...(expression ? { expression: { text: expression.text, range: rangeJson(expression.range) } } : {}),
    ...(drift ? { changed_outside: changeJson(drift) } : {}),
    ...(origins.length > 0 ? { from: origins.map(originJson) } : {}),
  };
}

function originJson({ kind, text, range, variable, planned, drift, from }: WhyOrigin): Plain {
  return {
    kind,
    address: text,
    ...(range ? { range: rangeJson(range) } : {}),
    ...(variable ? { value: valueJson(variable.value), given_by: variable.given ?? "default" } : {}),
    ...(variable?.before ? { value_before: valueJson(variable.before) } : {}),
    ...(planned ? { planned: plannedJson(planned) } : {}),
    ...(drift ? { changed_outside: changeJson(drift) } : {}),
    ...(from.length > 0 ? { from: from.map(originJson) } : {}),
  };
}

function plannedJson({ action, reason, ...change }: NonNullable<WhyOrigin["planned"]>): Plain {
  return { action, ...(reason === undefined ? {} : { action_reason: reason }), ...changeJson(change) };
}

function changeJson({ before, after }: ValueChange): Plain {
  return { before: valueJson(before), after: valueJson(after) };
}

function valueJson(value: Value): Plain {
  if (isMarkedDeep(value, sensitive)) return { sensitive: true };
  return isKnown(value) ? { value: knownPlain(value) } : { unknown: true };
}

function rangeJson({ filename, start, end }: SourceRange): Plain {
  return {
    filename,
    start: { line: start.line, column: start.column, byte: start.byte },
    end: { line: end.line, column: end.column, byte: end.byte },
  };
}
