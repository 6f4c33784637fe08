import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { FunctionError } from "@millwright/hcl/function-spec";
import { refinePrefix } from "@millwright/value/refine";
import { dynamicType, listType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asString,
  isKnown,
  isNull,
  isWhollyKnown,
  listValue,
  stringValue,
  unknownValue,
} from "@millwright/value/value";
import { isSequence, notNull, refuse, text } from "./define.ts";
import type { Dialect } from "./dialect.ts";
import { formatText } from "./format.ts";

/** Terraform 1.11 does not look at arguments of unknown type, which a bare null is too: the result is unknown. */
function argsParameter(dialect: Dialect): Parameter {
  const args: Parameter = { name: "args", type: dynamicType, allowNull: true, allowUnknown: true };
  return dialect === "opentofu" ? { ...args, allowDynamicType: true } : args;
}

function format(dialect: Dialect): FunctionSpec {
  return {
    name: "format",
    description: "A string made by a format such as `%s-%03d` (as of Go's printf) of values.",
    parameters: [text("format")],
    variadic: argsParameter(dialect),
    returnType: stringType,
    refineResult: notNull,
    call: ([formatValue, ...args]) => {
      const formatString = asString(formatValue!);
      if (args.every(isWhollyKnown)) return stringValue(formatText(formatString, args));
      const verb = formatString.indexOf("%");
      return refinePrefix(unknownValue(stringType), formatString.slice(0, Math.max(0, verb)));
    },
  };
}

function formatlist(dialect: Dialect): FunctionSpec {
  return {
    name: "formatlist",
    description: "A list of strings made by a format, one for each element of the arguments that are lists.",
    parameters: [text("format")],
    variadic: argsParameter(dialect),
    returnType: listType(stringType),
    refineResult: notNull,
    call: ([formatValue, ...args], returnType) => {
      const formatString = asString(formatValue!);
      const columns = args.map(columnOf);
      const count = commonLength(columns);
      if (columns.some((column) => column.kind === "unknown")) return unknownValue(returnType);
      const rows = Array.from({ length: count }, (_, row) =>
        formatRow(
          formatString,
          columns.map((column) => (column.kind === "each" ? column.elements[row]! : (column as Single).value)),
          row,
        ),
      );
      return listValue(rows, stringType);
    },
  };
}

interface Single {
  readonly kind: "same";
  readonly value: Value;
}

/** What an argument gives to the rows: an element each, the same to all, or something not known yet. */
type Column = Single | { readonly kind: "each"; readonly elements: readonly Value[] } | { readonly kind: "unknown" };

function columnOf(value: Value): Column {
  const { type, data } = value;
  if (!isSequence(type) || isNull(value)) {
    return type.kind === "dynamic" && !isKnown(value) ? { kind: "unknown" } : { kind: "same", value };
  }
  if (!isKnown(value)) return { kind: "unknown" };
  if (type.kind === "set" && (data as readonly Value[]).length > 1 && !isWhollyKnown(value)) return { kind: "unknown" };
  return { kind: "each", elements: data as readonly Value[] };
}

function commonLength(columns: readonly Column[]): number {
  let length: number | undefined;
  let chooser = 0;
  for (const [index, column] of columns.entries()) {
    if (column.kind !== "each") continue;
    const { length: own } = column.elements;
    if (length !== undefined && own !== length) {
      const other = `argument ${chooser + 1} of length ${length}`;
      refuse(`argument ${index + 1} has length ${own}, which is inconsistent with ${other}`, index + 1);
    }
    if (length === undefined) chooser = index;
    length ??= own;
  }
  return length ?? 1;
}

function formatRow(format: string, args: readonly Value[], row: number): Value {
  if (!args.every(isWhollyKnown)) return unknownValue(stringType, notNull);
  try {
    return stringValue(formatText(format, args));
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return refuse(`error on format iteration ${row}: ${error.message}`);
  }
}

export function formattingFunctions(dialect: Dialect): readonly FunctionSpec[] {
  return [format(dialect), formatlist(dialect)];
}
