import type { Nanoseconds } from "./nanoseconds.ts";

/*
 * One table for each thing that a job is made of says all there is to say of its fields: what they are called in the job
 * language and in the API's JSON, what they hold, and what they are where nobody says. The types, both readers, the writer
 * and the diff are made from these tables.
 */

/** JSON as it is parsed: what a driver's configuration may hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** How a field is called, and where it shows. What is left out follows from the property's name. */
export interface FieldOptions {
  /** Its name in the job language, by default the property's in snake_case; null where the language does not have it. */
  readonly language?: string | null;
  /** Its name in the API's JSON, by default the property's in CamelCase. */
  readonly api?: string;
  /** Whether the job language asks for it. */
  readonly required?: boolean;
  /** Whether an empty text is one that somebody said; else it is as nothing said. */
  readonly mayBeEmpty?: boolean;
  /** Left out of diffs: what names the object itself, or what only says where other fields get their defaults. */
  readonly outOfDiff?: boolean;
  /** Beside what Nomad has: the API's JSON leaves it out where it is not there, and knows every name in it. */
  readonly isOwn?: boolean;
  /** Diffs tell that it differs, and not what it is. */
  readonly isSecret?: boolean;
}

declare const holds: unique symbol;

/** What a field is: `Value` in a job, `Draft` in what was read of one. */
export type Field<Value = unknown, Draft = Value> = FieldKind & {
  readonly options: FieldOptions;
  readonly [holds]?: readonly [Value, Draft];
};

export type FieldKind =
  | {
      readonly kind: "text" | "whole" | "number" | "flag" | "duration";
      readonly fallback: string | number | boolean | null;
    }
  | { readonly kind: "texts" }
  /** Names and texts, written as a block or as an attribute. */
  | { readonly kind: "map" }
  /** Names and lists of texts. */
  | { readonly kind: "lists" }
  /** A block whose content is not ours to know. */
  | { readonly kind: "free" }
  | { readonly kind: "object"; readonly shape: Shape; readonly presence: "optional" | "always" }
  | { readonly kind: "objects"; readonly shape: Shape; readonly keyed: boolean };

export type Fields = Readonly<Record<string, Field>>;

export interface Shape<F extends Fields = Fields> {
  /** What the object is called in a diff. */
  readonly title: string;
  /** The field that a block's label gives. */
  readonly label: string | undefined;
  readonly fields: F;
}

type Held<F> = F extends { readonly [holds]?: readonly [infer Value, unknown] } ? Value : never;
type DraftHeld<F> = F extends { readonly [holds]?: readonly [unknown, infer Draft] } ? Draft : never;

/** The whole object, nothing left open. */
export type ValueOf<S extends Shape> = { readonly [Name in keyof S["fields"]]: Held<S["fields"][Name]> };
/** What somebody said of an object; null where he said that there is none. */
export type DraftOf<S extends Shape> = {
  readonly [Name in keyof S["fields"]]?: DraftHeld<S["fields"][Name]> | null | undefined;
};

export function shape<F extends Fields>(title: string, fields: F, label?: keyof F & string): Shape<F> {
  return { title, label, fields };
}

/** A text; without another fallback, the empty one. */
export function text<T extends string = string>(
  fallback: NoInfer<T> | "" = "",
  options: FieldOptions = {},
): Field<T, string> {
  return { kind: "text", fallback, options };
}

export function optionalText(options: FieldOptions = {}): Field<string | null, string> {
  return { kind: "text", fallback: null, options };
}

export function whole(fallback = 0, options: FieldOptions = {}): Field<number> {
  return { kind: "whole", fallback, options };
}

export function optionalWhole(options: FieldOptions = {}): Field<number | null, number> {
  return { kind: "whole", fallback: null, options };
}

export function number(fallback = 0, options: FieldOptions = {}): Field<number> {
  return { kind: "number", fallback, options };
}

export function flag(fallback = false, options: FieldOptions = {}): Field<boolean> {
  return { kind: "flag", fallback, options };
}

export function optionalFlag(options: FieldOptions = {}): Field<boolean | null, boolean> {
  return { kind: "flag", fallback: null, options };
}

export function duration(fallback: Nanoseconds = 0, options: FieldOptions = {}): Field<Nanoseconds> {
  return { kind: "duration", fallback, options };
}

export function optionalDuration(options: FieldOptions = {}): Field<Nanoseconds | null, Nanoseconds> {
  return { kind: "duration", fallback: null, options };
}

export function texts(options: FieldOptions = {}): Field<readonly string[]> {
  return { kind: "texts", options };
}

export function map(options: FieldOptions = {}): Field<Readonly<Record<string, string>>> {
  return { kind: "map", options };
}

export function lists(options: FieldOptions = {}): Field<Readonly<Record<string, readonly string[]>>> {
  return { kind: "lists", options };
}

export function free(options: FieldOptions = {}): Field<Readonly<Record<string, Json>>> {
  return { kind: "free", options };
}

/** A block that may be there once; null where it is not. */
export function optional<S extends Shape>(of: S, options: FieldOptions = {}): Field<ValueOf<S> | null, DraftOf<S>> {
  return { kind: "object", shape: of, presence: "optional", options };
}

/** A block that is there with its fallbacks where nobody wrote it. */
export function always<S extends Shape>(of: S, options: FieldOptions = {}): Field<ValueOf<S>, DraftOf<S>> {
  return { kind: "object", shape: of, presence: "always", options };
}

export function many<S extends Shape>(
  of: S,
  options: FieldOptions = {},
): Field<readonly ValueOf<S>[], readonly DraftOf<S>[]> {
  return { kind: "objects", shape: of, keyed: false, options };
}

/** Blocks that the API's JSON holds as a map by their label. */
export function keyed<S extends Shape>(
  of: S,
  options: FieldOptions = {},
): Field<readonly ValueOf<S>[], readonly DraftOf<S>[]> {
  return { kind: "objects", shape: of, keyed: true, options };
}

/** What a field is called in the job language. */
export function languageName(property: string, { options }: Field): string | undefined {
  if (options.language === null) return undefined;
  return options.language ?? property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a field is called in the API's JSON, and in diffs. */
export function apiName(property: string, { options }: Field): string {
  return options.api ?? property.charAt(0).toUpperCase() + property.slice(1);
}

/** The fields of a shape by property, in their order. */
export function fieldsOf(of: Shape): readonly (readonly [property: string, field: Field])[] {
  return Object.entries(of.fields);
}

/** An object of some shape, read by the names of its fields. */
export type AnyRecord = Readonly<Record<string, unknown>>;

/** What was read, with all that nobody said filled in by the tables. A null is as nothing said, and most often so is an empty text. */
export function filled<S extends Shape>(of: S, draft: DraftOf<S>): ValueOf<S> {
  return filledRecord(of, draft as AnyRecord) as ValueOf<S>;
}

function filledRecord(of: Shape, draft: AnyRecord): AnyRecord {
  return Object.fromEntries(fieldsOf(of).map(([name, field]) => [name, filledField(field, draft[name] ?? undefined)]));
}

function filledField(field: Field, given: unknown): unknown {
  switch (field.kind) {
    case "text":
      return given === "" && !field.options.mayBeEmpty ? field.fallback : (given ?? field.fallback);
    case "whole":
    case "number":
    case "flag":
    case "duration":
      return given ?? field.fallback;
    case "texts":
      return given ?? [];
    case "map":
    case "lists":
    case "free":
      return given ?? {};
    case "object":
      if (given === undefined && field.presence === "optional") return null;
      return filledRecord(field.shape, (given ?? {}) as AnyRecord);
    case "objects":
      return ((given ?? []) as readonly AnyRecord[]).map((one) => filledRecord(field.shape, one));
  }
}

/** Two drafts as one: what `over` says holds, and where it says nothing, what `under` says. */
export function merged<D extends object>(under: D | null | undefined, over: D | null | undefined): D | undefined {
  if (!under || !over) return over ?? under ?? undefined;
  const said = Object.entries(over).filter(([, value]) => value !== undefined && value !== null);
  return { ...under, ...(Object.fromEntries(said) as Partial<D>) };
}
