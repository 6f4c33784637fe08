import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { allows, parseConstraints, parseVersion } from "@millwright/text/versions";
import { providerSourceShort } from "./addresses.ts";
import type { Configuration } from "./configuration.ts";
import type { ProviderRegistry } from "./ports.ts";
import { servedTerraformVersion } from "./provider-pool.ts";

/** What a configuration asks of the program's and its providers' versions, where that is not met. */
export function checkRequirements(configuration: Configuration, registry: ProviderRegistry): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const served = parseVersion(servedTerraformVersion)!;
  for (const module of configuration.modules.values()) {
    for (const { constraint, range } of module.requiredVersions) {
      const constraints = parseConstraints(constraint);
      if (!constraints) diagnostics.push(badConstraint(constraint, range));
      else if (!allows(constraints, served)) {
        const detail = `This configuration asks for Terraform ${constraint}, and this program serves Terraform ${servedTerraformVersion}. Change required_version if the configuration works with it.`;
        diagnostics.push(errorDiagnostic("Unsupported Terraform Core version", detail, { subject: range }));
      }
    }
    for (const requirement of module.requiredProviders.values()) {
      const offer = registry.find(requirement.source);
      const version = offer && parseVersion(offer.version);
      for (const text of requirement.versions) {
        const constraints = parseConstraints(text);
        if (!constraints) diagnostics.push(badConstraint(text, requirement.range));
        else if (offer && version && !allows(constraints, version)) {
          const detail = `The configuration asks for ${providerSourceShort(requirement.source)} ${text}, and the one that is ${offer.origin === "built-in" ? "built in" : "installed"} is version ${offer.version}. Change the constraint if the configuration works with that version.`;
          diagnostics.push(errorDiagnostic("Unsuitable provider version", detail, { subject: requirement.range }));
        }
      }
    }
  }
  return diagnostics;
}

function badConstraint(text: string, subject: Diagnostic["subject"]): Diagnostic {
  const detail = `"${text}" is not a version constraint. One looks like "~> 1.2", ">= 1.0, < 2.0" or "1.11.4".`;
  return errorDiagnostic("Invalid version constraint", detail, subject ? { subject } : {});
}
