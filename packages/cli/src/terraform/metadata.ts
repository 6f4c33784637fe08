import { systemChance, systemClock } from "@millwright/core/ports";
import { functionsFor } from "@millwright/functions/library";
import { nodeFiles } from "@millwright/functions/node-files";
import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { closureType, FunctionError } from "@millwright/hcl/function-spec";
import { typeToPlain } from "@millwright/value/type-json";
import type { Type } from "@millwright/value/types";
import { dynamicType } from "@millwright/value/types";
import { unknownValue } from "@millwright/value/value";
import { similar } from "@millwright/core/similar";
import type { CommandIo } from "../io.ts";
import { refuseWithoutJson, runCommand } from "./command.ts";
import { viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";

type Plain = Readonly<Record<string, unknown>>;

/** `metadata functions -json`: the signatures of all standard functions. */
export async function runMetadata(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const [name, ...rest] = args;
  if (name === "functions") return runFunctions(rest, io, style);
  const text = `Usage: ${style} metadata <subcommand> [flags]

Subcommands:
  functions   Show signatures and descriptions for the available functions

Example: ${style} metadata functions -json
`;
  if (name === "-help" || name === "-h" || name === "--help") {
    await io.stdout(text);
    return 0;
  }
  const near = name === undefined ? undefined : similar(name, ["functions"]);
  const what =
    name === undefined ? "" : `There is no metadata of "${name}".${near ? ` Did you mean "${near}"?` : ""}\n\n`;
  await io.stderr(`${what}${text}`);
  return 1;
}

function runFunctions(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json },
      usage: "metadata functions -json",
      about: "Prints the signatures of all standard functions in Terraform's documented format.",
      example: "metadata functions -json",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        if (!values.json) return refuseWithoutJson(session, "metadata functions");
        const library = functionsFor({
          dialect: "terraform",
          files: nodeFiles(session.folder),
          baseDir: ".",
          clock: systemClock,
          chance: systemChance,
          impure: "later",
          use: "configuration",
        });
        // `list` and `map` are there only to say what took their place.
        const names = [...library.keys()].filter((each) => !/^(core::)?(list|map)$/.test(each)).sort();
        const signatures = names.flatMap((each) => {
          const spec = library.get(each);
          return spec ? [[each, signature(spec)] as const] : [];
        });
        const document = { format_version: "1.0", function_signatures: Object.fromEntries(signatures) };
        await io.stdout(`${JSON.stringify(document)}\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function signature(spec: FunctionSpec): Plain {
  const { description, parameters, variadic } = spec;
  return {
    description,
    return_type: typeToPlain(returnType(spec)),
    ...(parameters.length > 0 ? { parameters: parameters.map(parameter) } : {}),
    ...(variadic ? { variadic_parameter: parameter(variadic) } : {}),
  };
}

function parameter({ name, type, description, allowNull }: Parameter): Plain {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(allowNull ? { is_nullable: true } : {}),
    type: typeToPlain(plainType(type)),
  };
}

// Where the type of a result follows from the arguments, what is known of it without them.
function returnType({ returnType: given, parameters, variadic }: FunctionSpec): Type {
  if (typeof given !== "function") return given;
  const all = variadic ? [...parameters, variadic] : parameters;
  try {
    return plainType(given(all.map(({ type }) => unknownValue(plainType(type)))));
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return dynamicType;
  }
}

/** An expression that a function takes as it stands may be of any type. */
function plainType(type: Type): Type {
  return type === closureType || type.kind === "capsule" ? dynamicType : type;
}
