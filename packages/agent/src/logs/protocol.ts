import { openSync } from "node:fs";
import { join } from "node:path";
import type { FollowedContainer } from "../driver/driver.ts";
import type { LoggedName, LogsStatus } from "./logs.ts";

/** A task as the log process knows it. */
export interface Attached extends LoggedName {
  readonly stdout: string;
  readonly stderr: string;
  /** Where the log files are. */
  readonly folder: string;
  readonly maxFiles: number;
  readonly maxBytes: number;
  /** What it reads beside the FIFOs. */
  readonly container?: FollowedContainer;
}

/** Raised with each change of what is asked, told or kept. */
export const logProtocol = 1;

/** What an agent asks, a line of JSON each. */
export type LogRequest =
  | { readonly id: number; readonly ask: "attach"; readonly task: Attached }
  | { readonly id: number; readonly ask: "follow"; readonly task: LoggedName; readonly container: FollowedContainer }
  | { readonly id: number; readonly ask: "drain"; readonly task: LoggedName; readonly container: FollowedContainer }
  | { readonly id: number; readonly ask: "detach"; readonly task: LoggedName }
  | { readonly id: number; readonly ask: "status" };

/** What it is told. */
export type LogAnswer =
  | { readonly id: number; readonly status?: LogsStatus }
  | { readonly id: number; readonly fault: string };

export const keyOf = ({ allocation, task }: LoggedName): string => `${allocation}/${task}`;

/** The files of the log process, in a folder of its own in the agent's data folder. */
export const logProcessFiles = {
  /** Who works here: a process identity. */
  holder: "log-process",
  socket: "socket",
  /** The tasks that are attached, so that the next process goes on. */
  attached: "attached.json",
  /** What the process said when it failed. */
  faults: "faults",
} as const;

/**
 * An address for a socket in a folder. The kernel takes 107 bytes; where the path is longer, a descriptor of the folder, kept
 * open from then on, stands for it.
 */
export function socketAddress(folder: string): string {
  const path = join(folder, logProcessFiles.socket);
  if (Buffer.byteLength(path) <= longestAddress) return path;
  return `/proc/self/fd/${openSync(folder, "r")}/${logProcessFiles.socket}`;
}

const longestAddress = 107;

/** Cuts what comes into lines, whatever pieces it comes in. */
export function lineReader(onLine: (line: string) => void): (piece: string) => void {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
