import { compareKeys } from "@millwright/value/types";
import { resourceText } from "../addresses.ts";
import type { Configuration, Lifecycle } from "../configuration.ts";
import type { CheckResult } from "../plan/plan.ts";

/** What came of all conditions of one object and its instances. */
export interface CheckGroup {
  readonly kind: CheckResult["kind"];
  readonly configAddress: string;
  readonly status: CheckResult["status"];
  readonly instances: readonly Pick<CheckResult, "instanceAddress" | "status" | "problems">[];
}

const severity = ["pass", "unknown", "fail", "error"] as const;

export function worstOf(all: readonly CheckResult["status"][]): CheckResult["status"] {
  return all.reduce((a, b) => (severity.indexOf(b) > severity.indexOf(a) ? b : a), "pass");
}

/** The results of a run by object, each instance once; those of `later` take the place of what `results` have of an instance. */
export function groupChecks(results: readonly CheckResult[], later: readonly CheckResult[] = []): CheckGroup[] {
  const again = new Set(later.map((result) => result.instanceAddress));
  const all = [...results.filter((result) => !again.has(result.instanceAddress)), ...later];
  return [...Map.groupBy(all, (result) => result.configAddress)]
    .map(groupOf)
    .sort((a, b) => compareKeys(a.configAddress, b.configAddress));
}

function groupOf([configAddress, results]: readonly [string, readonly CheckResult[]]): CheckGroup {
  const byInstance = Map.groupBy(results, (result) => result.instanceAddress);
  const instances = [...byInstance]
    .map(([instanceAddress, parts]) => ({
      instanceAddress,
      status: worstOf(parts.map((part) => part.status)),
      problems: parts.flatMap((part) => part.problems),
    }))
    .sort((a, b) => compareKeys(a.instanceAddress, b.instanceAddress));
  const status = worstOf(instances.map((instance) => instance.status));
  return { kind: results[0]!.kind, configAddress, status, instances };
}

/**
 * `check_results` of a state file: every object of the configuration that has conditions, with what came of them; null where
 * there is none. Source: state format version 4 as Terraform writes it.
 */
export function checkResultsPlain(configuration: Configuration, groups: readonly CheckGroup[]): unknown {
  const known = new Map(groups.map((group) => [group.configAddress, group]));
  const all = checkables(configuration).map(([kind, address]): unknown => {
    const group = known.get(address);
    return {
      object_kind: fileKinds[kind],
      config_addr: address,
      status: group?.status ?? "unknown",
      objects: group ? group.instances.map(objectPlain) : null,
    };
  });
  return all.length === 0 ? null : all;
}

function objectPlain({ instanceAddress, status, problems }: CheckGroup["instances"][number]): unknown {
  return {
    object_addr: instanceAddress,
    status,
    ...(problems.length > 0 ? { failure_messages: problems } : {}),
  };
}

const fileKinds: Readonly<Record<CheckResult["kind"], string>> = {
  resource: "resource",
  output_value: "output",
  var: "var",
  check: "check",
};

/** Reads what {@link checkResultsPlain} writes; what is not of that form is left out. */
export function readCheckResults(plain: unknown): CheckGroup[] {
  if (!Array.isArray(plain)) return [];
  const groups = plain.flatMap((entry: unknown): CheckGroup[] => {
    if (!isRecord(entry) || typeof entry.config_addr !== "string") return [];
    const kind = kindOf(entry.object_kind);
    if (!kind) return [];
    const objects = Array.isArray(entry.objects) ? entry.objects : [];
    const instances = objects.flatMap(readObject);
    return [{ kind, configAddress: entry.config_addr, status: statusOf(entry.status), instances }];
  });
  return groups.sort((a, b) => compareKeys(a.configAddress, b.configAddress));
}

function readObject(plain: unknown): CheckGroup["instances"] {
  if (!isRecord(plain) || typeof plain.object_addr !== "string") return [];
  const messages = Array.isArray(plain.failure_messages) ? plain.failure_messages : [];
  const problems = messages.filter((message): message is string => typeof message === "string");
  return [{ instanceAddress: plain.object_addr, status: statusOf(plain.status), problems }];
}

function kindOf(plain: unknown): CheckResult["kind"] | undefined {
  const kinds: readonly CheckResult["kind"][] = ["resource", "output_value", "var", "check"];
  return kinds.find((kind) => fileKinds[kind] === plain);
}

function statusOf(plain: unknown): CheckResult["status"] {
  return severity.find((status) => status === plain) ?? "unknown";
}

function isRecord(plain: unknown): plain is Readonly<Record<string, unknown>> {
  return typeof plain === "object" && plain !== null && !Array.isArray(plain);
}

function checkables(configuration: Configuration): (readonly [CheckResult["kind"], string])[] {
  const all: (readonly [CheckResult["kind"], string])[] = [];
  for (const module of configuration.modules.values()) {
    const prefix = module.path === "" ? "" : `${module.path}.`;
    const add = (kind: CheckResult["kind"], text: string) => all.push([kind, `${prefix}${text}`]);
    for (const { address, lifecycle } of module.resources.values())
      if (hasConditions(lifecycle)) add("resource", resourceText(address));
    for (const { name, preconditions } of module.outputs.values())
      if (preconditions.length > 0) add("output_value", `output.${name}`);
    for (const { name } of module.checks.values()) add("check", `check.${name}`);
    for (const { name, validations } of module.variables.values())
      if (validations.length > 0) add("var", `var.${name}`);
  }
  return all;
}

function hasConditions({ preconditions, postconditions }: Lifecycle): boolean {
  return preconditions.length + postconditions.length > 0;
}
