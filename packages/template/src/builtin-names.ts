/** The functions that every template has. */
export const builtinNames = [
  "and",
  "call",
  "html",
  "index",
  "slice",
  "js",
  "len",
  "not",
  "or",
  "print",
  "printf",
  "println",
  "urlquery",
  "eq",
  "ge",
  "gt",
  "le",
  "lt",
  "ne",
] as const;

export type BuiltinName = (typeof builtinNames)[number];
