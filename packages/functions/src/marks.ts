import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { boolType, dynamicType } from "@millwright/value/types";
import { transform } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import {
  boolValue,
  ephemeral,
  hasMark,
  isKnown,
  isNull,
  mark,
  nullValue,
  sensitive,
  unknownValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import { notNull } from "./define.ts";

const anything: Parameter = {
  name: "value",
  type: dynamicType,
  allowNull: true,
  allowUnknown: true,
  allowMarked: true,
  allowDynamicType: true,
};

const sensitiveFunction: FunctionSpec = {
  name: "sensitive",
  description: "The value, marked so that it is not shown.",
  parameters: [anything],
  returnType: ([value]) => value!.type,
  call: ([value]) => mark(value!, sensitive),
};

const nonsensitive: FunctionSpec = {
  name: "nonsensitive",
  description: "The value without the mark that it is sensitive; what is inside of it keeps its own.",
  parameters: [anything],
  returnType: ([value]) => value!.type,
  call: ([value]) => {
    const [bare, marks] = unmark(value!);
    return withMarks(bare, marks.difference(new Set([sensitive])));
  },
};

const issensitive: FunctionSpec = {
  name: "issensitive",
  description: "Whether the value is marked as sensitive.",
  parameters: [anything],
  returnType: boolType,
  refineResult: notNull,
  call: ([value]) => {
    if (hasMark(value!, sensitive)) return boolValue(true);
    // A value may still turn out to be sensitive.
    return isKnown(value!) ? boolValue(false) : unknownValue(boolType);
  },
};

const ephemeralasnull: FunctionSpec = {
  name: "ephemeralasnull",
  description: "The value with null in place of everything ephemeral in it, so that it may be kept.",
  parameters: [anything],
  returnType: ([value]) => value!.type,
  call: ([value]) => withoutEphemeral(value!),
};

function withoutEphemeral(value: Value): Value {
  return transform(value, (_path, inside) => {
    if (!hasMark(inside, ephemeral)) return inside;
    const [bare, marks] = unmark(inside);
    const kept = isKnown(bare) && !isNull(bare) ? nullValue(bare.type) : bare;
    return withMarks(kept, marks.difference(new Set([ephemeral])));
  });
}

export const markFunctions: readonly FunctionSpec[] = [ephemeralasnull, issensitive, nonsensitive, sensitiveFunction];
