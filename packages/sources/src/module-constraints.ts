import { allows, compareVersions, type Constraint, parseVersion } from "@millwright/text/versions";

/** Whether a module's version is allowed: a prerelease only where it is asked for by name. */
export function isAllowedModule(text: string, constraints: readonly Constraint[]): boolean {
  const version = parseVersion(text);
  if (!version) return false;
  const isNamed = constraints.some((one) => one.operator === "=" && compareVersions(one.version, version) === 0);
  return (version.prerelease === "" || isNamed) && allows(constraints, version);
}
