import { isAbsolute } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { similar } from "@millwright/core/similar";
import type { Json } from "@millwright/jobs/shape";
import { driverErrors } from "./errors.ts";

/** The `config` block of a task of raw_exec. Source: Nomad's documentation of the driver. */
export interface RawExecConfig {
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly workDir: string | undefined;
  readonly oomScore: number | undefined;
  /** Names; one that ends with `*` stands for all that begin like that. */
  readonly deniedEnv: readonly string[];
  /** Relative to where cgroups are mounted. */
  readonly cgroupV2: string | undefined;
  /** Paths by controller. */
  readonly cgroupV1: Readonly<Record<string, string>>;
}

/** Rejects, all at once, what is not as it should be: `driverErrors.configuration`. */
export function readRawExecConfig(config: Readonly<Record<string, Json>>): RawExecConfig {
  const faults: string[] = [];
  const read = <T>(name: string, what: string, parse: (value: Json) => T | undefined): T | undefined => {
    const value = config[name];
    if (value === undefined || value === null) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) faults.push(`${name} has to be ${what}`);
    return parsed;
  };
  const draft = {
    command: read("command", "a program's name or path", nonEmptyText),
    args: read("args", "a list of texts", texts),
    workDir: read("work_dir", "an absolute path", (value) => {
      const path = nonEmptyText(value);
      return path && isAbsolute(path) ? path : undefined;
    }),
    oomScore: read("oom_score_adj", "a whole number from 0 to 1000", (value) => {
      const number = typeof value === "string" && value !== "" ? Number(value) : value;
      return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 1000
        ? number
        : undefined;
    }),
    deniedEnv: read("denied_envvars", "a list of names", texts),
    cgroupV2: read("cgroup_v2_override", "the path of a cgroup", nonEmptyText),
    cgroupV1: read("cgroup_v1_override", "paths of cgroups by controller", textMap),
  };
  for (const name of Object.keys(config)) if (!names.includes(name)) faults.push(unknownName(name));
  if (draft.command === undefined && config.command === undefined)
    faults.push("command is missing: say which program to run");
  const { command, args = [], deniedEnv = [], cgroupV1 = {}, ...rest } = draft;
  if (command === undefined || faults.length > 0) {
    const text = `The task's config cannot be used by raw_exec: ${faults.join("; ")}.`;
    throw new OperationalError(driverErrors.configuration, text);
  }
  return { ...rest, command, args, deniedEnv, cgroupV1 };
}

/** An environment without what the task denies itself. */
export function withoutDenied(
  env: Readonly<Record<string, string>>,
  denied: readonly string[],
): Readonly<Record<string, string>> {
  const isDenied = (name: string) =>
    denied.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isDenied(name)));
}

const names: readonly string[] = [
  "command",
  "args",
  "work_dir",
  "oom_score_adj",
  "denied_envvars",
  "cgroup_v2_override",
  "cgroup_v1_override",
];

function unknownName(name: string): string {
  const near = similar(name, names);
  return near ? `there is no "${name}", did you mean "${near}"?` : `there is no "${name}", only ${names.join(", ")}`;
}

function nonEmptyText(value: Json): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

// Job files often have numbers among a program's arguments.
function texts(value: Json): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const parts = (value as readonly Json[]).map((part) => {
    return typeof part === "string" || typeof part === "number" || typeof part === "boolean" ? String(part) : undefined;
  });
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

// A block in a driver's config may come as a list of one.
function textMap(value: Json): Readonly<Record<string, string>> | undefined {
  const map: Json = Array.isArray(value) && value.length === 1 ? (value[0] as Json) : value;
  if (map === null || typeof map !== "object" || Array.isArray(map)) return undefined;
  const entries = Object.entries(map as { readonly [name: string]: Json });
  return entries.every(([, path]) => nonEmptyText(path))
    ? (Object.fromEntries(entries) as Record<string, string>)
    : undefined;
}
