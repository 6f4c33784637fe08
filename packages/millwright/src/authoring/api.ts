/**
 * What a stack imports from "millwright". This file holds types alone and imports nothing: `millwright types` writes it out
 * beside the types of the folder's providers, so that an editor helps with nothing installed.
 */

declare const valueOf: unique symbol;
declare const untyped: unique symbol;

/**
 * A value that is known later: of a variable, or of what a provider makes. It may be passed to any input, taken apart by
 * property and index, and put into a template string; everything else is an error. To compute with it, use `derive`.
 */
export type Ref<T> = RefOf<T> & RefParts<T>;

interface RefOf<T> {
  readonly [valueOf]: T;
}

type RefParts<T> = [NonNullable<T>] extends [Scalar]
  ? unknown
  : [NonNullable<T>] extends [readonly (infer E)[]]
    ? { readonly [index: number]: Part<E> }
    : { readonly [K in keyof NonNullable<T>]-?: Part<NonNullable<T>[K]> };

type Part<T> = [T] extends [Untyped] ? UntypedRef : Ref<T>;

/** The type of an attribute that may be anything; references into it are {@link UntypedRef}s. */
export interface Untyped {
  readonly [untyped]: true;
}

/** A reference to something whose type is not known here, such as a local value of a `.tf` file. It fits every input. */
export interface UntypedRef {
  readonly [valueOf]: unknown;
  readonly [untyped]: true;
  readonly [name: string | number]: UntypedRef;
}

type Scalar = string | number | boolean | null | undefined;

/** What an argument of type T takes: a value, a reference, or a list or object of which parts are references. */
export type Input<T> =
  | T
  | Ref<NonNullable<T>>
  | UntypedRef
  | (T extends Scalar
      ? never
      : T extends readonly (infer E)[]
        ? readonly Input<E>[]
        : { readonly [K in keyof T]: Input<T[K]> });

/** A value of any type, such as an output. */
export type AnyInput = Scalar | Ref<unknown> | UntypedRef | readonly AnyInput[] | { readonly [name: string]: AnyInput };

/** Arguments and attributes of each resource type; `millwright types` fills it in. */
export interface ResourceTypes {}

/** The same of each data source. */
export interface DataTypes {}

/** Inputs and outputs of each template that a list of instances uses, by its path; `millwright types` fills it in. */
export interface InstanceTemplates {}

/** One template: what an instance of it is given, and what can be read from one. */
export interface TemplateOf {
  readonly inputs: object;
  readonly outputs: object;
}

/** One resource type: what is written, and what can be read. */
export interface TypeOf {
  readonly arguments: object;
  readonly attributes: object;
}

interface Unchecked {
  readonly arguments: { readonly [name: string]: unknown };
  readonly attributes: unknown;
}

type Name<Types> = [keyof Types] extends [never] ? string : keyof Types & string;
type Arguments<Types, N> = N extends keyof Types
  ? Types[N] extends TypeOf
    ? Types[N]["arguments"]
    : never
  : Unchecked["arguments"];
type Made<Types, N> = N extends keyof Types
  ? Types[N] extends TypeOf
    ? Ref<Types[N]["attributes"]>
    : never
  : UntypedRef;
type Inputs<N> = N extends keyof InstanceTemplates
  ? InstanceTemplates[N] extends TemplateOf
    ? InstanceTemplates[N]["inputs"]
    : never
  : Unchecked["arguments"];
type Outputs<N> = N extends keyof InstanceTemplates
  ? InstanceTemplates[N] extends TemplateOf
    ? Ref<InstanceTemplates[N]["outputs"]>
    : never
  : UntypedRef;
/** The inputs may be left out where none of them is required. */
type InputsOf<N> =
  {} extends Inputs<N>
    ? readonly [inputs?: Inputs<N>, options?: InstanceOptions]
    : readonly [inputs: Inputs<N>, options?: InstanceOptions];
type MadeList<Types, N> = N extends keyof Types
  ? Types[N] extends TypeOf
    ? Ref<Types[N]["attributes"][]>
    : never
  : UntypedRef;
type MadeMap<Types, N> = N extends keyof Types
  ? Types[N] extends TypeOf
    ? Ref<Readonly<Record<string, Types[N]["attributes"]>>>
    : never
  : UntypedRef;

/** What a resource or module can be told beside its own arguments. */
export interface Options {
  /** What must be there first, without being referred to. */
  readonly depends_on?: readonly Target[];
  /** A provider configuration made by `provider`. */
  readonly provider?: ProviderConfig;
  readonly lifecycle?: Lifecycle;
}

/** What an instance can be told beside its inputs. */
export interface InstanceOptions {
  /** Instances that must be there first, without their outputs being used. */
  readonly depends_on?: readonly Target[];
}

export interface Lifecycle {
  readonly create_before_destroy?: boolean;
  readonly prevent_destroy?: boolean;
  /** Attributes as they would be written after the resource, such as "tags" or "subkeys.a"; or "all". */
  readonly ignore_changes?: readonly string[] | "all";
  readonly replace_triggered_by?: readonly Target[];
  readonly precondition?: Rule | readonly Rule[];
  readonly postcondition?: Rule | readonly Rule[];
}

/** A condition that must hold; `derive` makes one from values that are known later. */
export interface Rule {
  readonly condition: Input<boolean>;
  readonly error_message: Input<string>;
}

type Target = Ref<unknown> | UntypedRef;

/** A provider configuration, to be named by `provider:`. */
export interface ProviderConfig {
  readonly [valueOf]: "provider";
}

/** The place of an instance among those that `count` or `for_each` makes. */
export interface Counted {
  readonly index: Ref<number>;
}

export interface Each<V> {
  readonly key: Ref<string>;
  readonly value: [unknown] extends [V] ? UntypedRef : Ref<V>;
}

/** Nested blocks, one for each element of a collection that is known later. */
export interface Blocks<B> {
  readonly [valueOf]: readonly B[];
}

/** What an argument for nested blocks takes: one, several, or as many as a collection has elements. */
export type NestedBlocks<B> = B | readonly B[] | Blocks<B>;

/** The TypeScript type of a type constraint, such as `"list(string)"`. */
export type TypeNamed<S> = S extends "string"
  ? string
  : S extends "number"
    ? number
    : S extends "bool"
      ? boolean
      : S extends `${"list" | "set"}(${infer E})`
        ? TypeNamed<E>[]
        : S extends `map(${infer E})`
          ? Readonly<Record<string, TypeNamed<E>>>
          : unknown;

type Widened<T> = T extends string ? string : T extends number ? number : T extends boolean ? boolean : T;
type RefTo<T> = [unknown] extends [T] ? UntypedRef : Ref<T>;

export interface VariableSettings<D> {
  readonly default?: D;
  readonly description?: string;
  readonly sensitive?: boolean;
  readonly ephemeral?: boolean;
  readonly nullable?: boolean;
  readonly validation?: Rule | readonly Rule[] | ((value: UntypedRef) => Rule | readonly Rule[]);
}

/** What `derive` hands to its function for each of its references. */
export type Known<R> = R extends UntypedRef
  ? unknown
  : R extends RefOf<infer T>
    ? T
    : R extends Scalar
      ? R
      : { readonly [K in keyof R]: Known<R[K]> };

/** What a function of `derive` may give. */
export type Result = Scalar | readonly Result[] | { readonly [name: string]: Result };

export interface TerraformSettings {
  readonly required_version?: string;
  readonly required_providers?: { readonly [name: string]: { readonly source: string; readonly version?: string } };
}

/** The functions a stack is written with. */
export interface Api {
  /** Declares a resource, and gives a reference to it. With `count` it is a list, with `for_each` a map of them. */
  resource<N extends Name<ResourceTypes>>(
    type: N,
    name: string,
    args: Arguments<ResourceTypes, N>,
    options?: Options,
  ): Made<ResourceTypes, N>;
  resource<N extends Name<ResourceTypes>>(
    type: N,
    name: string,
    args: Arguments<ResourceTypes, N> | ((instance: Counted) => Arguments<ResourceTypes, N>),
    options: Options & { readonly count: Input<number> },
  ): MadeList<ResourceTypes, N>;
  resource<N extends Name<ResourceTypes>, V>(
    type: N,
    name: string,
    args: Arguments<ResourceTypes, N> | ((instance: Each<V>) => Arguments<ResourceTypes, N>),
    options: Options & {
      readonly for_each:
        | Ref<V[]>
        | Ref<Readonly<Record<string, V>>>
        | UntypedRef
        | readonly V[]
        | { readonly [key: string]: V };
    },
  ): MadeMap<ResourceTypes, N>;

  /** Reads something that others look after, and gives a reference to it. */
  data<N extends Name<DataTypes>>(
    type: N,
    name: string,
    args: Arguments<DataTypes, N>,
    options?: Options,
  ): Made<DataTypes, N>;

  /** Declares an input variable. Its type follows from `type`, else from the default. */
  variable<T = unknown>(name: string): [unknown] extends [T] ? Ref<string> : Ref<T>;
  variable<const S extends string>(
    name: string,
    settings: VariableSettings<TypeNamed<S>> & { readonly type: S },
  ): RefTo<TypeNamed<S>>;
  variable<D = string>(name: string, settings: VariableSettings<D>): RefTo<Widened<D>>;

  output(
    name: string,
    value: unknown,
    settings?: { readonly description?: string; readonly sensitive?: boolean; readonly depends_on?: readonly Target[] },
  ): void;

  /** Names a value, so that `.tf` files can say `local.NAME`. */
  local(name: string, value: unknown): UntypedRef;

  /** Calls a module, written in HCL or as a stack, and gives a reference to its outputs. */
  module(
    name: string,
    source: string,
    inputs?: { readonly [name: string]: unknown },
    options?: {
      readonly depends_on?: readonly Target[];
      readonly providers?: { readonly [name: string]: ProviderConfig };
    },
  ): UntypedRef;

  /**
   * Lists an instance of a template, a folder with a configuration: it has inputs and a state of its own. Gives a reference
   * to its outputs. Instances stand in files `*.instances.ts`.
   */
  instance<N extends Name<InstanceTemplates>>(name: string, template: N, ...rest: InputsOf<N>): Outputs<N>;

  /** Configures a provider, as a `provider` block does. */
  provider(
    name: string,
    settings: { readonly [name: string]: unknown },
    options?: { readonly alias?: string },
  ): ProviderConfig;

  /** The versions this folder needs, as a `terraform` block says them. */
  terraform(settings: TerraformSettings): void;

  /** A reference to anything of the folder by its address, such as `local.x` or `random_pet.name.id` of a `.tf` file. */
  ref<T = unknown>(address: string): RefTo<T>;

  /**
   * Computes a value from references once they are known: now, if they are known when planning, else at apply. `compute`
   * uses nothing but what it is given and constants.
   */
  derive<const R, U>(from: R, compute: (known: Known<R>) => U): RefTo<U>;

  /** One of two values, by a condition that may be known later. */
  when<A, B>(condition: Input<boolean>, whenTrue: A, whenFalse: B): RefTo<Known<A> | Known<B>>;

  /** A JSON document, in which anything may be a reference. */
  json(document: unknown): Ref<string>;

  /** A call of one of the language's functions, such as `call("upper", name)`. */
  call<T = unknown>(name: string, ...args: readonly unknown[]): RefTo<T>;

  /** Nested blocks, one for each element of a collection that is known later. */
  blocks<V, B>(
    collection: Ref<V[]> | Ref<Readonly<Record<string, V>>> | UntypedRef,
    body: (item: Each<V>) => B,
  ): Blocks<B>;
}
