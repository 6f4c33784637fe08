import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { parseAddress } from "@millwright/engine/parse-address";
import type { FlagTable, FlagValues } from "../flags.ts";

/** A flag as it stood on the line, of whichever command. */
export interface GivenFlag {
  readonly name: string;
  readonly text: string;
  readonly value: string | boolean | number | bigint;
}

/** Flags of everything that reads variables. */
export const variableFlags = {
  var: { kind: "strings", value: "NAME=VALUE", help: "Set a variable of the root module. May be given several times." },
  "var-file": {
    kind: "strings",
    value: "FILE",
    help: "Take variables from a file, beside terraform.tfvars and *.auto.tfvars. May be given several times.",
  },
} as const satisfies FlagTable;

/** Flags of everything that works on a state. */
export const stateFlags = {
  lock: {
    kind: "bool",
    help: "Whether to hold the state while working on it (default true; -lock=false is at your own risk).",
  },
  "lock-timeout": {
    kind: "duration",
    value: "DURATION",
    help: "How long to wait while somebody else holds the state, such as 30s (default 0s).",
  },
  state: { kind: "string", value: "FILE", help: "The state file (default terraform.tfstate)." },
} as const satisfies FlagTable;

/** Of what can share a state with others. */
export const lockScopeFlag = {
  "lock-scope": {
    kind: "string",
    value: "SCOPE",
    help: 'What is held: "state", all of it (default), or "parts", only what the plan changes, so that runs that have nothing to do with each other go on at once. Where a backend cannot do that, all of it.',
  },
} as const satisfies FlagTable;

/** Flags of what writes a whole new snapshot of the state. */
export const stateOutFlags = {
  "state-out": {
    kind: "string",
    value: "FILE",
    help: "Write the new state to this file, and leave the one that was read as it is (default: the state file).",
  },
  backup: {
    kind: "string",
    value: "FILE",
    help: 'Where to keep the state of before (default: the state file with .backup behind its name). "-" keeps none.',
  },
} as const satisfies FlagTable;

/** Of commands that change a state by hand: no backend here looks at the version that wrote a state. */
export const ignoreRemoteVersion = {
  kind: "bool",
  help: "Taken for scripts that give it: a state of another version of Terraform is worked with anyway.",
} as const;

export const viewFlags = {
  "no-color": { kind: "bool", help: "Print without colours." },
  "compact-warnings": { kind: "bool", help: "Print warnings in a line each, unless there are errors too." },
  json: { kind: "bool", help: "Print JSON, a document or a line each, as Terraform does." },
} as const satisfies FlagTable;

/** Of small commands that tell as JSON what they do; see `CommandSpec.jsonLines`. */
export const jsonLinesFlag = {
  json: { kind: "bool", help: "Print what is done as JSON, an object a line." },
} as const satisfies FlagTable;

/** What plan, apply and destroy have in common. */
export const planningFlags = {
  ...variableFlags,
  ...stateFlags,
  ...viewFlags,
  destroy: { kind: "bool", help: "Plan to remove everything that the state holds." },
  "refresh-only": { kind: "bool", help: "Only take over into the state what has changed outside." },
  refresh: { kind: "bool", help: "Whether to read objects again before planning (default true)." },
  replace: {
    kind: "strings",
    value: "ADDRESS",
    help: "Replace an instance, whatever the plan would be. May be given several times.",
  },
  target: {
    kind: "strings",
    value: "ADDRESS",
    help: "Plan only this module, resource or instance and what it depends on. May be given several times.",
  },
  "target-file": {
    kind: "strings",
    value: "FILE",
    help: "The same for every address in a file, one a line; # begins a remark.",
  },
  exclude: {
    kind: "strings",
    value: "ADDRESS",
    help: "Plan all but this module, resource or instance and what depends on it. May be given several times.",
  },
  "exclude-file": {
    kind: "strings",
    value: "FILE",
    help: "The same for every address in a file, one a line; # begins a remark.",
  },
  "allow-deferral": {
    kind: "bool",
    help: "Put off what cannot be planned before something else is there, such as a count that is not known yet, instead of refusing it.",
  },
  "allow-destroy": {
    kind: "strings",
    value: "ADDRESS",
    help: "Let go what was protected by prevent_destroy when its block was last there. May be given several times.",
  },
  parallelism: { kind: "int", value: "N", help: "How many calls to providers may be under way (default 10)." },
  input: { kind: "bool", help: "Whether to ask for variables that have no value (default true)." },
} as const satisfies FlagTable;

/** A value of a planning flag that cannot be worked with: an address that is none, or nothing to do it with. */
export function badPlanningFlags(values: FlagValues<typeof planningFlags>): Diagnostic | undefined {
  const { parallelism, target, replace, exclude } = values;
  if (parallelism !== undefined && parallelism < 1) {
    const detail = `At least one call must be allowed at a time, and -parallelism=${parallelism} allows none. The default is 10.`;
    return errorDiagnostic("Invalid -parallelism", detail);
  }
  if (target.length + values["target-file"].length > 0 && exclude.length + values["exclude-file"].length > 0) {
    const detail =
      "A plan is about what -target names, or about all but what -exclude names: give one of the two, also as files.";
    return errorDiagnostic("Invalid combination of arguments", detail);
  }
  const noAddress = badAddress("target", target) ?? badAddress("exclude", exclude);
  if (noAddress) return noAddress;
  const noAllowed = badAddress("allow-destroy", values["allow-destroy"]);
  if (noAllowed) return noAllowed;
  const noInstance = replace.find((text) => parseAddress(text)?.kind !== "instance");
  if (noInstance === undefined) return undefined;
  const detail = `"${noInstance}" is not the address of a resource instance, such as terraform_data.a[0]. Addresses are listed by: state list`;
  return errorDiagnostic(`Invalid force-replace address`, detail);
}

/** What is said where -lock-scope is nothing that can be held. */
export function badLockScope({ "lock-scope": scope }: FlagValues<typeof lockScopeFlag>): Diagnostic | undefined {
  if (scope === undefined || scope === "state" || scope === "parts") return undefined;
  const detail = `A run holds the whole state ("state") or the parts that it changes ("parts"), and "${scope}" is neither.`;
  return errorDiagnostic("Invalid -lock-scope", detail);
}

/** What is said where something is not the address of a module, a resource or an instance. */
export function badAddress(flag: string, addresses: readonly string[]): Diagnostic | undefined {
  const wrong = addresses.find((text) => parseAddress(text) === undefined);
  if (wrong === undefined) return undefined;
  const detail = `"${wrong}" is not an address of a module, a resource or an instance. One looks like module.app, consul_keys.app or 'terraform_data.a["x"]' (in quotes for the shell). Addresses are listed by: state list`;
  return errorDiagnostic(`Invalid ${flag} "${wrong}"`, detail);
}

/** Whether init is to look after the backend. */
export function wantsBackend(occurrences: readonly GivenFlag[]): boolean {
  return onUnlessGiven(occurrences, "backend") && onUnlessGiven(occurrences, "cloud");
}

/** A flag that is true unless it was given as false. */
export function onUnlessGiven(occurrences: readonly GivenFlag[], name: string): boolean {
  const last = occurrences.filter((occurrence) => occurrence.name === name).at(-1);
  return last?.value !== false;
}
