import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { ScopeTraversal } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { traversalText } from "@millwright/hcl/traversal-text";
import { checkFailed, checkLater } from "../checks.ts";
import type { Configuration } from "../configuration.ts";
import type { TestRun } from "./test-file.ts";

/** What a run expects to fail. */
export interface ExpectedFailures {
  /** Addresses of objects that have conditions, and where each is written. */
  readonly expected: ReadonlyMap<string, SourceRange>;
  /** The assertions of check blocks, whose failures do not name their block. */
  readonly asserts: readonly { readonly name: string; readonly range: SourceRange }[];
}

export function expectedFailures({ root }: Configuration, run: TestRun): ExpectedFailures {
  const expected = new Map(run.expectFailures.map((traversal) => [traversalText(traversal), rangeOf(traversal)]));
  const asserts = [...root.checks].flatMap(([name, check]) =>
    check.asserts.map((rule) => ({ name: `check.${name}`, range: rangeOf(rule.condition) })),
  );
  return { expected, asserts };
}

/** Expectations of what has no conditions that could fail, whatever the configuration is. */
export function withoutConditions({ expectFailures }: TestRun): Diagnostic[] {
  return expectFailures.flatMap((traversal) => {
    if (hasConditions(traversal)) return [];
    const detail = `You cannot expect failures from ${traversalText(traversal)}. Only variables, outputs, check blocks and resources have conditions that can fail.`;
    return [errorDiagnostic("Invalid `expect_failures` reference", detail, { subject: rangeOf(traversal) })];
  });
}

function hasConditions({ root: { name } }: ScopeTraversal): boolean {
  return !["each", "count", "local", "module", "path", "run", "self", "terraform"].includes(name);
}

/** Expectations of what cannot fail: nothing of the kind has conditions, or it is not there. */
export function impossibleFailures({ root }: Configuration, run: TestRun): Diagnostic[] {
  const missing = run.expectFailures.filter(hasConditions).flatMap((traversal) => {
    const text = traversalText(traversal);
    const [first, second] = text.replace(/\[.*/, "").split(".");
    const there = {
      var: root.variables.has(second ?? ""),
      output: root.outputs.has(second ?? ""),
      check: root.checks.has(second ?? ""),
    }[first ?? ""];
    if (there ?? root.resources.has(text.replace(/\[.*/, "").replace(/^resource\./, ""))) return [];
    const detail = `The configuration under test has no ${text}, so that it cannot fail.`;
    return [errorDiagnostic("Invalid `expect_failures` reference", detail, { subject: rangeOf(traversal) })];
  });
  return [...withoutConditions(run), ...missing];
}

/**
 * What is left to say after the expected failures: those are taken out, and each that did not come is an error. A failed
 * check block that nobody expects is an error of a test too.
 */
export function judgeFailures(expected: ExpectedFailures, diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  const left: Diagnostic[] = [];
  for (const diagnostic of diagnostics) {
    const name = expectedName(expected, diagnostic);
    if (name !== undefined) seen.add(name);
    else left.push(isFailure(diagnostic) ? { ...diagnostic, severity: "error" } : diagnostic);
  }
  for (const [name, subject] of expected.expected) {
    if (seen.has(name)) continue;
    const detail = `The checkable object, ${name}, was expected to report an error but did not.`;
    left.push(errorDiagnostic("Missing expected failure", detail, { subject }));
  }
  return left;
}

/** Expected failures that came while planning keep an apply from being tried: a word on that, before the failure itself. */
export function tooEarlyFailures(expected: ExpectedFailures, diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.flatMap((diagnostic) => {
    const name = diagnostic.severity === "error" ? expectedName(expected, diagnostic) : undefined;
    if (name === undefined) return [diagnostic];
    const detail = `A custom condition within ${name} failed during the planning stage and prevented the requested apply operation. While this was an expected failure, the apply operation could not be executed and so the overall test case will be marked as a failure and the original diagnostic included in the test report.`;
    return [warningDiagnostic("Expected failure while planning", detail), diagnostic];
  });
}

// What a check block cannot tell while planning does not hold, as far as a test goes.
function isFailure({ code }: Diagnostic): boolean {
  return code === checkFailed || code === checkLater;
}

function expectedName({ expected, asserts }: ExpectedFailures, diagnostic: Diagnostic): string | undefined {
  const { subject } = diagnostic;
  if (!isFailure(diagnostic)) return undefined;
  const isPlace = ({ range }: { readonly range: SourceRange }) =>
    range.filename === subject?.filename && range.start.byte === subject.start.byte;
  const address = diagnostic.address ?? asserts.find(isPlace)?.name;
  return [...expected.keys()].find((name) => address === name || address?.startsWith(`${name}[`));
}
