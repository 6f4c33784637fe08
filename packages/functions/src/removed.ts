import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { dynamicType } from "@millwright/value/types";
import { refuse } from "./define.ts";
import type { Dialect } from "./dialect.ts";

/** Functions that once were: they say what to write in their place. */
export function removedFunctions(dialect: Dialect): readonly FunctionSpec[] {
  const where = dialect === "opentofu" ? "is not available in OpenTofu" : "is no longer available";
  const removed = (name: string, replacement: string): FunctionSpec => ({
    name,
    description: `Removed; write ${replacement}.`,
    parameters: [],
    variadic: { name: "vals", type: dynamicType, allowNull: true, allowUnknown: true, allowDynamicType: true },
    returnType: () =>
      refuse(
        `the "${name}" function was deprecated in Terraform v0.12 and ${where}; use ${replacement} syntax to write a literal ${name}`,
      ),
    call: () => refuse(`there is no function ${name} any more`),
  });
  return [removed("list", "tolist([ ... ])"), removed("map", "tomap({ ... })")];
}
