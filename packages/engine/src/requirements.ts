import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { allows, parseConstraints, parseVersion } from "@millwright/text/versions";
import type { Configuration } from "./configuration.ts";
import { servedTerraformVersion } from "./provider-pool.ts";

/** Where a configuration asks for a version of Terraform that this program does not serve. */
export function checkTerraformVersion(configuration: Configuration): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const served = parseVersion(servedTerraformVersion)!;
  for (const module of configuration.modules.values()) {
    for (const { constraint, range } of module.requiredVersions) {
      const constraints = parseConstraints(constraint);
      if (!constraints) {
        const detail = `"${constraint}" is not a version constraint. One looks like "~> 1.2", ">= 1.0, < 2.0" or "1.11.4".`;
        diagnostics.push(errorDiagnostic("Invalid version constraint", detail, { subject: range }));
      } else if (!allows(constraints, served)) {
        const detail = `This configuration asks for Terraform ${constraint}, and this program serves Terraform ${servedTerraformVersion}. Change required_version if the configuration works with it.`;
        diagnostics.push(errorDiagnostic("Unsupported Terraform Core version", detail, { subject: range }));
      }
    }
  }
  return diagnostics;
}
