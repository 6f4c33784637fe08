import type { MsgpackReader } from "./msgpack-reader.ts";
import { Malformed } from "./msgpack-reader.ts";
import type { MsgpackWriter } from "./msgpack-writer.ts";
import type { BigFloat } from "./number.ts";
import { bigFloat, bigFloatOfDouble, parseBigFloat } from "./number.ts";

/** As an integer of 64 bits or a fraction of 53 where that is exact, else as decimal text. */
export function writeNumber(writer: MsgpackWriter, number: BigFloat): void {
  const small = number.toSafeInteger();
  if (small !== undefined) return writer.integer(small);
  if (!number.isFinite) return writer.double(number.toNumber());
  const integer = number.toInt64();
  if (integer !== undefined) return writer.integer64(integer);
  const double = number.toNumber();
  const exact = !number.isInteger && Number.isFinite(double) && bigFloatOfDouble(double).compare(number) === 0;
  if (exact) writer.double(double);
  else writer.string(number.toText());
}

/** A number in whichever form it comes: integer, float or decimal text. */
export function readNumber(reader: MsgpackReader): BigFloat {
  switch (reader.peek()) {
    case "integer":
      return bigFloat(reader.integer());
    case "float": {
      const double = reader.float();
      if (Number.isNaN(double)) throw new Malformed("number is required");
      return bigFloatOfDouble(double);
    }
    case "string":
    case "binary": {
      const number = parseBigFloat(reader.string());
      if (number) return number;
      throw new Malformed("number is required");
    }
    default:
      throw new Malformed("number is required");
  }
}
