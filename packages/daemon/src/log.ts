import type { Clock, Log, LogLevel } from "@millwright/core/ports";

export const logLevels: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

/**
 * A log as lines of text (`2016-11-21T10:00:00.000Z [INFO]  server: listening: address=127.0.0.1:8500`), from `level` on.
 */
export function lineLog(level: LogLevel, clock: Clock, write: (line: string) => void): Log {
  const least = logLevels.indexOf(level);
  return {
    write: (lineLevel, message, fields = {}) => {
      if (logLevels.indexOf(lineLevel) < least) return;
      const tag = `[${lineLevel.toUpperCase()}]`.padEnd(7);
      const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`);
      write(
        `${new Date(clock.now()).toISOString()} ${tag} ${message}${pairs.length > 0 ? `:${pairs.join("")}` : ""}\n`,
      );
    },
  };
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
