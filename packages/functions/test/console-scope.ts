import { fileURLToPath } from "node:url";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup, Scope } from "@millwright/hcl/scope";
import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  dynamicValue,
  ephemeral,
  listValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  stringValue,
  tupleValue,
} from "@millwright/value/value";

/** The module that console cases are asked in. */
export const moduleFolder = fileURLToPath(new URL("../testdata/console/module", import.meta.url));

/** What expressions see in that module (its `main.tf`), where nothing has been applied yet. */
export function moduleScope(functions: Lookup<FunctionSpec>): Scope {
  const variables: Record<string, Value> = {
    var: objectValue({
      broken: stringValue("Hello, ${name"),
      calls: stringValue("${upper(name)}"),
      greeting: stringValue("Hello, ${name}!"),
      private_key: nullValue(stringType),
      secret: mark(stringValue("hunter2"), sensitive),
      secret_list: mark(listValue([stringValue("b"), stringValue("a")]), sensitive),
      secret_number: mark(numberValue(42), sensitive),
      token: mark(stringValue("t-123"), ephemeral),
    }),
    local: objectValue({
      key: stringValue("a"),
      loop: stringValue("%{ for x in list }${x},%{ endfor }"),
      nothing: nullValue({ kind: "dynamic" }),
      number: numberValue(12),
      templates: objectValue({
        a: stringValue("Hi ${name}"),
        b: tupleValue([stringValue("x${name}")]),
        c: stringValue("${name}"),
      }),
    }),
    path: objectValue({ module: stringValue("."), root: stringValue("."), cwd: stringValue(moduleFolder) }),
    terraform_data: objectValue({ pending: dynamicValue }),
  };
  return { variables: new Map(Object.entries(variables)), functions };
}
