import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Attribute, Block } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { parseFile } from "@millwright/hcl/parse";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { Constants, listElements, quotedText } from "../load/constants.ts";
import { covers } from "../plan/targets.ts";

/** Drift that somebody has looked at, and that may be so until a day. */
export interface DriftIgnore {
  /** An address of a module, a resource or an instance; `*` stands for anything. */
  readonly address: string;
  /** Ways into the object, as `tags.*`; what is below one is meant too. None: the whole object, also when it is gone. */
  readonly attributes: readonly string[];
  readonly reason: string;
  /** The last day, YYYY-MM-DD. */
  readonly until: string;
  readonly range: SourceRange;
}

/**
 * Reads an ignore list: `ignore "ADDRESS" { attributes = […]  reason = "…"  until = "2027-01-31" }` blocks. Entries whose day
 * is over are warned of. `today` is a date, YYYY-MM-DD.
 */
export function readIgnoreList(name: string, bytes: Uint8Array, today: string): Diagnosed<readonly DriftIgnore[]> {
  const { value: body, diagnostics: parsed } = parseFile(sourceFile(name, bytes));
  const { value: content, diagnostics } = contentOf(body, {
    attributes: [],
    blocks: [{ type: "ignore", labelNames: ["address"] }],
  });
  const found: Diagnostic[] = [...parsed, ...diagnostics];
  const list = content.blocks.flatMap((block) => readEntry(block, found) ?? []);
  for (const { address, until, reason, range } of list) {
    if (until >= today) continue;
    const detail = `The drift of ${address} was to be ignored until ${until} (${reason}), and counts again. Look at it once more: give the entry another day, or remove it.`;
    found.push(warningDiagnostic("Drift is no longer ignored", detail, { subject: range }));
  }
  return { value: list, diagnostics: found };
}

function readEntry(block: Block, found: Diagnostic[]): DriftIgnore | undefined {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [
      { name: "attributes", required: false },
      { name: "reason", required: true },
      { name: "until", required: true },
    ],
    blocks: [],
  });
  found.push(...diagnostics);
  const constants = new Constants(found);
  const reason = constants.text(content.attributes.get("reason"));
  const until = constants.text(content.attributes.get("until"));
  const attributes = textsOf(content.attributes.get("attributes"), found);
  if (reason === undefined || until === undefined || !attributes) return undefined;
  const refuse = (attribute: string, detail: string) => {
    const subject = rangeOf(content.attributes.get(attribute)!.expression);
    found.push(errorDiagnostic("Invalid drift ignore entry", detail, { subject }));
    return undefined;
  };
  if (reason.trim() === "") return refuse("reason", "Say in the reason why this drift may be.");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(until) || Number.isNaN(Date.parse(until)))
    return refuse(
      "until",
      `"${until}" is not a day. Write it as 2027-01-31; it is the last one that the entry holds on.`,
    );
  return { address: block.labels[0]!, attributes, reason, until, range: rangeOf(block.header) };
}

function textsOf(attribute: Attribute | undefined, found: Diagnostic[]): readonly string[] | undefined {
  if (!attribute) return [];
  const texts = listElements(attribute.expression)?.map(quotedText);
  if (texts?.every((text) => text !== undefined)) return texts;
  const detail = 'The attributes are a list of texts, such as ["tags.*", "user_data"].';
  const subject = rangeOf(attribute.expression);
  found.push(errorDiagnostic("Invalid drift ignore entry", detail, { subject }));
  return undefined;
}

/** Whether an entry speaks of an attribute of an object; undefined for the object as a whole. */
export function coversFinding(entry: DriftIgnore, address: string, attribute: string | undefined): boolean {
  if (!matchesAddress(entry.address, address)) return false;
  if (entry.attributes.length === 0) return true;
  return attribute !== undefined && entry.attributes.some((pattern) => matchesPath(pattern, attribute));
}

function matchesAddress(pattern: string, address: string): boolean {
  if (!pattern.includes("*")) return covers(pattern, address);
  return new RegExp(`^${starsOf(pattern, ".*")}(?:[.[].*)?$`).test(address);
}

function matchesPath(pattern: string, path: string): boolean {
  return new RegExp(`^${starsOf(pattern, "[^.]*")}(?:\\..*)?$`).test(path);
}

function starsOf(pattern: string, star: string): string {
  return pattern
    .split("*")
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"))
    .join(star);
}
