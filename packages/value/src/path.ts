import type { Value } from "./value.ts";

/** One step into a value: an attribute of an object, or an index (number of a list or tuple, string of a map, element of a set). */
export type PathStep = { readonly attribute: string } | { readonly index: Value };

/** A way from a value to something inside it; empty is the value itself. */
export type Path = readonly PathStep[];
