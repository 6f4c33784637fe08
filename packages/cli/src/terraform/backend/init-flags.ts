import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { FlagTable, FlagValues } from "../../flags.ts";
import type { InitOutput } from "../../init/init-output.ts";
import { type GivenFlag, ignoreRemoteVersion, onUnlessGiven, stateFlags } from "../options.ts";
import type { Session } from "../session.ts";
import { initializeBackend } from "./initialize.ts";

/** What `init` may be told about the folder's backend. */
export const backendFlags = {
  backend: { kind: "bool", help: "Whether to set up the backend (default true)." },
  cloud: { kind: "bool", help: "The same as -backend, by the name of the hosted service." },
  "backend-config": {
    kind: "strings",
    value: "FILE|NAME=VALUE",
    help: "Settings to be laid over the backend block. May be given several times.",
  },
  reconfigure: { kind: "bool", help: "Use the backend as it is configured now, and leave what is in another." },
  "migrate-state": { kind: "bool", help: "Take the states along when the backend changes." },
  "force-copy": { kind: "bool", help: "Answer every question about copying states with yes; means -migrate-state." },
  "ignore-remote-version": ignoreRemoteVersion,
  lock: stateFlags.lock,
  "lock-timeout": stateFlags["lock-timeout"],
} as const satisfies FlagTable;

type Values = FlagValues<typeof backendFlags>;

export interface BackendPart {
  readonly session: Session;
  readonly values: Values;
  readonly occurrences: readonly GivenFlag[];
  readonly output: InitOutput;
}

/** The part of `init` that is about the backend. False where it failed, which was reported. */
export async function runBackendPart(call: BackendPart): Promise<boolean> {
  const { session, values, occurrences, output } = call;
  const migrates = values["migrate-state"] || values["force-copy"];
  if (migrates && values.reconfigure) {
    const detail =
      "-reconfigure leaves the states where they are, and -migrate-state takes them along. Give one of them.";
    await session.report([
      errorDiagnostic("The -migrate-state and -reconfigure options are mutually-exclusive.", detail),
    ]);
    return false;
  }
  const { TF_INPUT } = session.io.env;
  const asks = onUnlessGiven(occurrences, "input") && !/^(0|f|false)$/i.test(TF_INPUT ?? "");
  return initializeBackend(session, {
    occurrences,
    output,
    partial: values["backend-config"],
    change: values.reconfigure ? "reconfigure" : migrates ? "migrate" : "refuse",
    questions: values["force-copy"] ? "yes" : asks ? "ask" : "refuse",
    lock: onUnlessGiven(occurrences, "lock") ? { timeout: values["lock-timeout"] ?? 0 } : "none",
  });
}
