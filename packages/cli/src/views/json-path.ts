import type { SourceRange } from "@millwright/core/source";
import type { JsonNode, Node } from "@millwright/hcl/ast";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";

/**
 * The way to the object or array in a JSON file that holds a place: `resource.aws_vpc.main`, `variable[1].name`. Undefined at
 * the top, and where the text cannot be read that far.
 */
export function jsonPathAround(text: string, { filename, start }: SourceRange): string | undefined {
  const { json } = parseJsonFile(sourceFile(filename, text)).value;
  const holds = (node: Node) => {
    const { start: from, end } = rangeOf(node);
    return from.byte < start.byte && start.byte <= end.byte;
  };
  const steps = json ? stepsTo(json, holds) : [];
  return steps.length === 0 ? undefined : steps.join("").replace(/^\./, "");
}

function stepsTo(node: JsonNode, holds: (node: Node) => boolean): string[] {
  if (node.kind === "jsonObject") {
    const inner = node.properties.find(({ value }) => isNest(value) && holds(value));
    return inner ? [`.${inner.name}`, ...stepsTo(inner.value, holds)] : [];
  }
  if (node.kind !== "jsonArray") return [];
  const at = node.elements.findIndex((element) => isNest(element) && holds(element));
  return at < 0 ? [] : [`[${at}]`, ...stepsTo(node.elements[at]!, holds)];
}

function isNest({ kind }: JsonNode): boolean {
  return kind === "jsonObject" || kind === "jsonArray";
}
