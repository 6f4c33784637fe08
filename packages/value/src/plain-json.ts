import { JsonParser } from "./json-parser.ts";
import { BigFloat, parseBigFloat, textPrecision } from "./number.ts";

/**
 * Parsed JSON in which no number has lost anything: integers of up to 15 digits are JavaScript numbers, every other number
 * is what `JSON.rawJSON` makes of its text, which `JSON.stringify` writes out again as it was.
 *
 * Throws {@link JsonSyntaxError} where the text is not JSON.
 */
export function parsePlain(text: string): unknown {
  return new JsonParser(text, (source) => (shortInteger.test(source) ? Number(source) : rawJson(source))).parse();
}

const shortInteger = /^(?!-0$)-?\d{1,15}$/;

interface RawJson {
  readonly rawJSON: string;
}

/** `JSON.rawJSON` and `JSON.isRawJSON` of ECMAScript's "JSON.parse source text access", which TypeScript does not know yet. */
const json = JSON as unknown as { rawJSON(text: string): RawJson; isRawJSON(value: unknown): value is RawJson };

function rawJson(text: string): RawJson {
  return json.rawJSON(text);
}

/** A finite number in the form that {@link parsePlain} has. */
export function numberToPlain(number: BigFloat): unknown {
  const integer = number.toSafeInteger();
  if (integer !== undefined && Math.abs(integer) < 1e15 && !Object.is(integer, -0)) return integer;
  return rawJson(number.toText());
}

/** The text of a number in parsed JSON, as it was in the source; undefined for anything else. */
export function plainNumberText(plain: unknown): string | undefined {
  if (typeof plain === "number") return Object.is(plain, -0) ? "-0" : String(plain);
  return json.isRawJSON(plain) ? plain.rawJSON : undefined;
}

/** The number in parsed JSON; undefined for anything else. */
export function plainNumber(plain: unknown): BigFloat | undefined {
  if (Number.isSafeInteger(plain)) return BigFloat.small(plain as number, textPrecision);
  const text = plainNumberText(plain);
  return text === undefined ? undefined : parseBigFloat(text);
}
