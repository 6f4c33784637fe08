import { Bug, invariant } from "@millwright/core/errors";
import { quoteHcl } from "@millwright/text/quote";
import { BigFloat } from "@millwright/value/number";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { isIdentifier } from "./identifier.ts";
import { layOut } from "./layout.ts";
import { losslessTokens } from "./lossless.ts";
import { scan } from "./scanner.ts";
import { sourceFile } from "./source-file.ts";

/**
 * The text of an expression that stands for a value, as configuration is written: maps and objects with an attribute a
 * line, all else on one line. Sets and maps come out as the tuples and objects that convert to them.
 *
 * Takes wholly known values without capsules, and without marks: a sensitive value has no business in a file.
 */
export function writeValue(value: Value): string {
  const tokens = losslessTokens(scan(sourceFile("", rawText(value)))).slice(0, -1);
  return layOut(tokens);
}

function rawText({ data, marks }: Value): string {
  invariant(marks.size === 0, "a marked value is not written");
  if (data === null) return "null";
  if (typeof data === "string") return quoteHcl(data);
  if (typeof data === "boolean") return String(data);
  if (data instanceof BigFloat) {
    invariant(data.isFinite, "an infinity is not written");
    return data.toText();
  }
  if (data instanceof Map) {
    const lines = [...data].map(([name, element]) => `${nameText(name)} = ${rawText(element)}\n`);
    return lines.length === 0 ? "{}" : `{\n${lines.join("")}}`;
  }
  if (Array.isArray(data)) return `[${data.map(rawText).join(", ")}]`;
  throw new Bug(data instanceof Unknown ? "an unknown value is not written" : "a capsule is not written");
}

function nameText(name: string): string {
  return isIdentifier(name) ? name : quoteHcl(name);
}
