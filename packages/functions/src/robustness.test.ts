import { Bug } from "@millwright/core/errors";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { callFunction, closureType, closureValue, parameterAt } from "@millwright/hcl/function-spec";
import { emptyScope } from "@millwright/hcl/scope";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { conformsTo } from "@millwright/value/equality";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, listType, mapType, numberType, setType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  boolValue,
  dynamicValue,
  hasMark,
  isKnown,
  isMarkedDeep,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Dialect } from "./dialect.ts";
import { functionsFor } from "./library.ts";
import { memoryFiles } from "./memory-files.ts";
import { terraformProviderFunctions } from "./provider-terraform.ts";

const seed = 20_261_121;

function specsOf(dialect: Dialect): FunctionSpec[] {
  const functions = functionsFor(
    {
      dialect,
      files: memoryFiles({ "a.txt": "text", "b.tmpl": "${a}", "folder/c": new Uint8Array([0xff]) }),
      baseDir: ".",
      clock: { now: () => 0 },
      chance: { bytes: (length) => new Uint8Array(length), uuid: () => "00000000-0000-4000-8000-000000000000" },
      impure: "now",
      use: "console",
    },
    terraformProviderFunctions,
  );
  const names = [...functions.keys()].filter((name) => !name.startsWith("core::"));
  // A random cost of bcrypt would take hours.
  return names.filter((name) => name !== "bcrypt").map((name) => functions.get(name)!);
}

const texts = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom(
    "a.txt",
    "b.tmpl",
    "folder",
    "10.0.0.0/8",
    "fd00::/64",
    "2018-01-02T03:04:05Z",
    "1h",
    "%s-%d",
    '[1, {"a": null}]',
    "a,b\n1,2",
    "UTF-8",
    "/(a)/",
    "YYYY",
    "true",
    "12",
  ),
);
const primitives = fc.oneof(
  texts.map(stringValue),
  fc.oneof(fc.integer({ min: -20, max: 300 }), fc.double({ noNaN: true })).map(numberValue),
  fc.boolean().map(boolValue),
  fc
    .constantFrom<Type>(stringType, numberType, boolType, dynamicType, listType(stringType), mapType(dynamicType))
    .map(nullValue),
  fc
    .constantFrom<Type>(
      stringType,
      numberType,
      boolType,
      listType(stringType),
      setType(numberType),
      mapType(dynamicType),
    )
    .map((type) => unknownValue(type)),
  fc.constant(dynamicValue),
);
const { value: values } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    primitives,
    fc.array(tie("value"), { maxLength: 4 }).map(tupleValue),
    fc.dictionary(texts, tie("value"), { maxKeys: 4 }).map(objectValue),
    fc.array(texts, { maxLength: 4 }).map((list) => listValue(list.map(stringValue), stringType)),
    fc
      .array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 })
      .map((list) => setValue(list.map(numberValue), numberType)),
    fc.dictionary(texts, texts, { maxKeys: 3 }).map((map) => {
      return mapValue(
        Object.entries(map).map(([key, text]) => [key, stringValue(text)] as const),
        stringType,
      );
    }),
    tie("value").map((value) => mark(value, sensitive)),
  ),
}));

/** Arguments as a call gives them to a function: as many as it takes, converted; undefined where they do not convert. */
function argumentsFor(spec: FunctionSpec, given: readonly Value[], count: number): Value[] | undefined {
  const args: Value[] = [];
  for (let i = 0; i < spec.parameters.length + (spec.variadic ? count : 0); i++) {
    const { type } = parameterAt(spec, i)!;
    const value = given[i % given.length]!;
    if (type === closureType) {
      const expression = parseExpression(sourceFile("test", "[1, nope, var]")).value;
      args.push(closureValue({ expression, scope: emptyScope }));
      continue;
    }
    const converted = convert(value, type);
    if (!converted.ok) return undefined;
    args.push(converted.value);
  }
  return args;
}

describe.each(["terraform", "opentofu"] as const)("%s", (dialect) => {
  test.each(specsOf(dialect))("$name takes any arguments without a crash, and keeps its promises", (spec) => {
    const given = fc.array(values, { minLength: 1, maxLength: 4 });
    const property = fc.property(given, fc.nat(3), (pool, count) => {
      const args = argumentsFor(spec, pool, count);
      if (!args) return;
      const result = callFunction(spec, args);
      if (!result.ok) return;
      // Without the type of an argument nothing is promised.
      if (!isKnown(result.value) && result.value.type.kind === "dynamic") return;
      if (typeof spec.returnType !== "function") expect(conformsTo(result.value.type, spec.returnType)).toBe(true);
      if (spec.refineResult?.notNull) expect(result.value.data).not.toBeNull();
    });
    fc.assert(property, { seed, numRuns: 60 });
  });

  /** They are there to look at marks, to take them off, or to tell only whether something failed. */
  const revealing = new Set([
    "nonsensitive",
    "issensitive",
    "can",
    "try",
    "type",
    "ephemeralasnull",
    "assumeequal",
    "convert",
    "templatestring",
  ]);
  const keeping = specsOf(dialect).filter(({ name }) => !revealing.has(name));
  test.each(keeping)("$name of something sensitive is sensitive", (spec) => {
    const property = fc.property(
      fc.array(values, { minLength: 1, maxLength: 4 }),
      fc.nat(2),
      fc.nat(3),
      (pool, count, at) => {
        const args = argumentsFor(spec, pool, count);
        if (!args || args.length === 0) return;
        const marked = args.map((arg, i) => (i === at % args.length ? mark(arg, sensitive) : arg));
        const result = callFunction(spec, marked);
        // What is not known yet may lose its marks on the way, in the reference too; it has nothing to tell.
        if (!result.ok || !isKnown(result.value)) return;
        expect(hasMark(result.value, sensitive) || isMarkedDeep(result.value, sensitive)).toBe(true);
      },
    );
    fc.assert(property, { seed, numRuns: 40 });
  });
});

test("a function that breaks its promises is found out", () => {
  const spec: FunctionSpec = {
    name: "broken",
    description: "",
    parameters: [],
    returnType: stringType,
    refineResult: { notNull: true },
    call: () => nullValue(stringType),
  };
  expect(() => callFunction(spec, [])).toThrow(Bug);
});
