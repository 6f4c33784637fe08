import type { EnvironmentFilter } from "./config.ts";
import { matchesAny } from "./name-pattern.ts";

/** The environment that a program is started with. */
export function filterEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  { isPristine, custom, allowed, denied }: EnvironmentFilter,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [name, value] of isPristine ? [] : Object.entries(environment)) {
    if (value === undefined || matchesAny(name, denied)) continue;
    if (allowed.length === 0 || matchesAny(name, allowed)) result[name] = value;
  }
  for (const pair of custom) {
    const equals = pair.indexOf("=");
    result[equals < 0 ? pair : pair.slice(0, equals)] = equals < 0 ? "" : pair.slice(equals + 1);
  }
  return result;
}
