import type { Constraint } from "@millwright/jobs/constraint";
import { compileRegexp } from "@millwright/text/regexp";
import { allows, compareVersions, parseConstraints, parseVersion, type Version } from "@millwright/text/versions";
import type { Node } from "./snapshot.ts";
import { targetOf } from "./target.ts";

/** Whether a node is as a constraint or an affinity says. */
export type Comparison = (node: Node) => boolean;

/** Compiles what stands on both sides and the operator between. An operator that is not known is met by no node. */
export function comparisonOf({ lTarget, operand, rTarget }: Constraint): Comparison {
  const [left, right] = [targetOf(lTarget), targetOf(rTarget)];
  switch (operand) {
    case "is_set":
      return (node) => left(node) !== undefined;
    case "is_not_set":
      return (node) => left(node) === undefined;
    case "!=":
    case "not":
      return (node) => left(node) !== right(node);
    default: {
      const holds = operators.get(operand);
      if (!holds) return () => false;
      return (node) => {
        const [a, b] = [left(node), right(node)];
        return a !== undefined && b !== undefined && holds(a, b);
      };
    }
  }
}

type Operator = (left: string, right: string) => boolean;

const isEqual: Operator = (left, right) => left === right;

const containsAll: Operator = (left, right) => {
  const items = itemsOf(left);
  return [...itemsOf(right)].every((item) => items.has(item));
};

/** Operators that need a value on both sides. */
const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["=", isEqual],
  ["==", isEqual],
  ["is", isEqual],
  ["<", (left, right) => order(left, right) < 0],
  ["<=", (left, right) => order(left, right) <= 0],
  [">", (left, right) => order(left, right) > 0],
  [">=", (left, right) => order(left, right) >= 0],
  ["regexp", matches],
  ["version", meetsVersion],
  ["semver", meetsSemver],
  ["set_contains", containsAll],
  ["set_contains_all", containsAll],
  ["set_contains_any", (left, right) => !itemsOf(left).isDisjointFrom(itemsOf(right))],
]);

/** Numbers by value, everything else by its letters. */
function order(left: string, right: string): number {
  const numeric = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;
  if (numeric.test(left) && numeric.test(right)) return Number(left) - Number(right);
  return left < right ? -1 : Number(left > right);
}

function matches(text: string, pattern: string): boolean {
  const compiled = compileRegexp(pattern);
  return compiled.ok && compiled.regexp.test(text);
}

function meetsVersion(text: string, constraints: string): boolean {
  const [version, parsed] = [parseVersion(text), parseConstraints(constraints)];
  return version !== undefined && parsed !== undefined && allows(parsed, version);
}

/** As `version`, but by precedence alone (semver.org, 11): a version before a release is one below it, and may be allowed. */
function meetsSemver(text: string, constraints: string): boolean {
  const [version, parsed] = [parseVersion(text), parseConstraints(constraints)];
  if (!version || !parsed) return false;
  const release: Version = { ...version, prerelease: "" };
  return parsed.every((constraint) => {
    if (constraint.operator === "!=" || constraint.operator === "~>") return allows([constraint], release);
    const compared = compareVersions(version, constraint.version);
    return { "=": compared === 0, ">": compared > 0, ">=": compared >= 0, "<": compared < 0, "<=": compared <= 0 }[
      constraint.operator
    ];
  });
}

function itemsOf(list: string): Set<string> {
  return new Set(list.split(",").map((item) => item.trim()));
}
