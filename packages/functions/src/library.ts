import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import { assumptionFunctions } from "./assumptions.ts";
import { attemptFunctions } from "./attempts.ts";
import { csvFunctions } from "./csv.ts";
import { dateTimeFunctions } from "./date-time.ts";
import { elementFunctions } from "./elements.ts";
import { encodingFunctions } from "./encoding.ts";
import type { Environment } from "./environment.ts";
import { filesystemFunctions } from "./filesystem.ts";
import { formattingFunctions } from "./formatting.ts";
import { hashCryptoFunctions } from "./hash-crypto.ts";
import { ipNetworkFunctions } from "./ip-network.ts";
import { jsonFunctions } from "./json.ts";
import { mappingFunctions } from "./mappings.ts";
import { markFunctions } from "./marks.ts";
import { numericFunctions } from "./numeric.ts";
import { patternFunctions } from "./patterns.ts";
import { removedFunctions } from "./removed.ts";
import { sequenceFunctions } from "./sequences.ts";
import { setFunctions } from "./sets.ts";
import { stringFunctions } from "./strings.ts";
import { templateFunctions } from "./template.ts";
import { consoleFunctions, openTofuConversionFunctions, typeConversionFunctions } from "./type-conversion.ts";
import { yamlFunctions } from "./yaml.ts";

/**
 * The standard functions by name, each also as `core::name`: Terraform 1.11's, or OpenTofu's with its further ones, as the
 * environment's dialect says. `further` are functions of providers (`provider::x::y`); templates may call them too.
 *
 * Made once for a configuration; a function does nothing but compute, except through the environment's ports.
 */
export function functionsFor(environment: Environment, further?: Lookup<FunctionSpec>): Lookup<FunctionSpec> {
  const byName = new Map<string, FunctionSpec>();
  const all: Lookup<FunctionSpec> = {
    get: (name) => byName.get(name) ?? further?.get(name),
    keys: () => (further ? [...byName.keys(), ...further.keys()] : byName.keys()),
  };
  for (const spec of standardFunctions(environment, () => all)) {
    byName.set(spec.name, spec);
    byName.set(`core::${spec.name}`, spec);
  }
  return all;
}

/** The standard functions without their second names, in no order. */
function standardFunctions(environment: Environment, all: () => Lookup<FunctionSpec>): readonly FunctionSpec[] {
  const { dialect, use } = environment;
  const functions = [
    ...attemptFunctions,
    ...csvFunctions,
    ...dateTimeFunctions(environment),
    ...elementFunctions(dialect),
    ...encodingFunctions(dialect),
    ...filesystemFunctions(environment),
    ...formattingFunctions(dialect),
    ...hashCryptoFunctions(environment),
    ...ipNetworkFunctions(dialect),
    ...jsonFunctions,
    ...mappingFunctions,
    ...markFunctions,
    ...numericFunctions,
    ...patternFunctions,
    ...removedFunctions(dialect),
    ...sequenceFunctions,
    ...setFunctions,
    ...stringFunctions,
    ...templateFunctions(environment, all),
    ...typeConversionFunctions,
    ...yamlFunctions(dialect),
    ...(dialect === "opentofu" ? [...assumptionFunctions, ...openTofuConversionFunctions] : []),
    ...(use === "console" ? consoleFunctions : []),
  ];
  return use === "console" ? functions.filter(({ name }) => name !== "plantimestamp") : functions;
}
