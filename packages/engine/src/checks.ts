import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { boolType, stringType } from "@millwright/value/types";
import {
  asBool,
  asString,
  ephemeral,
  isKnown,
  isMarkedDeep,
  isNull,
  sensitive,
  unmark,
  unmarkDeep,
} from "@millwright/value/value";
import type { InstanceAddress, ModuleInstance } from "./addresses.ts";
import { configResourceText } from "./addresses.ts";
import type { CheckBlock, CheckRule } from "./configuration.ts";
import type { Evaluator, InstanceData } from "./evaluator.ts";
import { noInstance } from "./evaluator.ts";
import type { CheckResult } from "./plan/plan.ts";

/** What checking needs of a run. */
export interface CheckingRun {
  readonly evaluator: Evaluator;
  readonly checks: CheckResult[];
}

/** The pre- or postconditions of a resource instance. Results are kept in the run; failures come back as diagnostics. */
export function checkRules(
  run: CheckingRun,
  address: InstanceAddress,
  summary: string,
  rules: readonly CheckRule[],
  instance: InstanceData,
): Diagnostic[] {
  if (rules.length === 0) return [];
  const config = configResourceText(address.module, address.resource);
  return checkAll(
    run,
    { kind: "resource", configAddress: config, instanceAddress: address.text },
    summary,
    rules,
    address.module,
    instance,
  );
}

/** The conditions of a variable or an output of one module instance. */
export function checkNamed(
  run: CheckingRun,
  kind: "var" | "output_value",
  name: string,
  rules: readonly CheckRule[],
  module: ModuleInstance,
): Diagnostic[] {
  if (rules.length === 0) return [];
  const word = kind === "var" ? "var" : "output";
  const prefix = module.text === "" ? "" : `${module.text}.`;
  const staticPrefix = module.steps.map((step) => `module.${step.name}.`).join("");
  const place = { kind, configAddress: `${staticPrefix}${word}.${name}`, instanceAddress: `${prefix}${word}.${name}` };
  const summary = kind === "var" ? "Invalid value for variable" : "Module output value precondition failed";
  return checkAll(run, place, summary, rules, module, noInstance);
}

/** The assertions of a check block in one instance of its module. Whatever is wrong with them is a warning. */
export function checkAsserts(run: CheckingRun, check: CheckBlock, module: ModuleInstance): Diagnostic[] {
  const place = checkPlace(check.name, module);
  // Where its data source could not be read, that has been said, and is the answer.
  const failed = run.checks.some((result) => result.instanceAddress === place.instanceAddress);
  const found = checkAll(run, place, "Check block assertion failed", check.asserts, module, noInstance);
  return found
    .filter(({ code }) => !failed || code !== checkLater)
    .map((diagnostic) => ({ ...diagnostic, severity: "warning" }));
}

/** How results name a check block, in one instance of its module. */
export function checkPlace(name: string, module: ModuleInstance): Place {
  const prefix = module.text === "" ? "" : `${module.text}.`;
  const staticPrefix = module.steps.map((step) => `module.${step.name}.`).join("");
  return { kind: "check", configAddress: `${staticPrefix}check.${name}`, instanceAddress: `${prefix}check.${name}` };
}

type Place = Pick<CheckResult, "kind" | "configAddress" | "instanceAddress">;

function checkAll(
  run: CheckingRun,
  place: Place,
  summary: string,
  rules: readonly CheckRule[],
  module: ModuleInstance,
  instance: InstanceData,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const problems: string[] = [];
  let status: CheckResult["status"] = "pass";
  for (const rule of rules) {
    const result = checkOne(run.evaluator, summary, rule, module, instance, place);
    diagnostics.push(...result.diagnostics);
    if (result.problem !== undefined) problems.push(result.problem);
    status = worse(status, result.status);
  }
  run.checks.push({ ...place, status, problems });
  return diagnostics;
}

const severity = ["pass", "unknown", "fail", "error"] as const;

function worse(a: CheckResult["status"], b: CheckResult["status"]): CheckResult["status"] {
  return severity.indexOf(b) > severity.indexOf(a) ? b : a;
}

interface RuleResult {
  readonly status: CheckResult["status"];
  readonly problem?: string;
  readonly diagnostics: readonly Diagnostic[];
}

function checkOne(
  evaluator: Evaluator,
  summary: string,
  rule: CheckRule,
  module: ModuleInstance,
  instance: InstanceData,
  { kind, instanceAddress: address }: Place,
): RuleResult {
  const condition = evaluator.evaluate(rule.condition, module, instance);
  if (hasErrors(condition.diagnostics)) return { status: "error", diagnostics: condition.diagnostics };
  const subject = rangeOf(rule.condition);
  const wrong = (detail: string): RuleResult => ({
    status: "error",
    diagnostics: [
      ...condition.diagnostics,
      errorDiagnostic("Invalid condition result", detail, {
        subject,
        address,
        ...evaluator.valuesIn(rule.condition, module, instance),
      }),
    ],
  });
  const [value] = unmark(condition.value);
  const later = kind === "check" ? [knownLater(rule)] : [];
  const unknown: RuleResult = { status: "unknown", diagnostics: [...condition.diagnostics, ...later] };
  if (!isKnown(value)) return unknown;
  if (isNull(value)) return wrong("Condition expression must return either true or false, not null.");
  const bool = convert(value, boolType);
  if (!bool.ok) return wrong(`Invalid condition result value: ${bool.message}.`);
  if (!isKnown(bool.value)) return unknown;
  if (asBool(bool.value)) return { status: "pass", diagnostics: condition.diagnostics };
  const message = failureMessage(evaluator, rule, module, instance);
  const origin = `\n\nThis was checked by the rule at ${rule.range.filename}:${rule.range.start.line},${rule.range.start.column}-${rule.range.end.column}.`;
  const place = kind === "check" ? { subject } : { subject, address };
  const values = evaluator.valuesIn(rule.condition, module, instance);
  const detail = kind === "check" ? message.text : `${message.text}${origin}`;
  return {
    status: "fail",
    problem: message.text,
    diagnostics: [
      ...condition.diagnostics,
      ...message.diagnostics,
      errorDiagnostic(summary, detail, { ...place, ...values, code: checkFailed }),
    ],
  };
}

/** The code of what is said where a condition does not hold. Its address is that of the object. */
export const checkFailed = "check-failed";
/** The same where an assertion of a check block cannot be told yet. */
export const checkLater = "check-later";

function knownLater({ condition }: CheckRule): Diagnostic {
  const detail = "The condition could not be evaluated at this time, a result will be known when this plan is applied.";
  return warningDiagnostic("Check block assertion known after apply", detail, {
    subject: rangeOf(condition),
    code: checkLater,
  });
}

function failureMessage(
  evaluator: Evaluator,
  rule: CheckRule,
  module: ModuleInstance,
  instance: InstanceData,
): { readonly text: string; readonly diagnostics: readonly Diagnostic[] } {
  const { value, diagnostics } = evaluator.evaluate(rule.errorMessage, module, instance);
  if (hasErrors(diagnostics)) return { text: "The error message of this rule could not be evaluated.", diagnostics };
  for (const kind of [sensitive, ephemeral]) {
    if (isMarkedDeep(value, kind))
      return { text: `The error message of this rule is not shown, as it holds ${kind} values.`, diagnostics };
  }
  const text = convert(unmarkDeep(value)[0], stringType);
  if (!text.ok || !isKnown(text.value) || isNull(text.value))
    return { text: "The error message of this rule is not a known text.", diagnostics };
  return { text: asString(text.value).trim(), diagnostics };
}
