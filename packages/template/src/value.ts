/**
 * What a template computes with, as plain JavaScript data. Go's type of each, which `%T` and error messages show:
 *
 * - `bigint` is `int`, `number` is `float64`; {@link SizedInteger} is any other integer type;
 * - an array is `[]interface {}`, a `Map` or a plain object `map[string]interface {}`; {@link TypedList} and
 *   {@link TypedMap} are those of other types;
 * - {@link Struct} is a struct or a pointer to one: a field that it has not is an error;
 * - `null` is nil.
 */
export type TemplateValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | SizedInteger
  | readonly TemplateValue[]
  | TypedList
  | ReadonlyMap<string, TemplateValue>
  | TemplateRecord
  | TypedMap
  | Struct
  | Channel
  | FunctionValue;

export interface TemplateRecord {
  readonly [key: string]: TemplateValue;
}

export type MapKey = string | bigint | number | boolean;

export type IntegerType = "int64" | "uint8" | "uint64";

/** An integer of a type other than Go's `int`. */
export class SizedInteger {
  readonly value: bigint;
  readonly type: IntegerType;

  constructor(value: bigint, type: IntegerType) {
    this.value = value;
    this.type = type;
  }
}

/** A slice whose elements are of a type of their own, such as `[]string`. */
export class TypedList {
  readonly elements: readonly TemplateValue[];
  /** Go's name of the whole type. */
  readonly type: string;

  constructor(elements: readonly TemplateValue[], type: string) {
    this.elements = elements;
    this.type = type;
  }
}

/** A map of a type of its own, such as `map[string]string`. */
export class TypedMap {
  readonly entries: ReadonlyMap<MapKey, TemplateValue>;
  /** Go's name of the whole type; it begins with `map[`. */
  readonly type: string;
  /** What `index` gives for a key that is not there. */
  readonly zero: TemplateValue;

  constructor(entries: ReadonlyMap<MapKey, TemplateValue>, type: string, zero: TemplateValue) {
    this.entries = entries;
    this.type = type;
    this.zero = zero;
  }
}

/** A struct, or a pointer to one: fields in their order, and methods that a template may call. */
export class Struct {
  /** Go's name of the type, with a `*` in front for a pointer. */
  readonly type: string;
  readonly fields: TemplateRecord;
  readonly methods: Readonly<Record<string, FunctionValue>>;

  constructor(type: string, fields: TemplateRecord, methods: Readonly<Record<string, FunctionValue>> = {}) {
    this.type = type;
    this.fields = fields;
    this.methods = methods;
  }
}

/** A channel: values to range over once. */
export class Channel {
  readonly type: string;
  readonly values: Iterator<TemplateValue>;

  constructor(type: string, values: Iterator<TemplateValue>) {
    this.type = type;
    this.values = values;
  }
}

/**
 * The types a parameter may have. `any` takes everything. `[]string` takes every list of strings, whatever its type, which
 * Go would not. `value` takes what there is as it stands, also nothing at all; it is for the functions of the language.
 */
export type ParameterType =
  | "any"
  | "bool"
  | "float64"
  | "int"
  | "int64"
  | "string"
  | "[]string"
  | "[]interface {}"
  | "map[string]interface {}"
  | "value";

/** The execution that calls a function, for one that executes a template in it. */
export interface OngoingExecution {
  /** The text of a template that is defined beside the executed one; what goes wrong there ends the execution. */
  execute(name: string, data: TemplateValue): string;
}

/** A function as a value, to be called by `call` or as a method. Made by `defineFunction`. */
export class FunctionValue {
  readonly parameters: readonly ParameterType[];
  readonly variadic: ParameterType | undefined;
  /** Takes arguments that have been checked against the parameters. */
  readonly call: (args: readonly TemplateValue[], execution: OngoingExecution) => CallResult;
  /** Go's name of the type. */
  readonly type: string;

  constructor(definition: Omit<FunctionValue, "type">, type: string) {
    this.parameters = definition.parameters;
    this.variadic = definition.variadic;
    this.call = definition.call;
    this.type = type;
  }
}

/** Something that a function asked for and that arrives later, or may change later. */
export interface Dependency {
  /** Two dependencies with one id are the same. */
  readonly id: string;
}

/**
 * What a function answers. `missing`: its dependency is not there yet; the execution goes on with `placeholder`, so that
 * it finds the other missing ones too, and gives no text in the end. `failure`: the execution ends with this message.
 */
export type CallResult =
  | { readonly kind: "value"; readonly value: TemplateValue; readonly dependency?: Dependency }
  | { readonly kind: "missing"; readonly dependency: Dependency; readonly placeholder: TemplateValue }
  | { readonly kind: "failure"; readonly message: string };
