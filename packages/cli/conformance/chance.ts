export type Json = { readonly [name: string]: unknown };

/** What an AWS or another system makes up: ids, times, and the like, each with what stands in its place. */
const madeUp: readonly (readonly [RegExp, string])[] = [
  [/\b(vpc|subnet|sg|sgr|acl|rtb|dopt|igw|eigw)-[0-9a-f]{8,17}\b/g, "$1-#"],
  [/\bsgrule-\d+\b/g, "sgrule-#"],
  [/\b(app)-\d{26}\b/g, "$1-#"],
  [/\bA[A-Z0-9]{15,20}\b/g, "A#"],
  [/-----BEGIN ([A-Z ]+)-----.*?-----END \1-----(\\n)?/g, "PEM"],
  [/\b[0-9a-f]{40}\b/g, "HASH"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?\b/g, "TIME"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID"],
];

/**
 * The same with everything replaced that two runs against two such systems cannot have in common; `names` are those of further
 * attributes whose whole text is made up.
 */
export function withoutChance<T extends Json>(json: T, names: readonly string[] = []): T {
  let text = JSON.stringify(json);
  for (const [pattern, place] of madeUp) text = text.replace(pattern, place);
  return JSON.parse(text, (name, value: unknown) => {
    if (value && (chance.has(name) || (typeof value === "string" && names.includes(name)))) return "#";
    // In which order the reference writes these is left to chance too.
    return unordered.has(name) && Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value;
  }) as T;
}

/** Names of attributes whose whole text is made up. */
const unordered = new Set(["sensitive_attributes", "relevant_attributes", "replace_paths"]);
const chance = new Set(["version_id", "unique_id", "private"]);
