import type { Type } from "@millwright/value/types";
import {
  boolType,
  dynamicType,
  listType,
  mapType,
  numberType,
  objectType,
  setType,
  stringType,
} from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import type { ConfigOf, PlanOf, StateOf } from "./field-types.ts";

/**
 * What a resource, data source or provider configuration is made of, by name: attributes and nested blocks.
 *
 * ```ts
 * const schema = {
 *   filename: required(string, { replaceOnChange: true }),
 *   permission: optional(string, { default: "0777" }),
 *   id: computed(string),
 *   rule: blocks.list({ port: required(number), open: optional(bool) }),
 * };
 * ```
 */
export type Fields = { readonly [name: string]: Field };
export type Field = Attribute | Block;

/** How an attribute comes by its value; see the builder of each name. */
export type Presence =
  | "required"
  | "optional"
  | "defaulted"
  | "inferred"
  | "computed"
  | "writeOnly"
  | "requiredWriteOnly";

/** An attribute of a resource: made by {@link required}, {@link optional}, {@link computed} or {@link writeOnly}. */
export interface Attribute<T extends FieldType = FieldType, P extends Presence = Presence> {
  readonly kind: "attribute";
  readonly type: T;
  readonly presence: P;
  readonly options: AnyAttributeOptions;
}

/** A nested block type: made by `blocks.single`, `.group`, `.list`, `.set` or `.map`. */
export interface Block<F extends Fields = Fields, N extends BlockNesting = BlockNesting> {
  readonly kind: "block";
  readonly nesting: N;
  readonly fields: F;
  readonly options: BlockOptions;
}
export type BlockNesting = "single" | "group" | "list" | "set" | "map";

/**
 * A type an attribute can have. `C`, `P` and `S` are the TypeScript types that authors see in a configuration, a plan and
 * a state; they are the same but for nested attributes, where some attributes are only in some of the three.
 */
export interface FieldType<C = unknown, P = C, S = C> {
  readonly type: Type;
  /** Of nested attributes: what an object of them is made of. */
  readonly nested?: { readonly nesting: NestedNesting; readonly fields: Fields };
  /** Whether null may stand where a value is expected (as an element of a collection). */
  readonly nullable?: boolean;
  /** Of collections: the type of an element. */
  readonly element?: FieldType;
  /** For the compiler alone; never set. */
  readonly [seen]?: { readonly config: C; readonly plan: P; readonly state: S };
}
declare const seen: unique symbol;
export type NestedNesting = "single" | "list" | "set" | "map";

/** What can be said of an attribute beside its type. `T` is the TypeScript type of its values. */
export interface AttributeOptions<T> {
  readonly description?: string;
  readonly sensitive?: boolean;
  /** True, or what to use instead: shown to users who set it. */
  readonly deprecated?: boolean | string;
  /** A change needs a new object: always, or when the function says so. Never called with values that are not known. */
  readonly replaceOnChange?: boolean | ((change: { readonly prior: T | null; readonly planned: T | null }) => boolean);
  /** What is wrong with a configured value, in a sentence; undefined when nothing is. Never called with null or unknown. */
  readonly check?: (value: T) => string | undefined;
}

/** Options of attributes that the provider fills in. */
export interface ComputedOptions<T> extends AttributeOptions<T> {
  /** Once known it stays: an update plans the value it has, instead of one that is known only after apply. */
  readonly stable?: boolean;
  /** It changes by itself, as a status does: that it has is nobody's doing, and refuses no plan. Not of nested attributes. */
  readonly volatile?: boolean;
  /** Whether the value may come out null. */
  readonly nullable?: boolean;
}

/** Options as the framework holds them, for values of any type. */
export interface AnyAttributeOptions extends Omit<ComputedOptions<never>, "replaceOnChange" | "check"> {
  readonly replaceOnChange?: boolean | ((change: { readonly prior: never; readonly planned: never }) => boolean);
  readonly check?: (value: never) => string | undefined;
  readonly default?: unknown;
}

export interface BlockOptions {
  readonly description?: string;
  readonly deprecated?: boolean;
  /** Bounds on the number of blocks, of list and set; 0 is no bound. */
  readonly min?: number;
  readonly max?: number;
  /** Any change inside needs a new object. */
  readonly replaceOnChange?: boolean;
}

export const string: FieldType<string> = { type: stringType };
/** A number; what a JavaScript number cannot hold exactly is rounded in the author's hands, and kept whole where unchanged. */
export const number: FieldType<number> = { type: numberType };
export const bool: FieldType<boolean> = { type: boolType };
/** A value of any type: authors get it as the {@link Value} it is, null and unknown included. */
export const dynamic: FieldType<Value> = { type: dynamicType };

export function list<T>(element: FieldType<T>): FieldType<readonly T[]> {
  return { type: listType(element.type), element };
}

/** A set: in the hands of authors an array without repeats, in no order they chose. */
export function set<T>(element: FieldType<T>): FieldType<readonly T[]> {
  return { type: setType(element.type), element };
}

export function map<T>(element: FieldType<T>): FieldType<Readonly<Record<string, T>>> {
  return { type: mapType(element.type), element };
}

/** An object with a fixed set of attributes, any of which may be null. */
export function object<const T extends Readonly<Record<string, FieldType>>>(attributes: T): FieldType<ObjectOf<T>> {
  return { type: objectType(Object.entries(attributes).map(([name, t]) => [name, t.type] as const)) };
}
type ObjectOf<T extends Readonly<Record<string, FieldType>>> = {
  readonly [K in keyof T]: (T[K] extends FieldType<infer C> ? C : never) | null;
};

/** A type whose values may be null where they are elements of a collection. */
export function nullable<T>(type: FieldType<T>): FieldType<T | null> {
  return { ...type, nullable: true } as FieldType<T | null>;
}

/** Attributes inside an attribute, written as `rules = [{ port = 80 }]`; each with its own presence and options. */
export const nested = {
  single<const F extends Fields>(fields: F): FieldType<ConfigOf<F>, PlanOf<F>, StateOf<F>> {
    return { type: dynamicType, nested: { nesting: "single", fields } };
  },
  list<const F extends Fields>(
    fields: F,
  ): FieldType<readonly ConfigOf<F>[], readonly PlanOf<F>[], readonly StateOf<F>[]> {
    return { type: dynamicType, nested: { nesting: "list", fields } };
  },
  set<const F extends Fields>(
    fields: F,
  ): FieldType<readonly ConfigOf<F>[], readonly PlanOf<F>[], readonly StateOf<F>[]> {
    return { type: dynamicType, nested: { nesting: "set", fields } };
  },
  map<const F extends Fields>(
    fields: F,
  ): FieldType<
    Readonly<Record<string, ConfigOf<F>>>,
    Readonly<Record<string, PlanOf<F>>>,
    Readonly<Record<string, StateOf<F>>>
  > {
    return { type: dynamicType, nested: { nesting: "map", fields } };
  },
};

/** An attribute that a configuration must set. */
export function required<T extends FieldType>(
  type: T,
  options: AttributeOptions<ConfigValue<T>> = {},
): Attribute<T, "required"> {
  return { kind: "attribute", type, presence: "required", options: options as AnyAttributeOptions };
}

/**
 * An attribute that a configuration may leave out. Then it is null; or, with `default`, that value; or, with
 * `computed: true`, what the provider says.
 */
export function optional<T extends FieldType>(
  type: T,
  options: AttributeOptions<ConfigValue<T>> & { readonly default: ConfigValue<T> },
): Attribute<T, "defaulted">;
export function optional<T extends FieldType>(
  type: T,
  options: ComputedOptions<ConfigValue<T>> & { readonly computed: true },
): Attribute<T, "inferred">;
export function optional<T extends FieldType>(
  type: T,
  options?: AttributeOptions<ConfigValue<T>>,
): Attribute<T, "optional">;
export function optional(
  type: FieldType,
  options: AnyAttributeOptions & { readonly computed?: boolean } = {},
): Attribute {
  const presence = options.computed ? "inferred" : options.default === undefined ? "optional" : "defaulted";
  return { kind: "attribute", type, presence, options };
}

/** An attribute that only the provider sets. */
export function computed<T extends FieldType>(
  type: T,
  options: ComputedOptions<StateValue<T>> & { readonly nullable: true },
): Attribute<FieldType<ConfigValue<T>, PlanValue<T> | null, StateValue<T> | null>, "computed">;
export function computed<T extends FieldType>(
  type: T,
  options?: ComputedOptions<StateValue<T>>,
): Attribute<T, "computed">;
export function computed(type: FieldType, options: ComputedOptions<never> = {}): Attribute {
  return { kind: "attribute", type, presence: "computed", options };
}

/** An attribute that reaches the provider and is kept nowhere: in plans and states it is null. */
export function writeOnly<T extends FieldType>(
  type: T,
  options: AttributeOptions<ConfigValue<T>> & { readonly required: true },
): Attribute<T, "requiredWriteOnly">;
export function writeOnly<T extends FieldType>(
  type: T,
  options?: AttributeOptions<ConfigValue<T>>,
): Attribute<T, "writeOnly">;
export function writeOnly(
  type: FieldType,
  options: AnyAttributeOptions & { readonly required?: true } = {},
): Attribute {
  return { kind: "attribute", type, presence: options.required ? "requiredWriteOnly" : "writeOnly", options };
}

/** Nested blocks, written as `rule { port = 80 }`. */
export const blocks = {
  /** At most one block; null when there is none. */
  single: <const F extends Fields>(fields: F, options: BlockOptions = {}): Block<F, "single"> =>
    block("single", fields, options),
  /** One block that is always there: when it is left out, as if it were empty. */
  group: <const F extends Fields>(fields: F, options: BlockOptions = {}): Block<F, "group"> =>
    block("group", fields, options),
  list: <const F extends Fields>(fields: F, options: BlockOptions = {}): Block<F, "list"> =>
    block("list", fields, options),
  set: <const F extends Fields>(fields: F, options: BlockOptions = {}): Block<F, "set"> =>
    block("set", fields, options),
  /** Blocks by their one label. */
  map: <const F extends Fields>(fields: F, options: BlockOptions = {}): Block<F, "map"> =>
    block("map", fields, options),
};

function block<F extends Fields, N extends BlockNesting>(nesting: N, fields: F, options: BlockOptions): Block<F, N> {
  return { kind: "block", nesting, fields, options };
}

/** The TypeScript type of a field type's values in a configuration, a plan (where known), a state. */
export type ConfigValue<T extends FieldType> = T extends FieldType<infer C, infer _P, infer _S> ? C : never;
export type PlanValue<T extends FieldType> = T extends FieldType<infer _C, infer P, infer _S> ? P : never;
export type StateValue<T extends FieldType> = T extends FieldType<infer _C, infer _P, infer S> ? S : never;
