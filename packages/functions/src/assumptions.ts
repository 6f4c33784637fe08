import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { convert } from "@millwright/value/convert";
import { equality, lengthBounds } from "@millwright/value/equality";
import { friendlyName } from "@millwright/value/friendly";
import { markWithPaths, unmarkDeepWithPaths } from "@millwright/value/marks";
import { refine, refinePrefix, refinementsOf } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { dynamicType, listType, mapType, numberType, setType, stringType } from "@millwright/value/types";
import type { Refinements } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { asNumber, asString, ephemeral, isKnown, isNull, sensitive } from "@millwright/value/value";
import { refuse, text } from "./define.ts";

/*
 * OpenTofu's promises about values that are not known yet: each gives its value back with what is promised of it, and
 * refuses a known value that breaks the promise.
 */

const anything: Omit<Parameter, "name"> = {
  type: dynamicType,
  allowNull: true,
  allowUnknown: true,
  allowDynamicType: true,
  allowMarked: true,
};

const assumeequal: FunctionSpec = {
  name: "assumeequal",
  description: "The second value, which the first one is promised to equal once it is known.",
  parameters: [
    { ...anything, name: "actual_value" },
    { ...anything, name: "expected_value" },
  ],
  returnType: ([, expected]) => expected!.type,
  call: ([actual, expected]) => {
    const converted = convert(actual!, expected!.type);
    if (!converted.ok) {
      const [got, wanted] = [friendlyName(actual!.type), friendlyName(expected!.type)];
      refuse(`actual value type ${got} does not match assumed value type ${wanted}`, 0);
    }
    if (equality(converted.value, expected!) === false) refuse("the actual value does not match the assumed value", 0);
    const ignored = new Set([sensitive, ephemeral]);
    const places = unmarkDeepWithPaths(converted.value)[1].map(({ path, marks }) => {
      return { path, marks: marks.difference(ignored) };
    });
    return markWithPaths(
      expected!,
      places.filter(({ marks }) => marks.size > 0),
    );
  },
};

const valueParameter: Parameter = {
  name: "value",
  type: dynamicType,
  allowNull: true,
  allowUnknown: true,
  allowDynamicType: true,
};

const notUpheld = "assumption was not upheld";

const assumenotnull: FunctionSpec = {
  name: "assumenotnull",
  description: "The value, promised not to be null.",
  parameters: [valueParameter],
  returnType: dynamicType,
  call: ([value]) => {
    if (value!.type.kind === "dynamic") {
      refuse(
        'given value must have a known type; consider using the "convert" function to specify a type to assume',
        0,
      );
    }
    if (isNull(value!)) refuse(notUpheld, 0);
    return refine(value!, { notNull: true });
  },
};

const assumestringprefix: FunctionSpec = {
  name: "assumestringprefix",
  description: "The string, promised to begin with a prefix.",
  parameters: [{ ...valueParameter, type: stringType }, text("prefix")],
  returnType: stringType,
  call: ([value, prefix]) => {
    const begin = asString(prefix!);
    const known = isKnown(value!) ? value!.data : refinementsOf(value!).prefix;
    const isUpheld =
      typeof known === "string" && (known.startsWith(begin) || (!isKnown(value!) && begin.startsWith(known)));
    if (known !== undefined && !isUpheld) refuse(notUpheld, 0);
    return isKnown(value!) ? value! : refinePrefix(value!, begin);
  },
};

type Bound = "min" | "max";
const largestLength = 2n ** 63n - 1n;

/** A promise on the length of a collection: at least, at most, or both. */
function lengthAssumption(name: string, noun: string, type: Type, bounds: readonly Bound[]): FunctionSpec {
  return {
    name,
    description: `The ${noun}, promised to have a length within bounds.`,
    parameters: [
      { ...valueParameter, type },
      ...bounds.map((bound) => ({ name: `${bound}_length`, type: numberType })),
    ],
    returnType: type,
    call: ([value, ...lengths]) => {
      const given = new Map(
        bounds.map((bound, i) => [bound, lengthArgument(lengths[i]!, bounds.length > 1 ? i + 1 : 0)]),
      );
      const least = given.get("min") ?? 0;
      const most = given.get("max") ?? Infinity;
      if (isNull(value!)) refuse(notUpheld, 0);
      const [shortest, longest] = knownLengths(value!);
      if (least > longest || most < shortest || least > most) refuse(notUpheld, 0);
      const promise: Refinements = { minimumLength: least, ...(most === Infinity ? {} : { maximumLength: most }) };
      return isKnown(value!) ? value! : refine(value!, promise);
    },
  };
}

function lengthArgument(value: Value, argument: number): number {
  const length = asNumber(value).toInt64();
  if (length === undefined || length < 0n || length >= largestLength) {
    refuse(`must be a whole number between 0 and ${largestLength}`, argument);
  }
  return Number(length);
}

function knownLengths(value: Value): readonly [least: number, most: number] {
  if (isKnown(value)) return lengthBounds(value);
  const { minimumLength = 0, maximumLength = Infinity } = refinementsOf(value);
  return [minimumLength, maximumLength];
}

const collections: readonly (readonly [noun: string, type: Type])[] = [
  ["list", listType(dynamicType)],
  ["map", mapType(dynamicType)],
  ["set", setType(dynamicType)],
];

export const assumptionFunctions: readonly FunctionSpec[] = [
  assumeequal,
  assumenotnull,
  assumestringprefix,
  ...collections.flatMap(([noun, type]) => [
    lengthAssumption(`assume${noun}length`, noun, type, ["min", "max"]),
    lengthAssumption(`assume${noun}lengthmin`, noun, type, ["min"]),
    lengthAssumption(`assume${noun}lengthmax`, noun, type, ["max"]),
  ]),
];
