import { parseDuration, toMilliseconds } from "@millwright/text/duration";

/** A value of a configuration file that is not what its name asks for; the message says what is. */
export class WrongValue extends Error {
  override readonly name = "WrongValue";
}

/** A text; HCL 1 lets numbers and truth values stand for one. */
export function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new WrongValue("Write a text.");
}

export function texts(value: unknown): readonly string[] {
  const list = typeof value === "string" ? [value] : value;
  if (Array.isArray(list)) return list.map(text);
  throw new WrongValue("Write a list of texts.");
}

/** A whole number that is not negative; also as a text. */
export function whole(value: unknown): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new WrongValue("Write a whole number that is not negative.");
}

/** A truth value, also as the texts that options have. */
export function truth(value: unknown): boolean {
  const said = text(value).toLowerCase();
  if (["true", "1", "t"].includes(said)) return true;
  if (["false", "0", "f", ""].includes(said)) return false;
  throw new WrongValue("Write true or false.");
}

/** Milliseconds of a duration such as `1h`. */
export function lengthOfTime(value: unknown): number {
  const parsed = parseDuration(text(value));
  if (parsed.ok) return toMilliseconds(parsed.duration);
  throw new WrongValue("Write a duration, such as 30s or 1h.");
}

/** Bytes of a size such as `100GB` or `64MiB`; a bare number is bytes. */
export function size(value: unknown): number {
  const [, digits, letter, binary] = /^\s*(\d+(?:\.\d+)?)\s*(?:([kMGTP])(i?))?B?\s*$/i.exec(text(value)) ?? [];
  if (digits === undefined) throw new WrongValue("Write a size, such as 100GB.");
  const power = letter === undefined ? 0 : "kmgtp".indexOf(letter.toLowerCase()) + 1;
  return Math.floor(Number(digits) * (binary ? 1024 : 1000) ** power);
}

/** A block's settings. HCL has a block as a list of objects, which are one; JSON may have an object. */
export function block(value: unknown): Readonly<Record<string, unknown>> {
  const list = Array.isArray(value) ? value : [value];
  if (!list.every(isObject)) throw new WrongValue("Write a block: name { … }.");
  return Object.assign({}, ...list) as Record<string, unknown>;
}

/** A block whose names are a user's own. */
export function textsByName(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(block(value)).map(([name, item]) => [name, text(item)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
