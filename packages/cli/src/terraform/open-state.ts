import { systemChance, systemClock } from "@millwright/core/ports";
import { defaultStateName, LocalState, type LocalStateOptions } from "@millwright/engine/backend/local-state";
import type { StateLock } from "@millwright/engine/backend/lock";
import { lockState } from "@millwright/engine/backend/lock";
import { productVersion } from "../product.ts";
import type { GivenFlag } from "./options.ts";
import { onUnlessGiven } from "./options.ts";
import type { Session } from "./session.ts";

/** Where a state is kept, with the lock of this run on it. */
export interface OpenState {
  readonly local: LocalState;
  release(): void;
}

export interface StateOptions {
  /** As on the command line; undefined is the default name. */
  readonly path: string | undefined;
  /** What the state is held for while the command runs, and how long to wait for another holder, in milliseconds. */
  readonly lock: { readonly operation: string; readonly timeout: number } | "none";
  readonly out?: string;
  readonly backup?: string;
}

/** Takes and reads a state. Undefined where it cannot be read, which was reported. */
export async function openState(session: Session, options: StateOptions): Promise<OpenState | undefined> {
  const path = session.path(options.path ?? session.instance?.statePath ?? defaultStateName);
  const where: LocalStateOptions = {
    ...(options.out === undefined ? {} : { out: session.path(options.out) }),
    ...(options.backup === undefined
      ? {}
      : { backup: options.backup === "-" ? options.backup : session.path(options.backup) }),
  };
  const lock = await take(session, where.out ?? path, options.lock);
  const release = () => lock?.release();
  try {
    const opened = LocalState.open(path, () => systemChance.uuid(), where);
    if (await session.report(opened.diagnostics)) return { local: opened.value, release };
  } catch (error) {
    release();
    throw error;
  }
  release();
  return undefined;
}

/** Reads a state that is only looked at. */
export function readState(session: Session, path: string | undefined): Promise<OpenState | undefined> {
  return openState(session, { path, lock: "none" });
}

async function take(session: Session, path: string, lock: StateOptions["lock"]): Promise<StateLock | undefined> {
  if (lock === "none") return undefined;
  const { operation, timeout } = lock;
  const { signal } = session.io;
  const ports = { clock: systemClock, chance: systemChance };
  return lockState({ path, operation, version: productVersion, timeout, signal, ...ports });
}

/** The state options that flags ask for. */
export function stateOptions(
  values: {
    readonly state: string | undefined;
    readonly "lock-timeout": number | undefined;
    readonly "state-out"?: string | undefined;
    readonly backup?: string | undefined;
  },
  occurrences: readonly GivenFlag[],
  operation: string,
): StateOptions {
  const { state, "state-out": out, backup } = values;
  return {
    path: state,
    lock: onUnlessGiven(occurrences, "lock") ? { operation, timeout: values["lock-timeout"] ?? 0 } : "none",
    ...(out === undefined ? {} : { out }),
    ...(backup === undefined ? {} : { backup }),
  };
}
