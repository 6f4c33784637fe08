import { execFileSync } from "node:child_process";
import { devNull } from "node:os";
import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { closureType } from "@millwright/hcl/function-spec";
import { typeToJson } from "@millwright/value/type-json";
import { stringType } from "@millwright/value/types";
import { expect, test } from "vitest";
import { functionsFor } from "../src/library.ts";
import { memoryFiles } from "../src/memory-files.ts";

/** Holds names, parameters and their types to what the real Terraform says of its functions (`metadata functions`). */
interface Signatures {
  readonly function_signatures: Readonly<Record<string, Signature>>;
}

interface Signature {
  readonly parameters?: readonly ParameterSignature[];
  readonly variadic_parameter?: ParameterSignature;
}

interface ParameterSignature {
  readonly name: string;
  readonly type: unknown;
  readonly is_nullable?: boolean;
}

const functions = functionsFor({
  dialect: "terraform",
  files: memoryFiles({}),
  baseDir: ".",
  clock: { now: () => 0 },
  chance: { bytes: (length) => new Uint8Array(length), uuid: () => "" },
  impure: "later",
  use: "configuration",
});

/** No configuration of whoever runs this. */
const environment = { ...process.env, TF_CLI_CONFIG_FILE: devNull, CHECKPOINT_DISABLE: "1" };

test("the functions are Terraform's, with its parameters", () => {
  const said: Signatures = JSON.parse(
    execFileSync("terraform", ["metadata", "functions", "-json"], { encoding: "utf8", env: environment }),
  );
  const theirs = Object.fromEntries(
    Object.entries(said.function_signatures).map(([name, { parameters = [], variadic_parameter }]) => {
      return [
        name,
        [
          ...parameters.map(shownSignature),
          ...(variadic_parameter ? [`...${shownSignature(variadic_parameter)}`] : []),
        ],
      ];
    }),
  );
  const ours = Object.fromEntries(
    // It does not tell of those that were removed.
    [...functions.keys()]
      .filter((name) => !/^(?:core::)?(?:list|map)$/.test(name))
      .map((name) => [name, shownSpec(functions.get(name)!)]),
  );
  expect(ours).toEqual(theirs);
});

function shownSignature({ name, type, is_nullable }: ParameterSignature): string {
  return `${name} ${JSON.stringify(type)}${is_nullable ? "?" : ""}`;
}

function shownSpec({ name, parameters, variadic }: FunctionSpec): string[] {
  const shown = (parameter: Parameter) => shownParameter(name, parameter);
  return [...parameters.map(shown), ...(variadic ? [`...${shown(variadic)}`] : [])];
}

/** What is given unevaluated has no type of its own in what Terraform says: dynamic, but for the template, a string. */
function shownParameter(name: string, parameter: Parameter): string {
  const isTemplate = name === "templatestring";
  const type =
    parameter.type !== closureType ? typeToJson(parameter.type) : isTemplate ? typeToJson(stringType) : '"dynamic"';
  // Of a parameter that takes the rest it does not say whether it takes null.
  return `${parameter.name} ${type}${parameter.allowNull ? "?" : ""}`;
}
