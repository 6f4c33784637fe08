import type { Value } from "@millwright/value/value";
import type { Attribute, Block, BlockNesting, ConfigValue, Field, Fields, PlanValue, StateValue } from "./fields.ts";

/**
 * What a user configured: all attributes but computed ones. An attribute that was left out is null.
 */
export type ConfigOf<F extends Fields> = Shown<{
  readonly [K in keyof F as F[K] extends Attribute<infer _T, "computed"> ? never : K]: ConfigField<F[K]>;
}>;

/**
 * What is planned, as create and update get it: the configuration with defaults filled in. `undefined` stands where the
 * value is the provider's to settle. Write-only attributes are not in it: read them from the configuration.
 */
export type PlanOf<F extends Fields> = Shown<{
  readonly [K in keyof F as F[K] extends Attribute<infer _T, "writeOnly" | "requiredWriteOnly"> ? never : K]: PlanField<
    F[K]
  >;
}>;

/** What is there: every attribute settled. Write-only attributes are not in it. */
export type StateOf<F extends Fields> = Shown<{
  readonly [K in keyof F as F[K] extends Attribute<infer _T, "writeOnly" | "requiredWriteOnly">
    ? never
    : K]: StateField<F[K]>;
}>;

/**
 * The same with everything perhaps unknown: while planning, `undefined` stands at any depth where a value is known only
 * after apply. A {@link Value} stays one, as it can be unknown itself.
 */
export type Unsettled<T> = T extends Value
  ? T
  : T extends readonly (infer E)[]
    ? readonly OrUnknown<Unsettled<E>>[]
    : T extends object
      ? { readonly [K in keyof T]: OrUnknown<Unsettled<T[K]>> }
      : T;

/** What was sent to be created, as the journal keeps it: null at any depth where a value was not known, or is sensitive. */
export type SentOf<F extends Fields> = Recorded<PlanOf<F>>;

type Recorded<T> = T extends Value
  ? T
  : T extends readonly (infer E)[]
    ? readonly OrNull<Recorded<E>>[]
    : T extends object
      ? { readonly [K in keyof T]: OrNull<Recorded<Exclude<T[K], undefined>>> }
      : T;

/** A {@link Value} says itself that it is null or unknown; everything else says it by `null` and `undefined`. */
export type OrNull<T> = [T] extends [Value] ? T : T | null;
export type OrUnknown<T> = [T] extends [Value] ? T : T | undefined;

type ConfigField<X extends Field> =
  X extends Attribute<infer T, infer P>
    ? P extends "required" | "requiredWriteOnly"
      ? ConfigValue<T>
      : OrNull<ConfigValue<T>>
    : X extends Block<infer F, infer N>
      ? Nest<N, ConfigOf<F>>
      : never;

type PlanField<X extends Field> =
  X extends Attribute<infer T, infer P>
    ? P extends "required" | "defaulted"
      ? PlanValue<T>
      : P extends "optional"
        ? OrNull<PlanValue<T>>
        : OrUnknown<PlanValue<T>>
    : X extends Block<infer F, infer N>
      ? Nest<N, PlanOf<F>>
      : never;

type StateField<X extends Field> =
  X extends Attribute<infer T, infer P>
    ? P extends "optional"
      ? OrNull<StateValue<T>>
      : StateValue<T>
    : X extends Block<infer F, infer N>
      ? Nest<N, StateOf<F>>
      : never;

type Nest<N extends BlockNesting, T> = N extends "single"
  ? T | null
  : N extends "group"
    ? T
    : N extends "map"
      ? Readonly<Record<string, T>>
      : readonly T[];

/** Spells an intersection or mapped type out, so that editors show its fields. */
type Shown<T> = { readonly [K in keyof T]: T[K] };
