import { appendFileSync } from "node:fs";
import type { Log, LogLevel } from "@millwright/core/ports";
import { silentLog } from "@millwright/core/ports";

const order: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

/**
 * What providers' programs log, as far as TF_LOG_PROVIDER or TF_LOG want it (`TRACE` … `ERROR`, `JSON`, `OFF`): to the file that
 * TF_LOG_PATH names, else to standard error.
 * Source: Terraform's documentation, "Debugging Terraform".
 */
export function providerLog(
  env: Readonly<Record<string, string | undefined>>,
  stderr: (text: string) => void,
  now: () => Date,
): Log {
  const wanted = (env.TF_LOG_PROVIDER || env.TF_LOG || "").toLowerCase();
  if (wanted === "" || wanted === "off") return silentLog;
  const isJson = wanted === "json";
  // A word that is no level means everything, as in the reference.
  const least = Math.max(0, order.indexOf(wanted as LogLevel));
  const path = env.TF_LOG_PATH;
  const put = path ? (text: string) => appendFileSync(path, text, { mode: 0o600 }) : stderr;
  return {
    write(level, message, fields = {}) {
      if (order.indexOf(level) < least) return;
      put(`${isJson ? asJson(level, message, fields, now()) : asText(level, message, fields, now())}\n`);
    },
  };
}

function asJson(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>, at: Date): string {
  return JSON.stringify({ "@level": level, "@message": message, "@timestamp": at.toISOString(), ...fields });
}

function asText(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>, at: Date): string {
  const told = Object.entries(fields)
    .filter(([name]) => name !== "@timestamp" && name !== "timestamp")
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${at.toISOString()} [${level.toUpperCase()}] ${message}${told.join("")}`;
}
