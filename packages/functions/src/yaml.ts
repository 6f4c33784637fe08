import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { dynamicType, stringType } from "@millwright/value/types";
import { asString, isWhollyKnown, stringValue, unknownValue } from "@millwright/value/value";
import { refuse, text } from "./define.ts";
import type { Dialect } from "./dialect.ts";
import { decodeYaml } from "./yaml-decode.ts";
import { encodeYaml } from "./yaml-encode.ts";

const yamlencode: FunctionSpec = {
  name: "yamlencode",
  description: "The value as YAML in block style.",
  parameters: [{ name: "value", type: dynamicType, allowNull: true, allowDynamicType: true }],
  returnType: stringType,
  call: ([value]) => (isWhollyKnown(value!) ? stringValue(encodeYaml(value!)) : unknownValue(stringType)),
};

function yamldecode(dialect: Dialect): FunctionSpec {
  return {
    name: "yamldecode",
    description: "The value that a YAML document says.",
    parameters: [text("src")],
    returnType: dynamicType,
    call: ([src]) => {
      const decoded = decodeYaml(asString(src!), dialect);
      return decoded.ok ? decoded.value : refuse(decoded.error);
    },
  };
}

export function yamlFunctions(dialect: Dialect): readonly FunctionSpec[] {
  return [yamldecode(dialect), yamlencode];
}
