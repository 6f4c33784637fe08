import { evaluate } from "@millwright/hcl/evaluate";
import { closureType, parameterAt } from "@millwright/hcl/function-spec";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import type { Value } from "@millwright/value/value";
import { listValue, mark, numberValue, objectValue, sensitive, stringValue } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import type { Dialect } from "./dialect.ts";
import { functionsFor } from "./library.ts";
import { memoryFiles } from "./memory-files.ts";
import { terraformProviderFunctions } from "./provider-terraform.ts";

/** Texts and numbers that most functions find something wrong with. */
const secrets: readonly Value[] = [
  ...["hunter2-[%z", "2018-hunter2", "{hunter2", 'hunter2,hunter2\nx,"hunter2', "hunter2: *hunter2", "(hunter2"].map(
    stringValue,
  ),
  numberValue(987654.5),
  numberValue(-987654),
  listValue([stringValue("hunter2"), stringValue("hunter2")]),
  objectValue({ hunter2: stringValue("hunter2") }),
].map((value) => mark(value, sensitive));
const others = ['"x"', "1", '"10.0.0.0/8"', '["x"]', "{ a = 1 }", '"%d"', '"2018-01-01T00:00:00Z"'];

describe.each(["terraform", "opentofu"] as const)("%s", (dialect: Dialect) => {
  const functions = functionsFor(
    {
      dialect,
      files: memoryFiles({ x: "${upper(a)}" }),
      baseDir: ".",
      clock: { now: () => 0 },
      chance: { bytes: (length) => new Uint8Array(length), uuid: () => "" },
      impure: "now",
      use: "configuration",
    },
    terraformProviderFunctions,
  );
  const names = [...functions.keys()].filter((name) => !name.startsWith("core::") && name !== "bcrypt");

  test.each(names)("no error of %s tells of a sensitive argument", (name) => {
    const spec = functions.get(name)!;
    const count = spec.parameters.length + (spec.variadic ? 1 : 0);
    for (const secret of secrets) {
      for (const other of others) {
        for (let at = 0; at < count; at++) {
          if (parameterAt(spec, at)!.type === closureType) continue;
          const args = Array.from({ length: count }, (_, i) => (i === at ? "secret" : other));
          const { value } = parseExpression(sourceFile("test", `${name}(${args.join(", ")})`));
          const { diagnostics } = evaluate(value, { variables: new Map([["secret", secret]]), functions });
          expect(JSON.stringify(diagnostics)).not.toMatch(/hunter2|987654/);
        }
      }
    }
  });
});
