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
