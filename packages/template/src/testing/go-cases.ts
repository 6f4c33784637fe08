import { readFileSync } from "node:fs";
import { answer, defineFunction, failure } from "../function.ts";
import type { FunctionTable } from "../function.ts";
import type { FunctionValue, TemplateValue } from "../value.ts";
import { Channel, SizedInteger, Struct, TypedList, TypedMap } from "../value.ts";
import { elementsOf, integerOf, isList, mapSize, isMap } from "../operand.ts";

/** One template that Go has executed or refused, with what it said. */
export interface GoCase {
  readonly text: string;
  readonly data: TemplateValue;
  readonly option?: "default" | "invalid" | "zero" | "error";
  readonly left?: string;
  readonly right?: string;
  readonly output?: string;
  readonly error?: string;
  readonly parseError?: string;
}

interface RawCase extends Omit<GoCase, "data"> {
  readonly data?: unknown;
  readonly noData?: true;
}

/** The cases of `testdata/go.json`: learnt from Go 1.26's text/template with the functions of {@link goFunctions}. */
export function readGoCases(): readonly GoCase[] {
  const file = new URL("../../testdata/go.json", import.meta.url);
  const { data, cases } = JSON.parse(readFileSync(file, "utf8")) as { data: unknown; cases: readonly RawCase[] };
  return cases.map(({ noData, ...raw }) => ({ ...raw, data: noData ? null : decode("data" in raw ? raw.data : data) }));
}

function text(value: TemplateValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function integer(value: TemplateValue | undefined): bigint {
  return (value !== null && integerOf(value)) || 0n;
}

function texts(value: TemplateValue | undefined): string[] {
  return isList(value) ? elementsOf(value).map(text) : [];
}

function function_(
  parameters: FunctionValue["parameters"],
  variadic: FunctionValue["variadic"],
  type: string,
  call: FunctionValue["call"],
): FunctionValue {
  return defineFunction({ parameters, ...(variadic ? { variadic } : {}), type, call });
}

/** The functions that the Go program had, too. */
export const goFunctions: FunctionTable = new Map([
  ["upper", function_(["string"], undefined, "func(string) string", ([s]) => answer(text(s).toUpperCase()))],
  [
    "sum",
    function_([], "int", "func(...int) int", (args) => answer(args.reduce<bigint>((sum, n) => sum + integer(n), 0n))),
  ],
  ["fail", function_(["string"], undefined, "func(string) (string, error)", ([s]) => failure(text(s)))],
  [
    "pair",
    function_(["string", "int"], undefined, "func(string, int) string", ([a, b]) => answer(`${text(a)}=${integer(b)}`)),
  ],
  ["nothing", function_([], undefined, "func() interface {}", () => answer(null))],
  ["same", function_(["any"], undefined, "func(interface {}) interface {}", ([a]) => answer(a!))],
  ["list", function_([], "any", "func(...interface {}) interface {}", (args) => answer(args))],
  [
    "prefixed",
    function_(["string"], "string", "func(string, ...string) string", ([first, ...rest]) =>
      answer(text(first) + rest.map(text).join(",")),
    ),
  ],
  ["flag", function_(["bool"], undefined, "func(bool) bool", ([b]) => answer(b !== true))],
  ["half", function_(["float64"], undefined, "func(float64) float64", ([f]) => answer(Number(f) / 2))],
  ["joined", function_(["[]string"], undefined, "func([]string) string", ([s]) => answer(texts(s).join("+")))],
  [
    "keys",
    function_(["map[string]interface {}"], undefined, "func(map[string]interface {}) int", ([m]) =>
      answer(BigInt(isMap(m) ? mapSize(m) : 0)),
    ),
  ],
  ["loop", function_(["int"], undefined, "func(int) <-chan int64", ([n]) => answer(channelTo(integer(n))))],
  ["wide", function_(["int64"], undefined, "func(int64) int64", ([n]) => answer(n!))],
]);

function channelTo(end: bigint): Channel {
  const values = function* () {
    for (let i = 0n; i < end; i++) yield new SizedInteger(i, "int64");
  };
  return new Channel("<-chan int64", values());
}

/** Data whose Go types JSON cannot say is written as an object of one key with a dollar. */
export function decode(json: unknown): TemplateValue {
  if (typeof json !== "object" || json === null) return json as TemplateValue;
  if (Array.isArray(json)) return json.map(decode);
  const entries = Object.entries(json);
  const [tag, value] = entries[0] ?? [];
  if (entries.length === 1 && tag?.startsWith("$")) return decodeTagged(tag, value);
  return Object.fromEntries(entries.map(([key, element]) => [key, decode(element)]));
}

function decodeTagged(tag: string, value: unknown): TemplateValue {
  switch (tag) {
    case "$int":
      return BigInt(value as string);
    case "$int64":
      return new SizedInteger(BigInt(value as string), "int64");
    case "$uint64":
      return new SizedInteger(BigInt(value as string), "uint64");
    case "$float":
      return value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
    case "$strings":
      return new TypedList(value as string[], "[]string");
    case "$stringMap":
      return new TypedMap(new Map(Object.entries(value as Record<string, string>)), "map[string]string", "");
    case "$func":
      return goFunctions.get(value as string)!;
    default:
      return service(value as Record<string, unknown>);
  }
}

function service(json: Record<string, unknown>): Struct {
  const fields = Object.fromEntries(Object.entries(json).map(([name, value]) => [name, decode(value)]));
  const url = function_(["string"], undefined, "func(string) string", ([scheme]) =>
    answer(`${text(scheme)}://${text(fields["Name"])}:${integer(fields["Port"])}`),
  );
  return new Struct("*main.Service", fields, { Url: url });
}
