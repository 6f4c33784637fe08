import { appendFileSync } from "node:fs";
import { messageOf } from "@millwright/core/errors";
import type { Log, LogLevel } from "@millwright/core/ports";
import { silentLog, systemClock } from "@millwright/core/ports";
import { shownSource } from "@millwright/sources/module-source";

const order: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

/** Whose log it is: the program's own, or that of providers' programs. */
export type LogPart = "core" | "provider";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a part logs, as far as TF_LOG_CORE or TF_LOG_PROVIDER, else TF_LOG, want it (`TRACE` … `ERROR`, `JSON`, `OFF`): to the
 * file that TF_LOG_PATH names, else to standard error.
 * Source: Terraform's documentation, "Debugging Terraform".
 */
export function debugLog(
  part: LogPart,
  env: Environment,
  stderr: (text: string) => void,
  now: () => Date = () => new Date(systemClock.now()),
): Log {
  const wanted = wantedLevel(part, env);
  if (wanted === "" || wanted === "off") return silentLog;
  const isJson = wanted === "json";
  // A word that is no level means everything, as in the reference.
  const least = Math.max(0, order.indexOf(wanted as LogLevel));
  const path = env.TF_LOG_PATH;
  const put = path ? fileOr(stderr, path) : stderr;
  return {
    write(level, message, fields = {}) {
      if (order.indexOf(level) < least) return;
      put(`${isJson ? asJson(level, message, fields, now()) : asText(level, message, fields, now())}\n`);
    },
  };
}

/** Writes into a file; where that cannot be, says so once, and goes on where it is read as well. */
function fileOr(stderr: (text: string) => void, path: string): (text: string) => void {
  let put = (text: string) => {
    try {
      appendFileSync(path, text, { mode: 0o600 });
    } catch (error) {
      put = stderr;
      put(`The log cannot be written to TF_LOG_PATH, and goes on here: ${messageOf(error)}\n${text}`);
    }
  };
  return (text) => put(text);
}

function wantedLevel(part: LogPart, env: Environment): string {
  return (env[`TF_LOG_${part.toUpperCase()}`] || env.TF_LOG || "").toLowerCase();
}

/** A variable that is set to no level, and what is done with it; undefined where all are levels. */
export function unknownLogLevel(env: Environment): string | undefined {
  const [name, text] =
    ["TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER"]
      .map((variable) => [variable, env[variable] ?? ""] as const)
      .find(([, level]) => level !== "" && !["off", "json", ...order].includes(level.toLowerCase())) ?? [];
  if (name === undefined) return undefined;
  return `${name} is ${JSON.stringify(text)}, which is no level, so everything is logged. The levels are TRACE, DEBUG, INFO, WARN, ERROR, JSON and OFF.`;
}

/**
 * The words of a command line as a log may have them: without the values of variables and settings, and without keys in addresses,
 * which may be secret.
 */
export function loggedArguments(args: readonly string[]): string {
  const hidden = args.map((arg, at) => {
    const [, name] = /^(-{1,2}(?:var|backend-config)=?[^=]*)=/.exec(arg) ?? [];
    if (name !== undefined) return `${name}=…`;
    return /^-{1,2}(?:var|backend-config)$/.test(args[at - 1] ?? "") ? `${arg.split("=")[0]}=…` : shownSource(arg);
  });
  return hidden.join(" ");
}

function asJson(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>, at: Date): string {
  return JSON.stringify({ "@level": level, "@message": message, "@timestamp": at.toISOString(), ...fields });
}

function asText(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>, at: Date): string {
  const told = Object.entries(fields)
    .filter(([name]) => name !== "@timestamp" && name !== "timestamp")
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${at.toISOString()} ${`[${level.toUpperCase()}]`.padEnd(7)} ${message}${told.join("")}`;
}
