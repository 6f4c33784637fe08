import { hostname, userInfo } from "node:os";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { backendErrors } from "./errors.ts";

/** Who holds a state and since when: Terraform's lock info, kept with the state for people to read. */
export interface LockInfo {
  readonly ID: string;
  readonly Operation: string;
  readonly Info: string;
  readonly Who: string;
  readonly Version: string;
  readonly Created: string;
  readonly Path: string;
}

/** The lock info of this process, for one operation (`OperationTypePlan`, `OperationTypeApply`, …). */
export function newLockInfo(
  what: { readonly operation: string; readonly version: string; readonly path: string },
  { clock, chance }: { readonly clock: Clock; readonly chance: Chance },
): LockInfo {
  return {
    ID: chance.uuid(),
    Operation: what.operation,
    Info: "",
    Who: `${userName()}@${hostname()}`,
    Version: what.version,
    Created: new Date(clock.now()).toISOString(),
    Path: what.path,
  };
}

/** The name of who runs this; its number where it has none. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

/** Reads lock info as Terraform writes it; undefined for anything else. */
export function parseLockInfo(text: string | Uint8Array): LockInfo | undefined {
  let plain: unknown;
  try {
    plain = JSON.parse(typeof text === "string" ? text : Buffer.from(text).toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof plain !== "object" || plain === null) return undefined;
  const fields = plain as Readonly<Record<string, unknown>>;
  const word = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  if (word("ID") === "") return undefined;
  return {
    ID: word("ID"),
    Operation: word("Operation"),
    Info: word("Info"),
    Who: word("Who"),
    Version: word("Version"),
    Created: word("Created"),
    Path: word("Path"),
  };
}

/** That somebody else holds a state: who, since when, and what to do. `why` says more where nothing is known of the holder. */
export function lockedError(place: string, holder: LockInfo | undefined, why?: string): OperationalError {
  const who = holder
    ? `${holder.Who} since ${holder.Created}

Lock Info:
  ID:        ${holder.ID}
  Path:      ${holder.Path}
  Operation: ${holder.Operation}
  Who:       ${holder.Who}
  Version:   ${holder.Version}
  Created:   ${holder.Created}
`
    : `${why ?? "another process (which left no word of who it is)"}.`;
  const advice =
    "A state can be worked on by one run at a time. Wait for that run to end, or wait here with -lock-timeout=5m.";
  return new OperationalError(backendErrors.stateLocked, `The state ${place} is held by ${who}\n${advice}`);
}
