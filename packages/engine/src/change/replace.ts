import type { BlockSchema } from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import { applyPath, type Path } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { isKnown } from "@millwright/value/value";

/**
 * Of the paths a provider would replace for, those where the value really changes (or may: unknown). A provider may name
 * all paths that it could ever replace for. Write-only attributes have no values to compare and always count.
 */
export function replacePathsThatChange(
  paths: readonly Path[],
  prior: Value,
  planned: Value,
  schema: BlockSchema,
): Path[] {
  return paths.filter((path) => {
    const first = path[0];
    if (first && "attribute" in first && schema.attributes.get(first.attribute)?.writeOnly) return true;
    const before = applyPath(prior, path);
    const after = applyPath(planned, path);
    if (!before || !after) return before !== after;
    return !isKnown(after) || !rawEquals(before, after);
  });
}
