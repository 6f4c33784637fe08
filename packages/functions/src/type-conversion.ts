import { formatRange } from "@millwright/core/source";
import { applyDefaults } from "@millwright/hcl/type-defaults";
import type { TypeConstraint } from "@millwright/hcl/type-constraint";
import { typeConstraint } from "@millwright/hcl/type-constraint";
import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { closureOf, closureType } from "@millwright/hcl/function-spec";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { friendlyName, friendlyNameForConstraint } from "@millwright/value/friendly";
import type { Type } from "@millwright/value/types";
import {
  boolType,
  capsuleType,
  dynamicType,
  listType,
  mapType,
  numberType,
  setType,
  stringType,
} from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { capsuleValue, ephemeral, isMarkedDeep, sensitive, unknownValue } from "@millwright/value/value";
import { refuse } from "./define.ts";

const any: Omit<Parameter, "name"> = { type: dynamicType, allowNull: true, allowMarked: true, allowDynamicType: true };

function conversionTo(name: string, wanted: Type): FunctionSpec {
  return {
    name,
    description: `The value converted to ${friendlyNameForConstraint(wanted)}.`,
    parameters: [{ ...any, name: "v" }],
    returnType: ([value]) => {
      const { type } = value!;
      if (!convert(unknownValue(type), wanted).ok) refuseConversion(friendlyName(type), wanted);
      return wanted;
    },
    call: ([value]) => {
      const result = convert(value!, wanted);
      return result.ok ? result.value : refuseValue(value!, wanted);
    },
  };
}

function refuseConversion(what: string, wanted: Type): never {
  refuse(`cannot convert ${what} to ${friendlyNameForConstraint(wanted)}`, 0);
}

function refuseValue(value: Value, wanted: Type): never {
  const { type, data } = value;
  const name = friendlyName(type);
  if (isMarkedDeep(value, ephemeral)) refuseConversion(`this ephemeral ${name}`, wanted);
  if (isMarkedDeep(value, sensitive)) refuseConversion(`this sensitive ${name}`, wanted);
  if (typeof data !== "string") refuseConversion(name, wanted);
  const cannot = `cannot convert ${quote(data)} to ${wanted.kind}`;
  if (wanted.kind === "bool") refuse(`${cannot}; only the strings "true" or "false" are allowed`, 0);
  if (wanted.kind === "number") refuse(`${cannot}; given string must be a decimal representation of a number`, 0);
  refuseConversion(name, wanted);
}

/** OpenTofu's: to any type, written as in a variable's `type`, with defaults for optional attributes. */
const convertFunction: FunctionSpec = {
  name: "convert",
  description: "The value converted to a type, which is written as the type of a variable is.",
  parameters: [
    { ...any, name: "value", allowUnknown: true },
    { name: "type", type: closureType },
  ],
  returnType: (args) => convertTo(args[0]!, constraintArgument(args[1]!)).type,
  call: (args) => convertTo(args[0]!, constraintArgument(args[1]!)),
};

function constraintArgument(closure: Value): TypeConstraint {
  const { value, diagnostics } = typeConstraint(closureOf(closure).expression);
  const [first] = diagnostics;
  if (!first) return value;
  const where = first.subject ? `${formatRange(first.subject)}: ` : "";
  return refuse(`${where}${first.summary}; ${first.detail}`, 1);
}

function convertTo(value: Value, { type, defaults }: TypeConstraint): Value {
  const result = convert(defaults ? applyDefaults(value, defaults) : value, type);
  return result.ok ? result.value : refuse(result.message, 0);
}

/** What `type` gives: the console shows it as a type, and everything else refuses it. */
export const typeCapsule: Type = capsuleType("type");

const typeFunction: FunctionSpec = {
  name: "type",
  description: "The type of a value, for the console only.",
  parameters: [{ name: "value", type: dynamicType, allowNull: true, allowUnknown: true, allowDynamicType: true }],
  returnType: typeCapsule,
  call: ([value]) => capsuleValue(typeCapsule, value!.type),
};

/** The function `type`, which only the console has. */
export const consoleFunctions: readonly FunctionSpec[] = [typeFunction];

export const typeConversionFunctions: readonly FunctionSpec[] = [
  conversionTo("tobool", boolType),
  conversionTo("tolist", listType(dynamicType)),
  conversionTo("tomap", mapType(dynamicType)),
  conversionTo("tonumber", numberType),
  conversionTo("toset", setType(dynamicType)),
  conversionTo("tostring", stringType),
];

export const openTofuConversionFunctions: readonly FunctionSpec[] = [convertFunction];
