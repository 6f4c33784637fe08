import { dynamicType, listType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asString,
  dynamicValue,
  mark,
  nullValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { expect, test } from "vitest";
import { valueText } from "../test/value-text.ts";
import type { FunctionSpec, Parameter } from "./function-spec.ts";
import { callFunction, FunctionError } from "./function-spec.ts";

function echo(parameter: Partial<Parameter>, rest: Partial<FunctionSpec> = {}): FunctionSpec {
  return {
    name: "echo",
    description: "Its argument.",
    parameters: [{ name: "value", type: dynamicType, ...parameter }],
    returnType: stringType,
    call: ([value]) => value!,
    ...rest,
  };
}

const a = stringValue("a");
const unknownText = unknownValue(stringType);
const secret = mark(a, "sensitive");

test.for<{ name: string; spec: FunctionSpec; args: readonly Value[]; want: string }>([
  { name: "a known argument is passed on", spec: echo({}), args: [a], want: '"a"' },
  {
    name: "null is refused",
    spec: echo({}),
    args: [nullValue(stringType)],
    want: "argument 0: argument must not be null",
  },
  {
    name: "null is passed on where it is allowed",
    spec: echo({ allowNull: true }),
    args: [nullValue(stringType)],
    want: "null(string)",
  },
  { name: "unknown gives unknown", spec: echo({}), args: [unknownText], want: "unknown(string)" },
  {
    name: "unknown gives unknown with what holds of any result",
    spec: echo({}, { refineResult: { notNull: true } }),
    args: [unknownText],
    want: "unknown(string, not null)",
  },
  {
    name: "unknown is passed on where it is allowed",
    spec: echo({ allowUnknown: true }, { call: () => a }),
    args: [unknownText],
    want: '"a"',
  },
  {
    name: "an unknown type gives an unknown type",
    spec: echo({ allowUnknown: true }),
    args: [dynamicValue],
    want: "unknown(any)",
  },
  {
    name: "an unknown type is passed on where it is allowed",
    spec: echo({ allowUnknown: true, allowDynamicType: true }, { call: () => a }),
    args: [dynamicValue],
    want: '"a"',
  },
  {
    name: "marks go around the call",
    spec: echo({}, { call: ([value]) => stringValue(`${asString(value!)}!${value!.marks.size}`) }),
    args: [secret],
    want: 'marked("a!0", sensitive)',
  },
  {
    name: "marks inside go around the call",
    spec: echo({}, { call: () => a }),
    args: [tupleValue([secret])],
    want: 'marked("a", sensitive)',
  },
  {
    name: "marks are passed on where they are allowed",
    spec: echo({ allowMarked: true }, { call: ([value]) => stringValue(String(value!.marks.size)) }),
    args: [secret],
    want: '"1"',
  },
  {
    name: "marks stay on an unknown result",
    spec: echo({}),
    args: [mark(unknownText, "sensitive")],
    want: "marked(unknown(string), sensitive)",
  },
  {
    name: "the type may follow from the arguments",
    spec: echo({}, { returnType: ([value]) => listType(value!.type) }),
    args: [unknownValue(numberType)],
    want: "unknown(list(number))",
  },
  {
    name: "the type may refuse the arguments",
    spec: echo(
      {},
      {
        returnType: () => {
          throw new FunctionError("not that", 0);
        },
      },
    ),
    args: [a],
    want: "argument 0: not that",
  },
  {
    name: "the call may fail as a whole",
    spec: echo(
      {},
      {
        call: () => {
          throw new FunctionError("not today");
        },
      },
    ),
    args: [a],
    want: "not today",
  },
])("$name", ({ spec, args, want }) => {
  const result = callFunction(spec, args);
  if (result.ok) expect(valueText(result.value)).toBe(want);
  else expect(`${result.argument === undefined ? "" : `argument ${result.argument}: `}${result.message}`).toBe(want);
});

test("a null behind an argument of unknown type is not looked at", () => {
  const spec = { ...echo({}), variadic: { name: "more", type: dynamicType } };
  expect(callFunction(spec, [dynamicValue, nullValue(stringType)])).toEqual({ ok: true, value: dynamicValue });
});

test("what is not a refusal of the function is not caught", () => {
  const broken = echo(
    {},
    {
      call: () => {
        throw new RangeError("broken");
      },
    },
  );
  expect(() => callFunction(broken, [a])).toThrow(RangeError);
});
