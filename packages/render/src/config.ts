import type { LogLevel } from "@millwright/core/ports";
import type { Command } from "@millwright/process/process";
import type { FollowSettings } from "./follow.ts";

/** What to render, how often, and what to do then. Times are milliseconds. */
export interface RenderConfig {
  readonly templates: readonly TemplateSpec[];
  /** A program that runs beside the templates: started when all are rendered. */
  readonly child?: ChildSpec;
  /** `once` ends when every template has been rendered, `follow` goes on rendering what changes. */
  readonly mode: "once" | "follow";
  /** Print what would be written, and write nothing. */
  readonly isDry: boolean;
  readonly wait?: WaitSpec;
  readonly follow: FollowSettings;
  /** Keep the Vault token itself alive. */
  readonly renewsToken: boolean;
  /** What `env` and started programs see. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start. */
  readonly folder: string;
}

export interface TemplateSpec {
  /** What messages call it: the file's path as it was given, or where the text stands. */
  readonly name: string;
  readonly text: string;
  /** Undefined only where it is printed. */
  readonly destination?: string;
  readonly command?: CommandSpec;
  readonly delimiters?: { readonly left: string; readonly right: string };
  /** Its mode bits; those of the file that is there, or 0644. */
  readonly permissions?: number;
  /** Names or numbers. */
  readonly user?: string;
  readonly group?: string;
  /** Keep what was there beside it, with `.bak`. */
  readonly keepsBackup: boolean;
  readonly makesFolders: boolean;
  /** A field that a map does not have: an error, or `<no value>`. */
  readonly missingKey: "default" | "error";
  /** Whether an error in it ends everything, or only leaves its file as it is. */
  readonly errorIsFatal: boolean;
  /** Names of functions that it may not call, with `*` for any part. */
  readonly deniedFunctions: readonly string[];
  readonly sandbox?: string;
  /** Asked before each writing, where others may change the folders on the way; rejects where the file is not to be written there now. */
  readonly checkPlace?: () => Promise<unknown>;
  /** In place of the general one; `none` renders each change at once. */
  readonly wait?: WaitSpec | "none";
}

/** A change is rendered when nothing more has come for `least`, and after `most` in any case. */
export interface WaitSpec {
  readonly least: number;
  readonly most: number;
}

/** Run when the file's content has changed. */
export interface CommandSpec {
  readonly command: Command;
  readonly timeout: number;
  readonly killSignal: NodeJS.Signals;
  readonly killTimeout: number;
  readonly environment: EnvironmentFilter;
}

export interface ChildSpec {
  readonly command: Command;
  readonly environment: EnvironmentFilter;
  readonly killSignal: NodeJS.Signals;
  readonly killTimeout: number;
  /** Sent when a file has changed; without one the program is started anew. */
  readonly reloadSignal?: NodeJS.Signals;
  /** A random time up to this passes before it is reloaded, so that many machines do not do it at once. */
  readonly splay: number;
}

/** Which variables a program sees: `custom` ones always; of the others none where `isPristine`, else the allowed ones. */
export interface EnvironmentFilter {
  readonly isPristine: boolean;
  /** `NAME=value`. */
  readonly custom: readonly string[];
  /** Names with `*` for any part; empty allows all. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}

/** A line for whoever runs it. */
export interface Notice {
  readonly level: LogLevel;
  readonly message: string;
}
