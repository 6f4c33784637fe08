import { readNumber, writeNumber } from "./msgpack-number.ts";
import { Malformed, MsgpackReader } from "./msgpack-reader.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";
import { refine, safePrefix } from "./refine.ts";
import type { Type } from "./types.ts";
import { isCollection } from "./types.ts";
import type { Refinements } from "./unknown.ts";
import type { Value } from "./value.ts";
import { nullValue, unknownValue } from "./value.ts";

type Bound = NonNullable<Refinements["minimum"]>;

/** The extension that holds what is known of an unknown value, as a map by these keys. */
const refinedExtension = 12;
const keys = { nullness: 1, prefix: 2, minimum: 3, maximum: 4, minimumLength: 5, maximumLength: 6 };
const longestPrefix = 256;
const longestRefinement = 1024;
const plainUnknown = Uint8Array.of(0xd4, 0, 0);

/** An unknown value: an extension of one empty byte, or one of type 12 with what is known of it. */
export function writeUnknown(writer: MsgpackWriter, type: Type, refinements: Refinements = {}): void {
  const body = new MsgpackWriter();
  let count = 0;
  const entry = (key: number) => {
    body.integer(key);
    count++;
  };
  const { notNull, prefix, minimum, maximum, minimumLength, maximumLength } = refinements;
  if (notNull) {
    entry(keys.nullness);
    body.bool(false);
  }
  if (type.kind === "number") {
    if (minimum) writeBound(body, () => entry(keys.minimum), minimum);
    if (maximum) writeBound(body, () => entry(keys.maximum), maximum);
  } else if (type.kind === "string" && prefix) {
    entry(keys.prefix);
    body.string(shortened(prefix));
  } else if (isCollection(type)) {
    if (minimumLength) {
      entry(keys.minimumLength);
      body.integer(minimumLength);
    }
    if (maximumLength !== undefined) {
      entry(keys.maximumLength);
      body.integer(maximumLength);
    }
  }
  if (count === 0) return writer.raw(plainUnknown);
  const whole = new MsgpackWriter();
  whole.mapHeader(count);
  whole.raw(body.finish());
  writer.extension(refinedExtension, whole.finish());
}

function writeBound(body: MsgpackWriter, entry: () => void, bound: Bound): void {
  entry();
  body.arrayHeader(2);
  writeNumber(body, bound.value);
  body.bool(bound.inclusive);
}

/** A prefix that stays below what the other side takes, cut where more text cannot change it. */
function shortened(prefix: string): string {
  const bytes = Buffer.from(prefix);
  if (bytes.length <= longestPrefix) return prefix;
  return safePrefix(
    bytes
      .subarray(0, longestPrefix - 1)
      .toString()
      .replace(/\ufffd+$/, ""),
  );
}

/** Reads an unknown value. Of what may be known of it, keys that nobody knows yet are passed over. */
export function readUnknown(reader: MsgpackReader, type: Type): Value {
  const { type: extension, body } = reader.extension();
  if (body.length <= 1) return unknownValue(type);
  if (extension !== refinedExtension) {
    throw new Malformed(
      `unsupported extension type 0x${extension.toString(16).padStart(2, "0")} with len ${body.length}`,
    );
  }
  if (body.length > longestRefinement) throw new Malformed("oversize unknown value refinement");
  if (type.kind === "dynamic") return unknownValue(type);
  const refinements = readRefinements(new MsgpackReader(body), type);
  return refinements === "null" ? nullValue(type) : refine(unknownValue(type), checked(refinements));
}

function readRefinements(reader: MsgpackReader, type: Type): Refinements | "null" {
  const count = reader.mapHeader();
  let found: Refinements = {};
  for (let i = 0; i < count; i++) {
    const key = Number(reader.integer());
    if (key === keys.nullness) {
      if (reader.bool()) return "null";
      found = { ...found, notNull: true };
    } else if (key === keys.prefix) {
      fits(type.kind === "string", "string prefix", type);
      found = { ...found, prefix: reader.string() };
    } else if (key === keys.minimum || key === keys.maximum) {
      fits(type.kind === "number", "numeric bound", type);
      found = { ...found, [key === keys.minimum ? "minimum" : "maximum"]: readBound(reader) };
    } else if (key === keys.minimumLength || key === keys.maximumLength) {
      fits(isCollection(type), "length bound", type);
      found = { ...found, [key === keys.minimumLength ? "minimumLength" : "maximumLength"]: Number(reader.integer()) };
    } else {
      reader.skip();
    }
  }
  return found;
}

function fits(condition: boolean, what: string, type: Type): void {
  if (!condition) throw new Malformed(`a ${what} is no refinement of a ${type.kind}`);
}

function readBound(reader: MsgpackReader): Bound {
  if (reader.arrayHeader() !== 2) throw new Malformed("a numeric bound must be a [number, bool] array");
  return { value: readNumber(reader), inclusive: reader.bool() };
}

/** Refinements from outside may contradict each other, which is for the sender to answer for. */
function checked(refinements: Refinements): Refinements {
  const { minimum, maximum, minimumLength = 0, maximumLength = Infinity } = refinements;
  const order = minimum && maximum ? minimum.value.compare(maximum.value) : -1;
  const empty = order > 0 || (order === 0 && minimum?.inclusive !== maximum?.inclusive);
  if (empty || minimumLength > maximumLength) throw new Malformed("refinements that no value meets");
  return refinements;
}
