import { formatJson, parseJson } from "@millwright/clients/json";

type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON object that a text is; undefined for any other text. */
export function jsonObject(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    // What the parser says quotes the text, which is secret.
    return undefined;
  }
}

/** What is wrong with a text that is to be a JSON object, in a sentence that holds nothing of it. */
export function jsonFault(text: string): string | undefined {
  return jsonObject(text) ? undefined : 'It is no JSON object: write jsonencode({ name = "value" }).';
}

/** An object as JSON of one form: names in order, no spaces. */
export function jsonText(value: unknown): string {
  return formatJson(inOrder(value));
}

/** Brings a text to the form of {@link jsonText}; one that says the same as `before` stays as it was there. */
export function normalJson(text: string, before?: string | null): string {
  const normal = jsonText(jsonObject(text) ?? {});
  const old = typeof before === "string" ? jsonObject(before) : undefined;
  return old && jsonText(old) === normal ? before! : normal;
}

/** Top-level names with their values as texts: a text as it is, anything else as JSON. */
export function textValues(object: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, typeof value === "string" ? value : jsonText(value)]),
  );
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, inner]) => [name, inOrder(inner)]));
}
