import type { AttributeSchema, BlockSchema } from "@millwright/provider/schema";
import { boolType, listType, mapType, numberType, stringType, type Type } from "@millwright/value/types";

const types = {
  text: stringType,
  number: numberType,
  flag: boolType,
  texts: listType(stringType),
  map: mapType(stringType),
} as const satisfies Record<string, Type>;

/** A block of arguments, one of which may have to be there. */
export function blockOf(attributes: Readonly<Record<string, keyof typeof types>>, required?: string): BlockSchema {
  const entries = Object.entries(attributes).map(([name, type]): [string, AttributeSchema] => [
    name,
    { type: types[type], ...(name === required ? { required: true } : { optional: true }) },
  ]);
  return { attributes: new Map(entries), blocks: new Map() };
}
