import type { FlagTable } from "../flags.ts";

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

export const viewFlags = {
  "no-color": { kind: "bool", help: "Print without colours." },
  "compact-warnings": { kind: "bool", help: "Print warnings in a line each, unless there are errors too." },
  json: { kind: "bool", help: "Print JSON, a document or a line each, as Terraform does." },
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
  parallelism: { kind: "int", value: "N", help: "How many calls to providers may be under way (default 10)." },
  input: { kind: "bool", help: "Whether to ask for variables that have no value (default true)." },
} as const satisfies FlagTable;

/** A flag that is true unless it was given as false. */
export function onUnlessGiven(occurrences: readonly GivenFlag[], name: string): boolean {
  const last = occurrences.filter((occurrence) => occurrence.name === name).at(-1);
  return last?.value !== false;
}
