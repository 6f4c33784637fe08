import { chownSync, readFileSync } from "node:fs";
import { OperationalError } from "@millwright/core/errors";
import { similar } from "@millwright/core/similar";
import type { TaskOutput } from "./driver.ts";
import { driverErrors } from "./errors.ts";

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** A user of this machine, as /etc/passwd has it; rejects with `driverErrors.configuration` where it does not. */
export function userNamed(name: string): SystemUser {
  const lines = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const found = lines.find((fields) => fields[0] === name);
  if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  const near = similar(
    name,
    lines.map((fields) => fields[0] ?? ""),
  );
  const text = `The task is to run as user "${name}", and /etc/passwd of this node has no such user${near ? `, but "${near}"` : ""}. Make it there, or change the task's user.`;
  throw new OperationalError(driverErrors.configuration, text);
}

export function giveOutputs({ stdout, stderr }: TaskOutput, { uid, gid }: SystemUser): void {
  for (const fifo of [stdout, stderr]) chownSync(fifo, uid, gid);
}

/** By these a program's loader, and its shell, run what somebody else names. */
const steering = /^(LD_|BASH_|(GCONV_PATH|GLIBC_TUNABLES|SHELLOPTS|BASHOPTS|PS4|ENV)$)/;

/**
 * Checks the environment of a task that runs as another user: its shim has it too, and is the agent's user. What is the agent's own is
 * as it is. Rejects with `driverErrors.configuration`.
 */
export function checkSteering(
  env: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string | undefined>>,
  user: string,
): void {
  const name = Object.keys(env).find((one) => steering.test(one) && env[one] !== own[one]);
  if (name === undefined) return;
  const text = `The task runs as user ${user}, and its environment has ${name}, by which what starts it could be made to do something else. Set it in the task's own script, or remove the task's user.`;
  throw new OperationalError(driverErrors.configuration, text);
}
