import { invariant } from "@millwright/core/errors";
import { terraformProviderFunctions } from "@millwright/functions/provider-terraform";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { callFunction } from "@millwright/hcl/function-spec";
import type { ServedFunction } from "@millwright/provider/function";

/** `encode_tfvars`, `decode_tfvars` and `encode_expr`: the language's own, served as a provider's. */
export const terraformFunctions: Readonly<Record<string, ServedFunction>> = Object.fromEntries(
  ["encode_tfvars", "decode_tfvars", "encode_expr"].map((name) => {
    const spec = terraformProviderFunctions.get(`provider::terraform::${name}`);
    invariant(spec, `the language has ${name}`);
    return [name, served(spec)];
  }),
);

function served(spec: FunctionSpec): ServedFunction {
  const { returnType, parameters, description } = spec;
  invariant(typeof returnType !== "function", `${spec.name} has a return type of its own`);
  return {
    schema: {
      parameters: parameters.map(({ name, type, allowNull = false, allowUnknown = false }) => ({
        name,
        type,
        allowNull,
        allowUnknown,
      })),
      returnType,
      description,
    },
    call: (args) => {
      const result = callFunction(spec, args);
      return result.ok ? { ok: true, result: result.value, type: result.value.type } : result;
    },
  };
}
