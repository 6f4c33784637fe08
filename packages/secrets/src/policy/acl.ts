import { isDeepStrictEqual } from "node:util";
import type { Operation } from "../engine.ts";
import { matchesGlob } from "../text-glob.ts";
import type { PathPattern } from "./path-pattern.ts";
import { byPriority, isExact, matchesPattern, patternKey } from "./path-pattern.ts";
import type { Capability, ParameterValues, PathRule, Policy } from "./policy.ts";

/** What some policies allow together. Pure: the same question has the same answer. */
export interface Acl {
  /** Whether the policy `root` is among them: then everything is allowed. */
  readonly isRoot: boolean;
  check(question: AclQuestion): AclAnswer;
  /** What may be done at a path, sorted; `["root"]`, and `["deny"]` where nothing may. */
  capabilities(path: string): readonly (Capability | "root")[];
}

export interface AclQuestion {
  readonly operation: Operation;
  /** Without a leading slash and without `v1`: `secret/data/app`. Of a list with or without a slash at its end. */
  readonly path: string;
  /** The body of a write: its fields are held against allowed, denied and required parameters. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Seconds; where the answer is asked for in a wrapping token. */
  readonly wrapTtl?: number;
}

export interface AclAnswer {
  readonly isAllowed: boolean;
  /** Whether `sudo` is among the capabilities here. */
  readonly hasSudo: boolean;
  /** The names of the policies that gave it, sorted; for the audit. */
  readonly grantedBy: readonly string[];
}

/**
 * The rules of all policies as one list. Rules for one pattern are put together (`deny` wins); of different patterns only the one
 * that fits a path best decides, and an exact path fits better than any pattern.
 */
export function compileAcl(policies: readonly Policy[]): Acl {
  if (policies.some(({ name }) => name === "root")) return rootAcl;
  const merged = new Map<string, Grant>();
  for (const policy of policies) {
    for (const rule of policy.rules) {
      const key = patternKey(rule.pattern);
      const grant = merged.get(key);
      merged.set(key, grant ? together(grant, policy.name, rule) : { ...rule, policies: [policy.name] });
    }
  }
  const exact = new Map([...merged].filter(([, { pattern }]) => isExact(pattern)));
  const wild = [...merged.values()].filter(({ pattern }) => !isExact(pattern));
  wild.sort((a, b) => byPriority(a.pattern, b.pattern));
  const grantFor = (forms: readonly string[]): Grant | undefined => {
    const found = forms.find((form) => exact.has(form));
    if (found !== undefined) return exact.get(found);
    for (const form of forms) {
      const grant = wild.find(({ pattern }) => matchesPattern(pattern, form));
      if (grant) return grant;
    }
    return undefined;
  };
  return {
    isRoot: false,
    check: (question) => answer(question, grantFor(formsOf(question))),
    capabilities: (path) => {
      const granted = grantFor(path.endsWith("/") ? [path, path.slice(0, -1)] : [path])?.capabilities ?? [];
      return granted.length === 0 ? ["deny"] : [...granted].sort();
    },
  };
}

const rootAcl: Acl = {
  isRoot: true,
  check: () => ({ isAllowed: true, hasSudo: true, grantedBy: ["root"] }),
  capabilities: () => ["root"],
};

/** What is said of one pattern, by all policies together. */
interface Grant extends PathRule {
  readonly pattern: PathPattern;
  readonly policies: readonly string[];
}

/** A list is of a folder: rules may name it with the slash at its end or without. */
function formsOf({ operation, path }: AclQuestion): readonly string[] {
  if (operation !== "list") return [path];
  const bare = path.replace(/\/$/, "");
  return [`${bare}/`, bare];
}

function together(grant: Grant, policy: string, rule: PathRule): Grant {
  const capabilities = [...new Set([...grant.capabilities, ...rule.capabilities])];
  return {
    pattern: grant.pattern,
    policies: [...new Set([...grant.policies, policy])].sort(),
    capabilities: capabilities.includes("deny") ? ["deny"] : capabilities,
    allowedParameters: valuesTogether(grant.allowedParameters, rule.allowedParameters),
    deniedParameters: valuesTogether(grant.deniedParameters, rule.deniedParameters),
    requiredParameters: [...new Set([...grant.requiredParameters, ...rule.requiredParameters])],
    minWrappingTtl: stricter(grant.minWrappingTtl, rule.minWrappingTtl, Math.max),
    maxWrappingTtl: stricter(grant.maxWrappingTtl, rule.maxWrappingTtl, Math.min),
  };
}

/** The names of both; a name that either gives without values has none. */
function valuesTogether(a: ParameterValues, b: ParameterValues): ParameterValues {
  const names = new Set([...a.keys(), ...b.keys()]);
  return new Map(
    [...names].map((name) => {
      const lists = [a.get(name), b.get(name)].filter((values) => values !== undefined);
      return [name, lists.some((values) => values.length === 0) ? [] : lists.flat()];
    }),
  );
}

function stricter(a: number, b: number, choose: (a: number, b: number) => number): number {
  return a === 0 || b === 0 ? a + b : choose(a, b);
}

const refused: AclAnswer = { isAllowed: false, hasSudo: false, grantedBy: [] };

function answer(question: AclQuestion, grant: Grant | undefined): AclAnswer {
  if (!grant?.capabilities.includes(question.operation)) return refused;
  if (!wrappingFits(question.wrapTtl, grant)) return refused;
  if (writes.has(question.operation) && !parametersFit(question.data, grant)) return refused;
  return { isAllowed: true, hasSudo: grant.capabilities.includes("sudo"), grantedBy: grant.policies };
}

const writes: ReadonlySet<Operation> = new Set(["create", "update", "patch"]);

function wrappingFits(wrapTtl: number | undefined, { minWrappingTtl, maxWrappingTtl }: Grant): boolean {
  if (minWrappingTtl === 0 && maxWrappingTtl === 0) return true;
  if (wrapTtl === undefined || wrapTtl < minWrappingTtl) return false;
  return maxWrappingTtl === 0 || wrapTtl <= maxWrappingTtl;
}

/** Only the fields of the body itself are looked at, not what is inside of them. */
function parametersFit(data: Readonly<Record<string, unknown>>, grant: Grant): boolean {
  const { allowedParameters: allowed, deniedParameters: denied, requiredParameters } = grant;
  // Each field is held against the rule by itself: of two that differ in case alone, an engine may read either.
  const given = Object.entries(data).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (!requiredParameters.every((wanted) => given.some(([name]) => name === wanted))) return false;
  if (given.length === 0) return true;
  if (denied.has("*")) return false;
  for (const [name, value] of given) {
    const deniedValues = denied.get(name);
    if (deniedValues && holds(deniedValues, value)) return false;
    if (allowed.size === 0) continue;
    const allowedValues = allowed.get(name);
    if (allowedValues ? !holds(allowedValues, value) : !allowed.has("*")) return false;
  }
  return true;
}

/** An empty list stands for every value. */
function holds(values: readonly unknown[], value: unknown): boolean {
  return values.length === 0 || values.some((candidate) => sameValue(candidate, value));
}

function sameValue(candidate: unknown, value: unknown): boolean {
  if (typeof candidate === "string" && typeof value === "string") return matchesGlob(candidate, value);
  // Numbers of policies and bodies may be of two kinds that JSON writes alike.
  return isDeepStrictEqual(plain(candidate), plain(value));
}

function plain(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
