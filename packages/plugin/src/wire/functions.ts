import type { FunctionParameterSchema, FunctionSchema } from "@millwright/provider/schema";
import { dynamicType } from "@millwright/value/types";
import type { FunctionMessage, FunctionParameterMessage } from "./common.ts";
import type { Draft } from "./message.ts";
import { typeBytes, typeOfBytes } from "./schema.ts";

export function fromFunctionMessage(signature: FunctionMessage): FunctionSchema {
  const { parameters, variadicParameter, summary, description } = signature;
  return {
    parameters: parameters.map(fromParameter),
    ...(variadicParameter ? { variadic: fromParameter(variadicParameter) } : {}),
    returnType: signature.return ? typeOfBytes(signature.return.type) : dynamicType,
    ...(summary === "" ? {} : { summary }),
    ...(description === "" ? {} : { description }),
  };
}

export function toFunctionMessage(schema: FunctionSchema): Draft<FunctionMessage> {
  return {
    parameters: schema.parameters.map(toParameter),
    ...(schema.variadic ? { variadicParameter: toParameter(schema.variadic) } : {}),
    return: { type: typeBytes(schema.returnType) },
    summary: schema.summary,
    description: schema.description,
  };
}

function fromParameter(parameter: FunctionParameterMessage): FunctionParameterSchema {
  const { name, type, allowNullValue, allowUnknownValues, description } = parameter;
  return {
    name,
    type: typeOfBytes(type),
    allowNull: allowNullValue,
    allowUnknown: allowUnknownValues,
    ...(description === "" ? {} : { description }),
  };
}

function toParameter(parameter: FunctionParameterSchema): Draft<FunctionParameterMessage> {
  return {
    name: parameter.name,
    type: typeBytes(parameter.type),
    allowNullValue: parameter.allowNull,
    allowUnknownValues: parameter.allowUnknown,
    description: parameter.description,
  };
}
