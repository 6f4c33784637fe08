import type { Type } from "@millwright/value/types";
import { objectType, sortedMap, typeEquals } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { noMarks } from "@millwright/value/value";

/**
 * Makes many objects with the same attributes, as `objectValue` would, without ordering the names again, and with one and
 * the same type wherever the attributes have the types they had the time before.
 */
export class ObjectShape<T> {
  /** What makes each attribute, in the order of the names. */
  readonly parts: readonly (readonly [string, T])[];
  #types: readonly Type[] = [];
  #type: Type | undefined;

  constructor(parts: Iterable<readonly [string, T]>) {
    const normal = [...parts].map(([name, part]) => [name.normalize("NFC"), part] as const);
    this.parts = [...sortedMap(normal)];
  }

  /** The object of these values, in the order of `parts`. */
  of(values: readonly Value[]): Value {
    const data = new Map<string, Value>();
    let same = this.#type !== undefined;
    for (const [index, value] of values.entries()) {
      data.set(this.parts[index]![0], value);
      same &&= value.type === this.#types[index] || typeEquals(value.type, this.#types[index]!);
    }
    if (!same) {
      this.#types = values.map((value) => value.type);
      this.#type = objectType(this.parts.map(([name], index) => [name, this.#types[index]!] as const));
    }
    return { type: this.#type!, data, marks: noMarks };
  }
}
